// A network as C99: const arrays, straight calls of the kernels in tbn_micro.h and one static
// arena. Nothing is parsed and nothing allocated where it runs.
//
//   const micro::Network network = micro::lower(packed);
//   CSource source = c_source(micro::quantize(network, ranges), "mnist_mlp");
//   // source.header is mnist_mlp.h, source.source mnist_mlp.c
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "micro/integer.h"

namespace tbn {

// What a step takes on the microcontroller.
struct CStepCost {
  std::string name;              // of the graph's node
  std::string kernel;            // "tbn_conv2d"
  std::int64_t weights = 0;      // bytes of tiles, dense weights and tables
  std::int64_t scalars = 0;      // bytes of gains, biases and alphas
  std::int64_t descriptors = 0;  // bytes of the structs that hold sizes, on 32-bit processors
  std::int64_t multiply_adds = 0;
  std::int64_t live_bytes = 0;  // of the arena that hold what this or a later step reads or writes
};

struct CSource {
  std::string header;
  std::string source;
  std::vector<CStepCost> steps;
  std::int64_t arena_bytes = 0;  // with the input; the stack comes on top

  std::int64_t weights() const;
  std::int64_t scalars() const;
  std::int64_t flash_bytes() const;  // constants; the code's size is the compiler's
};

// `name` begins every symbol and file; is_c_name (c_text.h) says what it may be.
CSource c_source(const micro::IntegerNetwork& network, std::string_view name);
CSource c_source_f32(const micro::Network& network, std::string_view name);

}  // namespace tbn
