// Single dense layers in LibTorch, as rivals of packed ones, and the exact product that both are
// checked against. No LibTorch type in this header.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tbn/graph.h"

namespace tbn {

// The answer in float64 of a graph that is one linear or conv2d layer without bias, of dense
// weights [n, m...] to one example.
std::vector<double> layer_answer(const Graph& layer, std::span<const float> weights,
                                 std::span<const float> input);

struct LayerRival {
  std::string name;        // "LibTorch fp32, oneDNN prepacked"
  std::int64_t bytes = 0;  // of the weights and the input of one copy
  // Makes a copy with weights and an input of its own, and returns a call of it.
  std::function<std::function<void()>()> copy;
};

// Of the layer's forms that compute it: the quickest in float, and the quickest in int8 where this
// LibTorch has one.
std::vector<LayerRival> layer_rivals(const Graph& layer, int threads);

}  // namespace tbn
