// Ops that move values without computing: zeros around an image, swapped dimensions, joined and cut
// shapes, repeated rows. Reshape and flatten are copies (elementwise.cpp).
#include <algorithm>
#include <numeric>
#include <vector>

#include "runtime/cpu/reference/kernel.h"

namespace tbn::reference {

namespace {

// The product of the dimensions [begin, end) of a shape.
std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  const auto at = [&](std::size_t i) { return shape.begin() + static_cast<std::ptrdiff_t>(i); };
  return std::accumulate(at(begin), at(end), std::int64_t{1}, std::multiplies<>());
}

}  // namespace

Kernel make_pad2d(const Pad2d& op, const Shape& input, const Shape& output) {
  return {.run = [=](const Buffers& b) {
    std::fill_n(b.output, element_count(output), 0.0f);
    for (std::int64_t c = 0; c < input[0]; ++c) {
      for (std::int64_t y = 0; y < input[1]; ++y) {
        std::copy_n(b.inputs[0] + (c * input[1] + y) * input[2], input[2],
                    b.output + (c * output[1] + op.top + y) * output[2] + op.left);
      }
    }
  }};
}

Kernel make_transpose(const Shape& input) {
  const std::int64_t rows = input[input.size() - 2];
  const std::int64_t columns = input.back();
  const std::int64_t matrices = product(input, 0, input.size() - 2);
  return {.run = [=](const Buffers& b) {
    for (std::int64_t m = 0; m < matrices; ++m) {
      const float* x = b.inputs[0] + m * rows * columns;
      float* y = b.output + m * rows * columns;
      for (std::int64_t c = 0; c < columns; ++c) {
        for (std::int64_t r = 0; r < rows; ++r) y[c * rows + r] = x[r * columns + c];
      }
    }
  }};
}

Kernel make_concat(const Concat& op, const std::vector<Shape>& inputs) {
  const auto axis = static_cast<std::size_t>(op.axis);
  // An input is `runs` runs of contiguous values, and so is the output.
  std::vector<std::int64_t> lengths;
  lengths.reserve(inputs.size());
  for (const Shape& shape : inputs) lengths.push_back(product(shape, axis, shape.size()));
  const std::int64_t runs = product(inputs.front(), 0, axis);
  return {.run = [=](const Buffers& b) {
    float* y = b.output;
    for (std::int64_t run = 0; run < runs; ++run) {
      for (std::size_t i = 0; i < lengths.size(); ++i) {
        y = std::copy_n(b.inputs[i] + run * lengths[i], lengths[i], y);
      }
    }
  }};
}

Kernel make_slice(const Slice& op, const Shape& input) {
  const auto axis = static_cast<std::size_t>(op.axis);
  const std::int64_t entry = product(input, axis + 1, input.size());
  const std::int64_t run_length = input[axis] * entry;
  const std::int64_t runs = product(input, 0, axis);
  return {.run = [=](const Buffers& b) {
    for (std::int64_t run = 0; run < runs; ++run) {
      std::copy_n(b.inputs[0] + run * run_length + op.begin * entry, op.length * entry,
                  b.output + run * op.length * entry);
    }
  }};
}

Kernel make_expand(const Expand& op, const Shape& input) {
  const std::int64_t features = input[0];
  return {.run = [=](const Buffers& b) {
    for (std::int64_t t = 0; t < op.count; ++t) {
      std::copy_n(b.inputs[0], features, b.output + t * features);
    }
  }};
}

}  // namespace tbn::reference
