// softmax(Q K^T / sqrt(d) + bias) V in each head, over all tokens or within windows.
//
// A window's keys in one head are first copied transposed, [d, n], and its values as [n, d]; then
// the scores of one query against all keys, and the sum of the values, are contiguous runs. Only
// one query's scores exist at a time, so that memory grows with the tokens, not with their square.
#include <algorithm>
#include <limits>

#include "runtime/cpu/common/attention_geometry.h"
#include "runtime/cpu/common/vector_math.h"
#include "runtime/cpu/reference/accumulate.h"
#include "runtime/cpu/reference/kernel.h"

namespace tbn::reference {

namespace {

// values[i] = exp(values[i] - largest) / sum.
void softmax(float* values, std::int64_t count) {
  float largest = -std::numeric_limits<float>::infinity();
  for (std::int64_t i = 0; i < count; ++i) largest = std::max(largest, values[i]);
  float sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    values[i] = cpu::vector_exp(values[i] - largest);
    sum += values[i];
  }
  const float factor = 1.0f / sum;
  for (std::int64_t i = 0; i < count; ++i) values[i] *= factor;
}

void run_head(const cpu::AttentionGeometry& plan, const Buffers& b, std::int64_t window,
              std::int64_t head) {
  const std::int64_t n = plan.tokens();
  const std::int64_t d = plan.width();
  const float* regions = b.scratch;
  float* scores = b.scratch + n;
  float* keys = scores + n;      // [d, n]
  float* values = keys + d * n;  // [n, d]
  const cpu::HeadRows queries = plan.rows(b, 0, head);
  const cpu::HeadRows k = plan.rows(b, 1, head);
  const cpu::HeadRows v = plan.rows(b, 2, head);
  for (std::int64_t j = 0; j < n; ++j) {
    const std::int64_t t = plan.token(window, j);
    for (std::int64_t c = 0; c < d; ++c) keys[c * n + j] = k.at(t)[c];
    std::copy_n(v.at(t), d, values + j * d);
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t t = plan.token(window, i);
    accumulate_rows({queries.at(t), static_cast<std::size_t>(d)}, keys, scores, n);
    for (std::int64_t j = 0; j < n; ++j) scores[j] *= plan.scale();
    plan.adjust(head, i, regions, scores);
    softmax(scores, n);
    accumulate_rows({scores, static_cast<std::size_t>(n)}, values,
                    b.output + t * plan.features() + head * d, d);
  }
}

}  // namespace

Kernel make_attention(const Attention& op, std::span<const float> relative_bias, std::size_t inputs,
                      const Shape& output) {
  return {.run =
              [plan = cpu::AttentionGeometry(op, relative_bias, inputs, output)](const Buffers& b) {
                for (std::int64_t window = 0; window < plan.windows(); ++window) {
                  plan.list_regions(window, b.scratch);
                  for (std::int64_t head = 0; head < plan.heads(); ++head) {
                    run_head(plan, b, window, head);
                  }
                }
              },
          .scratch_values = attention_scratch(op, output).values()};
}

}  // namespace tbn::reference
