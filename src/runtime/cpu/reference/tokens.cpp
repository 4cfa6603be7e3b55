// Ops on sequences [T, F]: learned tokens and places, and sums over the tokens.
#include <algorithm>
#include <vector>

#include "runtime/cpu/reference/kernel.h"
#include "runtime/plan/sinusoidal.h"

namespace tbn::reference {

namespace {

void add_row(const float* __restrict x, float* __restrict sums, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) sums[i] += x[i];
}

// Adds the row `times` times; nothing at 0, where an infinite value times 0 would not be 0.
void add_repeated(const float* __restrict x, std::int64_t times, float* __restrict sums,
                  std::int64_t count) {
  if (times <= 0) return;
  const auto factor = static_cast<float>(times);
  for (std::int64_t i = 0; i < count; ++i) sums[i] += factor * x[i];
}

// A value that is not a number stays one.
void maximum_row(const float* __restrict x, float* __restrict best, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i)
    best[i] = x[i] > best[i] || x[i] != x[i] ? x[i] : best[i];
}

void divide_row(float* values, float divisor, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) values[i] /= divisor;
}

}  // namespace

Kernel make_class_token(std::span<const float> token, const Shape& input) {
  const std::int64_t count = element_count(input);
  return {.run = [count, token = std::vector<float>(token.begin(), token.end())](const Buffers& b) {
    std::copy_n(b.inputs[0], count, std::copy(token.begin(), token.end(), b.output));
  }};
}

Kernel make_position_embedding(std::span<const float> table, const Shape& shape) {
  std::vector<float> rows = table.empty() ? sinusoidal_table(shape[0], shape[1])
                                          : std::vector<float>(table.begin(), table.end());
  return {.run = [rows = std::move(rows)](const Buffers& b) {
    for (std::size_t i = 0; i < rows.size(); ++i) b.output[i] = b.inputs[0][i] + rows[i];
  }};
}

Kernel make_sequence_pool(const SequencePool& op, const Shape& input) {
  const std::int64_t tokens = input[0];
  const std::int64_t features = input[1];
  return {.run = [=](const Buffers& b) {
    std::copy_n(b.inputs[0], features, b.output);
    const auto fold = op.kind == PoolKind::kMax ? maximum_row : add_row;
    for (std::int64_t t = 1; t < tokens; ++t) fold(b.inputs[0] + t * features, b.output, features);
    if (op.kind == PoolKind::kMean) divide_row(b.output, static_cast<float>(tokens), features);
  }};
}

Kernel make_moving_average(const MovingAverage& op, const Shape& shape) {
  const std::int64_t rows = shape[0];
  const std::int64_t columns = shape[1];
  const std::int64_t half = op.kernel / 2;
  return {.run = [=](const Buffers& b) {
    const float* x = b.inputs[0];
    for (std::int64_t t = 0; t < rows; ++t) {
      float* y = b.output + t * columns;
      std::fill_n(y, columns, 0.0f);
      // The first and the last row stand for the neighbours beyond the ends.
      const std::int64_t last = rows - 1;
      add_repeated(x, half - t, y, columns);
      add_repeated(x + last * columns, t + half - last, y, columns);
      const std::int64_t end = std::min(t + half, last);
      for (std::int64_t k = std::max<std::int64_t>(t - half, 0); k <= end; ++k) {
        add_row(x + k * columns, y, columns);
      }
      divide_row(y, static_cast<float>(op.kernel), columns);
    }
  }};
}

}  // namespace tbn::reference
