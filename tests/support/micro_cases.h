// Small networks with everything that microcontrollers run, in odd sizes: the tests of the lowered
// forms and of the exported C go through them.
#pragma once

#include <string>
#include <vector>

#include "tbn/model.h"

namespace tbn::test {

struct MicroCase {
  std::string name;  // a name for C
  Model packed;      // with random tensors
};

// Of images.
std::vector<MicroCase> micro_cases();

// `count` images [C, H, W] of bytes as floats, channels first; other inputs alike.
std::vector<float> random_images(const Graph& graph, std::int64_t count, std::uint64_t seed);

}  // namespace tbn::test
