// Where the values of a network lie in the one arena of a microcontroller, by liveness.
#pragma once

#include <cstdint>
#include <vector>

#include "micro/network.h"

namespace tbn::micro {

struct Arena {
  std::vector<std::int64_t> offsets;  // of the values, in bytes, multiples of 4
  std::vector<std::int64_t> scratch;  // of each step's working memory
  // Bytes of values and working memory that are alive at each step, each of whole words. `bytes` is
  // the most of them, or a little more where no order that was tried leaves no gaps.
  std::vector<std::int64_t> live;
  std::int64_t bytes = 0;
};

// `value_bytes` and `scratch_bytes` say how much each value and each step needs. Steps that read
// each place only to write it (sums, scales, activations) write over an input that dies with them.
// The same network gives the same plan.
Arena plan_arena(const Network& network, const std::vector<std::int64_t>& value_bytes,
                 const std::vector<std::int64_t>& scratch_bytes);

}  // namespace tbn::micro
