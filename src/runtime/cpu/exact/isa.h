// What the instructions differ in. The files of one instruction set include this header and no
// other of ours or of the standard library with inline functions: the linker might take their copy,
// made with instructions that another processor lacks, for the whole program.
#pragma once

#include <cstdint>

namespace tbn::exact {

enum : std::int64_t {
  kLanes = 16,       // rows a block
  kGroupBlocks = 8,  // blocks that are summed at once, each with its sum in a register
};

// Prepared rows of signs, see SignSums.
struct SignWords {
  const std::uint32_t* words;
  const std::int32_t* offsets;
  std::int64_t patterns;
  std::int64_t words_a_row;
  std::int64_t blocks;
};

// One way to compute: the instructions and what they want of the tables.
struct Isa {
  const char* name;
  int bits;             // inputs a pattern
  int patterns_a_word;  // 30 / bits
  std::int64_t table;   // floats, 2^bits

  // The tables of ceil(count / bits) groups; input k is x[k * stride], and those past the last 0.
  void (*build)(const float* x, std::int64_t stride, std::int64_t count, float* tables);
  // sums[r] for all blocks of rows; pattern i looks into base + offsets[i].
  void (*add)(const SignWords& weights, const float* base, float* sums);
};

extern const Isa kAvx512;
extern const Isa kAvx2;

}  // namespace tbn::exact
