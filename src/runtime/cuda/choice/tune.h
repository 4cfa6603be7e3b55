// Chooses a layer's kernel by measuring: every one that computes it is checked against the plain
// kernel on random inputs, and then timed.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "runtime/cuda/device/context.h"
#include "runtime/cuda/layer/layer.h"

namespace tbn::cuda {

struct Choice {
  const LayerKernel* kernel = nullptr;
  double microseconds = 0;  // 0: not timed
  std::string rejected;     // kernels whose results were wrong, separated by spaces
};

struct TuneCache {
  std::map<std::pair<LayerShape, Precision>, Choice> choices;
};

// `data` has the layer's weights, gain and bias. Results of equal shapes are kept in the context.
// Where the device's memory is too small to try, by rules of thumb.
Choice choose_by_time(const LayerShape& shape, const LayerData& data, Precision precision,
                      Context& context);
// What should be quickest for the shape.
Choice choose_by_rule(const LayerShape& shape, Precision precision, const Context& context);
// That kernel where it computes the layer, else by rule. Throws ConfigError where there is none of
// that name.
Choice choose_by_name(const std::string& name, const LayerShape& shape, Precision precision,
                      const Context& context);

}  // namespace tbn::cuda
