// The integer form: close to the float one, fixed-point numbers as specified, hostile ranges.
#include <algorithm>
#include <cmath>
#include <limits>

#include "micro/float_run.h"
#include "micro/integer.h"
#include "micro/lower.h"
#include "micro/ranges.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/micro_cases.h"
#include "support/random_model.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

struct Calibrated {
  micro::Network network;
  micro::Ranges ranges;
  std::vector<std::vector<float>> images;  // channels last
};

Calibrated calibrated(const Model& packed, std::int64_t count) {
  Calibrated result{.network = micro::lower(packed)};
  const std::vector<float> images = random_images(packed.graph, count, 3);
  for (std::int64_t i = 0; i < count; ++i) {
    result.images.push_back(micro::channels_last(result.network.input,
                                                 images.data() + i * result.network.input.size()));
    micro::observe_ranges(result.network, result.images.back(), result.ranges);
  }
  return result;
}

}  // namespace

TEST_CASE("micro: scaled() divides the whole product and rounds down") {
  for (const std::int64_t sum :
       {0L, 1L, -1L, 32767L, 32768L, -32768L, 199920L, -199921L, 1L << 29}) {
    for (const std::int64_t gain : {0L, 1L, -1L, 16384L, 32767L, -32767L}) {
      const auto exact = static_cast<std::int64_t>(
          std::floor(static_cast<double>(sum) * static_cast<double>(gain) / 32768));
      CHECK(micro::scaled(static_cast<std::int32_t>(sum), static_cast<std::int32_t>(gain)) ==
            exact);
    }
  }
}

TEST_CASE("micro: pixels keep their bytes where one line normalises them") {
  GraphBuilder b("net");
  Value x = b.input({1, 4, 4}).normalize({33}, {78});
  const Graph graph = b.finish(x.conv(2, {.kernel = 3, .weights = binary()}).flatten());
  const Calibrated c = calibrated(random_packed(graph, 1), 2);
  const micro::IntegerNetwork integers = micro::quantize(c.network, c.ranges);
  CHECK(std::get<micro::IntegerScale>(integers.actions[0]).identity);
  CHECK(integers.quantities[1].zero == 33);
  // What padding holds, so that it counts as 0.
  CHECK(std::get<micro::IntegerLayer>(integers.actions[1]).zero_in == 33);
}

TEST_CASE("micro: without biases and with a zero of 0 a tile has its scalars alone") {
  GraphBuilder b("net");
  Value x = b.input({1, 28, 28}).flatten();
  x = x.linear(128, {.bias = false, .weights = tiled(4)}).relu();
  const Graph graph = b.finish(x.linear(10, {.bias = false, .weights = binary()}));
  const Calibrated c = calibrated(random_packed(graph, 1), 2);
  const micro::IntegerNetwork integers = micro::quantize(c.network, c.ranges);
  const auto& first = std::get<micro::IntegerLayer>(integers.actions[0]);
  CHECK(first.out.gains.size() == 4);
  CHECK(first.out.biases.empty());
}

TEST_CASE("micro: floats for the int8 form, and scalars beyond 32 bits, are refused") {
  GraphBuilder floats("series");
  const Graph series = floats.finish(floats.input({8}).linear(2, {.weights = binary()}));
  const Calibrated c = calibrated(random_packed(series, 1), 1);
  CHECK(says(message_of<ConfigError>([&] { micro::quantize(c.network, c.ranges); }),
             {"takes floats"}));

  GraphBuilder b("net");
  Value x = b.input({1, 2, 2}).flatten().linear(2, {.weights = binary()});
  Model packed = random_packed(b.finish(x), 1);
  packed.tensors.at("linear1.alpha").values<float>()[0] = 1e-9f;
  packed.tensors.at("linear1.bias").values<float>()[0] = 1e9f;
  const Calibrated huge = calibrated(packed, 1);
  CHECK(says(message_of<ConfigError>([&] { micro::quantize(huge.network, huge.ranges); }),
             {"too large for 32-bit integers"}));
}

TEST_CASE("micro: values that are not finite are refused, not quantised") {
  GraphBuilder tiny("tiny");
  Value x = tiny.input({1, 2, 2}).normalize({1}, {1e-45f}).flatten();
  const Model packed = random_packed(tiny.finish(x.linear(2, {.weights = binary()})), 1);
  CHECK(says(message_of<ConfigError>([&] { micro::lower(packed); }),
             {"normalize", "too large for float arithmetic"}));

  GraphBuilder b("net");
  const Model whole =
      random_packed(b.finish(b.input({1, 2, 2}).flatten().linear(2, {.weights = binary()})), 1);
  Calibrated c = calibrated(whole, 1);
  c.ranges[1].high = std::numeric_limits<float>::infinity();
  CHECK(says(message_of<ConfigError>([&] { micro::quantize(c.network, c.ranges); }),
             {"no finite numbers"}));
}

TEST_CASE("micro: ranges survive their text, and what is none is refused") {
  const micro::Ranges ranges = {{-1.25f, 3.5f}, {0, 0}};
  CHECK(micro::ranges_from_json(micro::to_json(ranges), 2, "file") == ranges);
  for (const char* text : {"", "[]", "{}", "[[0,1]]", "[[0,1],[2]]", "[[0,1],[2,1]]",
                           "[[0,1],[0,1e99]]", "[[0,1],[\"a\",1]]", "[[0,1],[0,1],[0,1]]"}) {
    INFO(text);
    CHECK(says(message_of<DataError>([&] { micro::ranges_from_json(text, 2, "file"); }),
               {"file: tbn.calibration"}));
  }
}
