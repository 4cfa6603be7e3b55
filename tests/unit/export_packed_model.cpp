// The contents of a packed file as the exporter makes them.
#include <limits>

#include "export/packed_model.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "tbn/runtime.h"

using namespace tbn;

TEST_CASE("an exported file's test vectors hold what the trained graph computes") {
  const Model trained = test::random_trained(test::odd_network(), 1);
  const Model packed = pack_model(trained);
  const PackedFile file =
      make_packed_file(packed, {{"tbn.accuracy", "91"}}, example_inputs(packed.graph, 3));
  REQUIRE(file.test_vectors);
  const auto input = file.test_vectors->input.values<float>();
  const auto output = file.test_vectors->output.values<float>();
  REQUIRE(output.size() == 3 * 5);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto expected = test::naive_eval(trained, input.subspan(i * 234, 234));
    CHECK(test::relative_error(output.subspan(i * 5, 5), expected) < 1e-4);
  }
  CHECK(file.features == std::vector<std::string>{"binary", "tiled"});
  CHECK(file.metadata.at("tbn.accuracy") == "91");
}

TEST_CASE("a float network needs no feature, and no vectors are stored where none are asked for") {
  GraphBuilder b("net");
  const Model packed = pack_model(test::random_trained(b.finish(b.input({3}).linear(2)), 1));
  const PackedFile file = make_packed_file(packed, {}, example_inputs(packed.graph, 0));
  CHECK(file.features.empty());
  CHECK_FALSE(file.test_vectors);
}

TEST_CASE("the same model exports to the same bytes, and loads back as it was") {
  const test::TempDir folder;
  const Model packed = pack_model(test::random_trained(test::odd_network(), 2));
  const auto make = [&] {
    return make_packed_file(packed, {{"tbn.producer", "a test"}}, example_inputs(packed.graph, 2));
  };
  CHECK(serialize_packed(make()) == serialize_packed(make()));
  write_packed(folder / "m.tbn", make());
  const auto network = Network::load(folder / "m.tbn");
  CHECK(network->graph() == packed.graph);
  CHECK(network->tensors() == packed.tensors);
}

TEST_CASE("example inputs are whole pixels, many different ones") {
  const Graph graph = test::odd_network();
  const HostTensor inputs = example_inputs(graph, 4);
  CHECK(inputs.shape() == Shape{4, 2, 13, 9});
  CHECK(inputs == example_inputs(graph, 4));
  int seen[256] = {};
  for (const float value : inputs.values<float>()) {
    REQUIRE((value >= 0 && value <= 255 && value == static_cast<float>(static_cast<int>(value))));
    ++seen[static_cast<int>(value)];
  }
  int different = 0;
  for (const int count : seen) different += count > 0 ? 1 : 0;
  CHECK(different > 200);
}

TEST_CASE("a training graph and overflowing answers are not exported") {
  const Model trained = test::random_trained(test::odd_network(), 1);
  CHECK(test::says(test::message_of<DataError>([&] { make_packed_file(trained, {}); }),
                   {"packed model: ", "not in a packed network"}));
  GraphBuilder b("net");
  Model huge = test::random_packed(b.finish(b.input({1}).linear(1).linear(1)), 1);
  for (const char* name : {"linear1.weight", "linear2.weight"}) {
    huge.tensors.at(name).values<float>()[0] = std::numeric_limits<float>::max();
  }
  CHECK(test::says(test::message_of<NonFiniteError>(
                       [&] { make_packed_file(huge, {}, example_inputs(huge.graph, 2)); }),
                   {"inf", "test vector"}));
}
