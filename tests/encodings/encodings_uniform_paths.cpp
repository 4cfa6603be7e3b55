// Integers of every width through everything that runs them: a packed file and its reader, the
// backends of the processor, the lowered network in float and in bytes, and the C that is written.
#include <algorithm>
#include <cmath>

#include "export/c_source.h"
#include "export/packed_model.h"
#include "graph/passes/passes.h"
#include "micro/float_run.h"
#include "micro/integer.h"
#include "micro/lower.h"
#include "support/catch.h"
#include "support/micro_cases.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "tbn/file.h"
#include "tbn/runtime.h"

using namespace tbn;

namespace {

// A network whose layers are all of integers, one of each kind, some before norms.
Graph network_of(std::int64_t bits) {
  GraphBuilder b("net");
  const WeightEncoding weights = uniform(bits);
  Value x = b.input({3, 9, 8}).normalize({120, 110, 130}, {70, 60, 65});
  x = x.conv(12, {.kernel = 3, .weights = weights}).batch_norm().relu();
  x = x.conv(12, {.kernel = 3, .groups = 12, .bias = true, .weights = weights}).relu();
  x = (x.conv(12, {.bias = true, .weights = weights}) + x).relu();
  x = x.conv(10, {.kernel = 3, .stride = 2, .weights = weights}).batch_norm().relu().flatten();
  return b.finish(x.linear(7, {.weights = weights}));
}

// Times the largest output.
double worst_error(const std::vector<float>& a, const std::vector<double>& b) {
  double worst = 0, most = 0;
  for (std::size_t i = 0; i < b.size(); ++i) {
    worst = std::max(worst, std::abs(a[i] - b[i]));
    most = std::max(most, std::abs(b[i]));
  }
  return worst / most;
}

template <class F>
void each_width(F f) {
  for (std::int64_t bits = 2; bits <= 8; ++bits) {
    CAPTURE(bits);
    const Model packed = pack_model(test::random_trained(network_of(bits), 5));
    f(packed, test::random_images(packed.graph, 1, 7));
  }
}

}  // namespace

TEST_CASE("files of integers of every width run on every backend of the processor") {
  each_width([](const Model& packed, const std::vector<float>& image) {
    const std::vector<double> wanted = test::naive_eval(packed, image);
    const auto network = Network::parse(serialize_packed(make_packed_file(packed, {})), "file");
    for (const Backend backend : kBackends) {
      CAPTURE(to_string(backend));
      std::vector<float> output(wanted.size());
      Session(network, {.backend = backend}).run(image, 1, output);
      CHECK(worst_error(output, wanted) < (backend == Backend::kInt8 ? 0.05 : 2e-5));
    }
  });
}

TEST_CASE("micro: networks of integers of every width run in float and in bytes") {
  each_width([](const Model& packed, const std::vector<float>& image) {
    const micro::Network network = micro::lower(packed);
    const auto input = micro::channels_last(network.input, image.data());
    const std::vector<double> wanted = test::naive_eval(packed, image);
    CHECK(worst_error(micro::run_floats(network, input), wanted) < 2e-5);

    micro::Ranges ranges;
    micro::observe_ranges(network, input, ranges);
    const micro::IntegerNetwork integers = micro::quantize(network, ranges);
    REQUIRE(integers.logits);
    std::vector<float> logits;
    for (const std::int32_t sum :
         micro::run_integers(integers, std::vector<std::uint8_t>(input.begin(), input.end()))) {
      logits.push_back(static_cast<float>(integers.logit_scale * sum));
    }
    CHECK(worst_error(logits, wanted) < 0.08);

    // One byte per weight in both forms, whatever the width.
    for (const CSource& source : {c_source(integers, "net"), c_source_f32(network, "net")}) {
      CHECK(source.weights() == 12 * 27 + 12 * 9 + 12 * 12 + 10 * 108 + 7 * 200);
    }
  });
}
