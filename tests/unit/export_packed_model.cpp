// The contents of a packed file as the exporter makes them.
#include <limits>
#include <thread>

#include "export/packed_model.h"
#include "graph/passes/half_scalars.h"
#include "graph/passes/passes.h"
#include "graph/passes/units.h"
#include "support/allocations.h"
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

namespace {

// A packed network of every feature that concerns test vectors: scalars in half precision, units.
std::vector<Model> packed_models() {
  std::vector<Model> models = {pack_model(test::random_trained(test::odd_network(), 2))};
  models.push_back(models.front());
  narrow_scalars(models.back(), "m");
  GraphBuilder b("series");
  models.push_back(pack_model(test::random_trained(b.finish(b.input({6, 2}).linear(2)), 3)));
  add_units(models.back(), {.mean = {100, -3}, .deviation = {25, 0.5}}, "m");
  return models;
}

}  // namespace

TEST_CASE("a compact file is smaller, is the same network with the same test vectors, and back") {
  for (const Model& packed : packed_models()) {
    CAPTURE(packed.graph.name);
    const PackedFile plain =
        make_packed_file(packed, {{"tbn.producer", "a test"}}, example_inputs(packed, 3));
    PackedFile file = plain;
    make_compact(file, "m.tbn");
    CHECK(is_compact(file));
    CHECK(file.test_vectors->generator == "example-1");
    CHECK(serialize_packed(file).size() < serialize_packed(plain).size());
    const PackedFile parsed = parse_packed(serialize_packed(file), "m.tbn");
    CHECK(parsed == file);

    const auto before = Network::parse(serialize_packed(plain), "m.tbn");
    const auto after = Network::parse(serialize_packed(file), "m.tbn");
    CHECK(after->graph() == before->graph());
    CHECK(after->tensors() == before->tensors());
    CHECK(after->verify_input() == before->verify_input());
    CHECK(after->verify_output() == before->verify_output());

    PackedFile again = file;
    make_compact(again, "m.tbn");
    CHECK(again == file);
    make_plain(again, "m.tbn");
    CHECK(again == plain);
    CHECK(serialize_packed(again) == serialize_packed(plain));
  }
}

TEST_CASE("a compact file keeps inputs that no generator makes") {
  const Model packed = pack_model(test::random_trained(test::odd_network(), 2));
  HostTensor input = example_inputs(packed, 1);
  input.values<float>()[7] += 1;
  PackedFile file = make_packed_file(packed, {}, input);
  make_compact(file, "m.tbn");
  CHECK(file.features == std::vector<std::string>{"binary", "compact", "tiled"});
  CHECK(Network::parse(serialize_packed(file), "m.tbn")->verify_input() == input);
}

TEST_CASE("a compact file keeps inputs that are more than the limit on memory") {
  const Limits limits{.memory_bytes = 1 << 20};
  const Model packed = pack_model(test::random_trained(test::odd_network(), 2));
  const HostTensor input = example_inputs(packed, 1'200);  // 936 bytes each
  PackedFile file = make_packed_file(packed, {}, input, limits);
  make_compact(file, "m.tbn", limits);
  CHECK(file.features == std::vector<std::string>{"binary", "compact", "tiled"});
  CHECK(Network::parse(serialize_packed(file), "m.tbn", limits)->verify_input() == input);
}

TEST_CASE("loading makes no inputs of test vectors") {
  GraphBuilder b("net");
  const Graph graph = b.finish(b.input({3, 224, 224}).global_avg_pool().linear(1));
  const Model packed = pack_model(test::random_trained(graph, 2));
  PackedFile file = make_packed_file(packed, {}, example_inputs(packed, 1));
  make_compact(file, "m.tbn");
  file.test_vectors->output = HostTensor(DType::kF32, {3'566, 1});  // inputs of nearly 2 GiB
  const std::vector<std::byte> bytes = serialize_packed(file);
  CHECK(bytes.size() < 20'000);
  const std::int64_t before = test::allocated_bytes();
  const auto network = Network::parse(bytes, "m.tbn");
  CHECK(network->verify_output().shape() == Shape{3'566, 1});
  CHECK(test::allocated_bytes() - before < 1'000'000);
}

TEST_CASE("generated inputs are made once, for all who share the network") {
  const Model packed = pack_model(test::random_trained(test::odd_network(), 2));
  PackedFile file = make_packed_file(packed, {}, example_inputs(packed, 2));
  make_compact(file, "m.tbn");
  const auto network = Network::parse(serialize_packed(file), "m.tbn");
  std::vector<const HostTensor*> seen(4, nullptr);
  std::vector<std::thread> threads;
  for (const HostTensor*& each : seen) {
    threads.emplace_back([&] { each = &network->verify_input(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const HostTensor* each : seen) {
    CHECK(each == seen.front());
    CHECK(*each == example_inputs(packed, 2));
  }
}

TEST_CASE("an unknown generator is refused, and one that would fill the memory where it is used") {
  const Model packed = pack_model(test::random_trained(test::odd_network(), 2));
  PackedFile file = make_packed_file(packed, {}, example_inputs(packed, 2));
  make_compact(file, "m.tbn");
  const auto refused = [&] {
    return test::message_of<DataError>([&] { Network::parse(serialize_packed(file), "m.tbn"); });
  };
  const PackedFile sound = file;
  file.test_vectors->generator = "example-2";
  CHECK(refused() ==
        "m.tbn: its test vectors are made by the generator 'example-2', which this tbn does not "
        "know; upgrade tbn, or export the file with --layout plain");
  file = sound;
  file.test_vectors->output = HostTensor(DType::kF32, {2'000, 5});
  const auto network = Network::parse(serialize_packed(file), "m.tbn", {.memory_bytes = 1 << 20});
  for (int i = 0; i < 2; ++i) {
    CHECK(
        test::message_of<DataError>([&] { network->verify_input(); }) ==
        "m.tbn: the inputs of its 2,000 test vectors take more than the limit of 1,048,576 bytes");
  }
  file.test_vectors->output = HostTensor(DType::kF32, {2, 6});
  CHECK(test::says(refused(), {"'verify.output'", "[2, 6]", "[5]"}));
}

TEST_CASE("the generator of test vectors is the one that is specified") {
  GraphBuilder b("net");
  const Graph image = b.finish(b.input({1, 2, 2}).flatten());
  CHECK(example_inputs(image, 1) ==
        HostTensor::of<float>({1, 1, 2, 2}, std::vector<float>{108, 130, 165, 98}));
}
