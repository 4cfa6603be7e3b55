// Single packed layers of random tiles, to be timed warm and cold.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tbn/runtime.h"

namespace tbn::app {

// A packed network of one tiled layer without bias, an input for it, and its dense weights.
struct PackedLayer {
  std::shared_ptr<const Network> network;
  std::vector<float> input;
  std::vector<float> weights() const;  // [n, m...]
};

// `layer`: a training graph of one linear or conv2d. The same seed gives the same bits.
PackedLayer random_layer(const Graph& layer, std::uint32_t seed);

}  // namespace tbn::app
