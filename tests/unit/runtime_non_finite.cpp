// What is not a number, or infinite, must not come out as a finite answer: every op, with every
// backend and instruction set, beside the evaluator in double.
#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/passes/passes.h"
#include "micro/float_run.h"
#include "micro/lower.h"
#include "runtime/cpu/fast/kernel.h"
#include "runtime/cpu/program.h"
#include "support/catch.h"
#include "support/micro_layers.h"
#include "support/naive_eval.h"
#include "support/op_cases.h"
#include "support/random_model.h"
#include "support/run_program.h"

using namespace tbn;
using namespace tbn::test;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// `values` with one of them replaced, in turn the first, one in the middle and the last.
std::vector<std::vector<float>> poisoned(const std::vector<float>& values) {
  std::vector<std::vector<float>> all;
  for (const float poison : {kNaN, kInfinity, -kInfinity}) {
    for (const std::size_t at : {std::size_t{0}, values.size() / 2, values.size() - 1}) {
      all.push_back(values);
      all.back()[at] = poison;
    }
  }
  return all;
}

// How many outputs are finite where `expected` is not, and the other way round.
struct Mismatch {
  int hidden = 0;
  int spread = 0;
};
Mismatch mismatch(const std::vector<float>& out, const std::vector<double>& expected) {
  REQUIRE(out.size() == expected.size());
  Mismatch result;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (std::isfinite(out[i]) && !std::isfinite(expected[i])) ++result.hidden;
    if (!std::isfinite(out[i]) && std::isfinite(expected[i])) ++result.spread;
  }
  return result;
}

// Bytes have one range for a whole image or vector, so that all of it is lost. `spreads`: so it
// does in floats.
void check(const Model& packed, const std::vector<float>& input, bool spreads = false) {
  for (const std::vector<float>& given : poisoned(input)) {
    const std::vector<double> expected = naive_eval(packed, given);
    for (const Backend backend : kBackends) {
      for (const fast::Isa& isa : fast::usable_isas()) {
        CAPTURE(to_string(backend), isa.name);
        const cpu::CpuProgram program(packed.graph, packed.tensors, backend, &isa);
        const Mismatch found = mismatch(run(program, packed.graph, given), expected);
        CHECK(found.hidden == 0);
        if (!spreads && backend != Backend::kInt8) CHECK(found.spread == 0);
      }
    }
  }
}

}  // namespace

TEST_CASE("a value that is not finite stays visible in every op, backend and instruction set") {
  for (const OpCase& c : op_cases()) {
    CAPTURE(op_name(c.op), c.what);
    const Model packed = packed_case(c);
    // The scores of tokens that do not see each other are made and then covered.
    const auto* attention = std::get_if<Attention>(&c.op);
    check(packed, random_values(element_count(packed.graph.input_shape()), 4, -2, 2),
          attention != nullptr && attention->shift > 0);
  }
}

TEST_CASE("a value that is not finite stays visible through a whole network") {
  const Model packed = pack_model(random_trained(odd_network(), 8));
  check(packed, random_values(element_count(packed.graph.input_shape()), 9, 0, 255));
}

TEST_CASE("bytes find a value that is not finite wherever it lies, and large ones are none") {
  for (const fast::Isa& isa : fast::usable_isas()) {
    for (std::size_t at = 0; at < 150; ++at) {
      CAPTURE(isa.name, at);
      std::vector<float> values(150, -2.0f);
      float low = 0, high = 0;
      for (const float poison : {kNaN, kInfinity, -kInfinity}) {
        values[at] = poison;
        isa.bytes->range(values.data(), 150, &low, &high);
        CHECK(std::isnan(high));
      }
      values[at] = std::numeric_limits<float>::max();
      isa.bytes->range(values.data(), 150, &low, &high);
      CHECK(low == -2.0f);
      CHECK(high == std::numeric_limits<float>::max());
    }
  }
}

TEST_CASE("a value that is not finite stays visible in what microcontrollers run in float") {
  for (const MicroCase& micro_case : micro_layers()) {
    CAPTURE(micro_case.name);
    const Model& packed = micro_case.packed;
    const micro::Network lowered = micro::lower(packed);
    const std::vector<float> image = random_images(packed.graph, 1, 5);
    for (const std::vector<float>& given : poisoned(image)) {
      const std::vector<double> expected = naive_eval(packed, given);
      const std::vector<float> out = micro::run_floats(
          lowered, lowered.takes_bytes ? micro::channels_last(lowered.input, given.data()) : given);
      // As many: images lie in another order.
      const auto not_finite = [](const auto& values) {
        return std::count_if(values.begin(), values.end(),
                             [](auto x) { return !std::isfinite(x); });
      };
      CHECK(not_finite(out) == not_finite(expected));
    }
  }
}
