// Forecasters with units on the device: what 16 bits cannot hold is normalised before it is
// rounded, and taken back to its units after.
#include <cmath>

#include "cuda/support/sessions.h"
#include "graph/passes/passes.h"
#include "graph/passes/units.h"
#include "support/catch.h"
#include "support/random_model.h"
#include "support/zoo_cases.h"
#include "tbn/policy.h"

using namespace tbn;
using namespace tbn::cuda::test;

namespace {

Model forecaster(const std::string& type) {
  for (const ModelSpec& spec : tbn::test::zoo_cases()) {
    if (spec.type != type || spec.task.output.back() != spec.input.back()) continue;
    Graph graph = build_model(spec);
    apply_policy(graph, {.standard = tiled(2), .rules = {}});
    return pack_model(tbn::test::random_trained(std::move(graph), 3));
  }
  throw std::runtime_error("no case of " + type);
}

// 101,325 with deviation 37 and more: bf16 would step by 512, fp16 ends at 65,504.
Units far_units(std::int64_t columns) {
  Units units;
  for (std::int64_t c = 0; c < columns; ++c) {
    units.mean.push_back(c % 2 == 0 ? 101325 + 7 * static_cast<double>(c) : -3);
    units.deviation.push_back(37 + static_cast<double>(c));
  }
  return units;
}

}  // namespace

TEST_CASE("forecasts in units are those of standardised values, in every precision") {
  for (const std::string type : {"dlinear", "tsmixer", "series_transformer"}) {
    INFO(type);
    Model model = forecaster(type);
    const auto plain = Network::from(model);
    const Units units = far_units(model.graph.input_shape().back());
    add_units(model, units, "test");
    const auto with_units = Network::from(model);
    const std::int64_t batch = 2;
    const std::vector<float> input =
        tbn::test::random_values(batch * element_count(plain->input_shape()), 5, -2, 2);
    std::vector<float> original = input;
    to_original(original, units);
    std::vector<float> rounded = original;  // what single precision leaves of it
    to_standardised(rounded, units);
    for (const Precision precision : {Precision::kFp32, Precision::kFp16, Precision::kBf16}) {
      CAPTURE(static_cast<int>(precision));
      CudaSession expected(plain, quick(precision)), actual(with_units, quick(precision));
      const std::vector<float> wanted = run(expected, rounded, batch);
      std::vector<float> given = run(actual, original, batch);
      to_standardised(given, units);
      double largest = 0;
      double difference = 0;
      for (std::size_t i = 0; i < given.size(); ++i) {
        largest = std::max(largest, std::abs(static_cast<double>(wanted[i])));
        difference = std::max(difference, std::abs(static_cast<double>(given[i]) - wanted[i]));
      }
      // A value near 101,325 is rounded to 1/256, 2e-4 deviations.
      const double rounding = precision == Precision::kFp32 ? 1e-3 : 0x1p-6;
      CHECK(difference < rounding * std::max(1.0, largest));
    }
  }
}
