// Scalars in half precision: what becomes of a network that is packed with them, over the zoo.
#include "graph/passes/half_scalars.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "base/half.h"
#include "export/packed_model.h"
#include "graph/passes/passes.h"
#include "graph/passes/units.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "support/zoo_cases.h"
#include "tbn/error.h"
#include "tbn/file.h"
#include "tbn/models.h"
#include "tbn/policy.h"
#include "tbn/runtime.h"

using namespace tbn;
using test::relative_error;

namespace {

std::vector<float> answer(const std::shared_ptr<const Network>& network, Backend backend) {
  std::vector<float> output(network->verify_output().values<float>().size());
  const std::int64_t count = network->verify_input().shape().front();
  Session(network, {.backend = backend})
      .run(network->verify_input().values<float>(), count, output);
  return output;
}

Model packed_case(const ModelSpec& spec, std::int64_t p, std::uint64_t seed) {
  Graph graph = build_model(spec);
  apply_policy(graph, {.standard = tiled(p)});
  return pack_model(test::random_trained(std::move(graph), seed));
}

// The forecaster [8, 2] -> [4, 2] in units that half precision does not hold.
Model with_units() {
  GraphBuilder b("forecaster");
  const Value x = b.input({8, 2}).transpose().linear(4, {.weights = tiled(2)}).transpose();
  Model packed = pack_model(test::random_trained(b.finish(x), 3));
  add_units(packed, {.mean = {1e6, 1e-9}, .deviation = {3e5, 7e-9}}, "m");
  return packed;
}

}  // namespace

TEST_CASE(
    "every family packs with halves: smaller, nearly the same answers, and one on all backends") {
  std::uint64_t seed = 40;
  for (const ModelSpec& spec : test::zoo_cases()) {
    for (const std::int64_t p : {1, 4}) {
      CAPTURE(spec.type, p);
      Model packed = packed_case(spec, p, ++seed);
      const HostTensor inputs = example_inputs(packed, 2);
      const PackedFile full = make_packed_file(packed, {}, inputs);
      narrow_scalars(packed, "m");
      const PackedFile file = make_packed_file(packed, {}, inputs);
      CHECK(std::ranges::count(file.features, "f16") == 1);
      CHECK(std::ranges::count(full.features, "f16") == 0);
      const std::vector<std::byte> bytes = serialize_packed(file);
      CHECK(bytes.size() < serialize_packed(full).size());

      const auto network = Network::parse(bytes, "m.tbn");
      Model widened_model = packed;
      widen_scalars(widened_model);
      CHECK(network->tensors() == widened_model.tensors);
      const auto exact = answer(network, Backend::kExact);
      const std::span<const float> stored = network->verify_output().values<float>();
      CHECK(HostTensor::of<float>(network->verify_output().shape(), exact) ==
            network->verify_output());
      CHECK(relative_error(answer(network, Backend::kReference),
                           std::vector<double>(stored.begin(), stored.end())) < 1e-4);
      const std::span<const float> before = full.test_vectors->output.values<float>();
      CHECK(relative_error(exact, std::vector<double>(before.begin(), before.end())) < 2e-2);
    }
  }
}

TEST_CASE("what is rounded is scalars, biases and norms, and nothing else") {
  for (const ModelSpec& spec : test::zoo_cases()) {
    CAPTURE(spec.type);
    const Model full = packed_case(spec, 2, 7);
    Model halves = full;
    narrow_scalars(halves, "m");
    for (const auto& [name, tensor] : full.tensors) {
      CAPTURE(name);
      const std::string suffix = name.substr(name.rfind('.') + 1);
      const bool is_norm = suffix == "weight" && tensor.shape().size() == 1;
      const bool half = suffix == "alpha" || suffix == "scale" || suffix == "bias" || is_norm;
      CHECK(halves.tensors.at(name) == (half ? narrowed(tensor) : tensor));
    }
  }
}

TEST_CASE("a forecaster's units stay in single precision, and are found again") {
  Model packed = with_units();
  const auto units = units_of(packed);
  narrow_scalars(packed, "m");
  CHECK(packed.tensors.at("output_units.scale").dtype() == DType::kF32);
  CHECK(packed.tensors.at("linear1.bias").dtype() == DType::kF16);
  const PackedFile file = make_packed_file(packed, {}, example_inputs(packed, 1));
  CHECK(file.features == std::vector<std::string>{"f16", "tiled", "units"});
  const auto network = Network::parse(serialize_packed(file), "m.tbn");
  CHECK(units_of(network->graph(), network->tensors()) == units);
}

TEST_CASE("a value beyond half precision is refused by its tensor, and the largest is not") {
  Model packed = packed_case(test::zoo_cases().front(), 4, 9);
  const auto bias = std::ranges::find_if(
      packed.tensors, [](const auto& entry) { return entry.first.ends_with(".bias"); });
  REQUIRE(bias != packed.tensors.end());
  bias->second.values<float>()[0] = -65519.9f;
  Model fits = packed;
  CHECK_NOTHROW(narrow_scalars(fits, "m"));
  bias->second.values<float>()[0] = -65520;
  CHECK(test::message_of<ConfigError>([&] { narrow_scalars(packed, "'m.tbn'"); }) ==
        "'m.tbn': tensor '" + bias->first +
            "' holds -65520, and numbers in half precision end at 65,504; export with --scalars "
            "f32");
}
