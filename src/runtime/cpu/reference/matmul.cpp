// Products of two values of the network, and a square one plus the identity.
#include <algorithm>

#include "runtime/cpu/reference/accumulate.h"
#include "runtime/cpu/reference/kernel.h"

namespace tbn::reference {

Kernel make_matmul(const Shape& left, const Shape& right) {
  const std::int64_t rows = left[0];
  const std::int64_t terms = left[1];
  const std::int64_t columns = right[1];
  return {.run = [=](const Buffers& b) {
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::span<const float> row(b.inputs[0] + i * terms, static_cast<std::size_t>(terms));
      accumulate_rows(row, b.inputs[1], b.output + i * columns, columns);
    }
  }};
}

Kernel make_add_identity(const Shape& shape) {
  const std::int64_t size = shape[0];
  return {.run = [=](const Buffers& b) {
    if (b.output != b.inputs[0]) std::copy_n(b.inputs[0], size * size, b.output);
    for (std::int64_t i = 0; i < size; ++i) b.output[i * (size + 1)] += 1.0f;
  }};
}

}  // namespace tbn::reference
