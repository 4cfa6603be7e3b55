// softmax(Q K^T / sqrt(d) + bias) V in each head, over all tokens or within windows, as two
// products of matrices for a few queries at a time.
//
// A window's keys in one head are copied transposed and scaled, [d, n], and its values as [n, d],
// with rows of whole registers.
#include <algorithm>
#include <limits>
#include <memory>

#include "runtime/cpu/common/attention_geometry.h"
#include "runtime/cpu/fast/kernel.h"

namespace tbn::fast {
namespace {

constexpr std::int64_t kQueries = 24;  // at a time

class FastAttention {
 public:
  FastAttention(const Isa& isa, const cpu::AttentionGeometry& plan)
      : ops_(*isa.floats), plan_(plan), n_(padded(plan.tokens())), d_(padded(plan.width())) {}

  Kernel kernel(const std::shared_ptr<const FastAttention>& self) const {
    return {
        .scratch_values = 2 * n_ + plan_.width() * n_ + plan_.tokens() * d_ + kQueries * (n_ + d_),
        .part = [self](const Buffers& b, std::int64_t part) { self->part(b, part); },
        .parts = plan_.windows() * plan_.heads(),
        .name = "floats"};
  }

 private:
  std::int64_t padded(std::int64_t count) const {
    return (count + ops_.lanes - 1) / ops_.lanes * ops_.lanes;
  }

  // One head of one window.
  void part(const Buffers& b, std::int64_t part) const {
    const std::int64_t window = part / plan_.heads(), head = part % plan_.heads();
    float* regions = b.scratch;
    float* keys = regions + n_;                    // [width, n]
    float* values = keys + plan_.width() * n_;     // [tokens, d]
    float* scores = values + plan_.tokens() * d_;  // [queries, n]
    float* outputs = scores + kQueries * n_;       // [queries, d]
    plan_.list_regions(window, regions);
    copy_rows(b, window, head, keys, values);
    for (std::int64_t first = 0; first < plan_.tokens(); first += kQueries) {
      const std::int64_t count = std::min(kQueries, plan_.tokens() - first);
      score(b, window, head, first, count, keys, scores);
      for (std::int64_t i = 0; i < count; ++i) {
        float* row = scores + i * n_;
        plan_.adjust(head, first + i, regions, row);
        std::fill(row + plan_.tokens(), row + n_, -std::numeric_limits<float>::infinity());
        ops_.softmax(row, n_);
      }
      average(count, scores, values, outputs);
      for (std::int64_t i = 0; i < count; ++i) {
        std::copy_n(
            outputs + i * d_, plan_.width(),
            b.output + plan_.token(window, first + i) * plan_.features() + head * plan_.width());
      }
    }
  }

  void copy_rows(const Buffers& b, std::int64_t window, std::int64_t head, float* keys,
                 float* values) const {
    const std::int64_t width = plan_.width();
    const cpu::HeadRows k = plan_.rows(b, 1, head), v = plan_.rows(b, 2, head);
    for (std::int64_t c = 0; c < width; ++c) {
      std::fill(keys + c * n_ + plan_.tokens(), keys + (c + 1) * n_, 0.0f);
    }
    if (plan_.in_order()) {
      ops_.transpose(k.data, plan_.tokens(), width, k.stride, keys, n_);
    } else {
      for (std::int64_t j = 0; j < plan_.tokens(); ++j) {
        ops_.transpose(k.at(plan_.token(window, j)), 1, width, 0, keys + j, n_);
      }
    }
    for (std::int64_t i = 0; i < width * n_; ++i) keys[i] *= plan_.scale();
    for (std::int64_t j = 0; j < plan_.tokens(); ++j) {
      std::copy_n(v.at(plan_.token(window, j)), width, values + j * d_);
      std::fill_n(values + j * d_ + width, d_ - width, 0.0f);
    }
  }

  // scores [count, n] of queries [first, first + count) of a window.
  void score(const Buffers& b, std::int64_t window, std::int64_t head, std::int64_t first,
             std::int64_t count, const float* keys, float* scores) const {
    const cpu::HeadRows queries = plan_.rows(b, 0, head);
    std::int64_t at[kQueries];
    for (std::int64_t i = 0; i < count; ++i) {
      at[i] = plan_.token(window, first + i) * queries.stride;
    }
    multiply(keys, n_, plan_.width(), queries.data, {at, count}, scores);
  }

  // outputs [count, d] = scores [count, n] values [n, d].
  void average(std::int64_t count, const float* scores, const float* values, float* outputs) const {
    std::int64_t at[kQueries];
    for (std::int64_t i = 0; i < count; ++i) at[i] = i * n_;
    multiply(values, d_, plan_.tokens(), scores, {at, count}, outputs);
  }

  // y [rows, columns] = x [rows, terms] matrix [terms, columns], columns of whole registers.
  void multiply(const float* matrix, std::int64_t columns, std::int64_t terms, const float* x,
                Places rows, float* y) const {
    for (std::int64_t c = 0; c < columns; c += ops_.columns) {
      ops_.multiply(matrix + c, columns, std::min<std::int64_t>(ops_.columns, columns - c),
                    {1, terms, 0}, x, rows, y + c, columns);
    }
  }

  const FloatOps& ops_;
  cpu::AttentionGeometry plan_;
  std::int64_t n_;  // tokens of a window, in whole registers
  std::int64_t d_;  // features of a head, in whole registers
};

}  // namespace

Kernel make_attention(const Isa& isa, const Attention& op, std::span<const float> relative_bias,
                      std::size_t inputs, const Shape& output) {
  const auto kernel = std::make_shared<const FastAttention>(
      isa, cpu::AttentionGeometry(op, relative_bias, inputs, output));
  return kernel->kernel(kernel);
}

}  // namespace tbn::fast
