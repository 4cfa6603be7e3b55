// Networks with random tensors, for tests that compare two ways to compute the same.
#pragma once

#include <cstdint>
#include <vector>

#include "tbn/model.h"

namespace tbn::test {

// Uniform in [low, high); the same seed gives the same values everywhere.
std::vector<float> random_values(std::int64_t count, std::uint64_t seed, double low = -1,
                                 double high = 1);

// Every tensor that the graph needs in training: norms with negative weights too, variances above
// 0.
Model random_trained(Graph graph, std::uint64_t seed);

// Every tensor that the packed graph needs, tiles' padding bits 0.
Model random_packed(Graph graph, std::uint64_t seed);

// A small network in training form with everything that passes can trip over: uneven strides, a
// pool before a norm, a norm whose input is read twice, groups, tiles in flat form, all alpha
// sources, a residual addition, dropout. Input [2, 13, 9] of pixels, 5 outputs.
Graph odd_network();

}  // namespace tbn::test
