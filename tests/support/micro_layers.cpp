#include "support/micro_layers.h"

#include <functional>

#include "graph/passes/passes.h"
#include "support/random_model.h"

namespace tbn::test {

namespace {

// Where a layer stands: its outputs and inputs per output, and how it is built.
struct Place {
  std::string name;
  std::int64_t outputs;
  std::int64_t inputs;
  std::function<Value(GraphBuilder&, WeightEncoding, bool bias)> build;
};

// Bytes that mean their distance from 90, so that padding is no byte of 0.
Value pixels(GraphBuilder& b, const Shape& shape) {
  const auto channels = static_cast<std::size_t>(shape[0]);
  return b.input(shape).normalize(std::vector<float>(channels, 90),
                                  std::vector<float>(channels, 60));
}

Place linear_place(std::string name, std::int64_t inputs,
                   const std::function<Value(GraphBuilder&)>& input) {
  return {std::move(name), 10, inputs, [input](GraphBuilder& b, WeightEncoding weights, bool bias) {
            return input(b).linear(10, {.bias = bias, .weights = weights});
          }};
}

Place conv_place(std::string name, const Shape& image, Conv2d conv) {
  const std::int64_t inputs = image[0] / conv.groups * conv.kernel.h * conv.kernel.w;
  return {std::move(name), conv.out_channels, inputs,
          [image, conv](GraphBuilder& b, WeightEncoding weights, bool bias) {
            Conv2d own = conv;
            own.weights = weights;
            own.bias = bias;
            return pixels(b, image).conv(own.out_channels, own);
          }};
}

std::vector<Place> places() {
  return {
      linear_place("vector", 14, [](GraphBuilder& b) { return b.input({14}); }),
      linear_place("sequence", 14,
                   [](GraphBuilder& b) {
                     return b.input({3, 14});
                   }),
      linear_place("flat_sequence", 20,
                   [](GraphBuilder& b) {
                     return b.input({4, 5}).flatten();
                   }),
      linear_place("flat_image", 36,
                   [](GraphBuilder& b) {
                     return pixels(b, {3, 4, 3}).flatten();
                   }),
      linear_place("flat_row", 33,
                   [](GraphBuilder& b) {
                     return pixels(b, {1, 3, 11}).flatten();
                   }),
      // The vector has another reader than linear layers, so the values themselves are reordered.
      linear_place("reordered", 36,
                   [](GraphBuilder& b) {
                     return pixels(b, {3, 4, 3}).flatten().relu();
                   }),
      conv_place("conv", {4, 5, 4}, {.out_channels = 10, .kernel = 3}),
      conv_place("strided", {3, 7, 6},
                 {.out_channels = 10, .kernel = {2, 3}, .stride = {2, 1}, .padding = 0}),
      conv_place("pointwise", {14, 2, 3}, {.out_channels = 10, .kernel = 1}),
      conv_place("pixel", {14, 1, 1}, {.out_channels = 10, .kernel = 1}),
      conv_place("depthwise", {16, 4, 5}, {.out_channels = 16, .kernel = 3, .groups = 16}),
      conv_place("depthwise_twice", {6, 5, 4},
                 {.out_channels = 12, .kernel = {3, 5}, .padding = {1, 2}, .groups = 6}),
  };
}

struct Form {
  std::string name;
  WeightEncoding weights;
};

// The smallest factor above `least` that cuts rows and leaves whole bits; 0: there is none.
std::int64_t flat_factor(const Place& place, std::int64_t least) {
  const std::int64_t weights = place.outputs * place.inputs;
  for (std::int64_t p = least + 1; p <= weights; ++p) {
    if (weights % p == 0 && place.outputs % p != 0) return p;
  }
  return 0;
}

std::vector<Form> forms(const Place& place) {
  std::vector<Form> all = {{"float", FloatWeights{}}};
  for (const AlphaScope alpha : {AlphaScope::kTile, AlphaScope::kLayer, AlphaScope::kOutput}) {
    const auto add = [&](std::int64_t p, TileOrder order) {
      all.push_back({"p" + std::to_string(p) + "_" + std::string(to_string(alpha)) + "_" +
                         std::string(to_string(order)),
                     TiledWeights{.p = p, .alpha = alpha, .order = order}});
    };
    add(1, TileOrder::kRepeat);
    for (const std::int64_t p : {std::int64_t{2}, place.outputs}) {
      add(p, TileOrder::kRepeat);
      add(p, TileOrder::kInterleave);
    }
    // Fewer slices than outputs, more, and tiles of one bit.
    const std::int64_t weights = place.outputs * place.inputs;
    for (const std::int64_t least : {std::int64_t{1}, place.outputs, weights - 1}) {
      if (const std::int64_t p = flat_factor(place, least); p > 0) add(p, TileOrder::kRepeat);
    }
  }
  return all;
}

struct Ending {
  std::string name;
  bool bias;
  std::function<Value(Value)> build;
};

std::vector<Ending> endings() {
  const auto gelu = [](Value x) { return x.gelu(); };
  return {
      {"alone", false, [](Value x) { return x; }},
      {"bias", true, [](Value x) { return x; }},
      {"norm", false, [](Value x) { return x.batch_norm(); }},
      {"bias_norm_relu", true, [](Value x) { return x.batch_norm().relu(); }},
      {"bias_gelu", true, gelu},
  };
}

}  // namespace

std::vector<MicroCase> micro_layers() {
  std::vector<MicroCase> cases;
  const auto add = [&](const Place& place, const Form& form) {
    for (const Ending& ending : endings()) {
      GraphBuilder b("layer");
      const Value y = ending.build(place.build(b, form.weights, ending.bias));
      const auto seed = static_cast<std::uint64_t>(cases.size() + 1);
      cases.push_back({place.name + "_" + form.name + "_" + ending.name,
                       pack_model(random_trained(b.finish(y), seed))});
    }
  };
  for (const Place& place : places()) {
    for (const Form& form : forms(place)) add(place, form);
  }
  for (const Place& place : places()) {
    for (const std::int64_t bits : {2, 5, 8}) {
      add(place, {"uniform" + std::to_string(bits), uniform(bits)});
    }
  }
  return cases;
}

}  // namespace tbn::test
