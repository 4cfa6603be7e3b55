// softmax(Q K^T / sqrt(d) + bias) V in each head, over all tokens or within windows.
//
// A window's keys in one head are first copied transposed, [d, n], and its values as [n, d]; then
// the scores of one query against all keys, and the sum of the values, are contiguous runs. Only
// one query's scores exist at a time, so that memory grows with the tokens, not with their square.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "runtime/cpu/reference/accumulate.h"
#include "runtime/cpu/reference/kernel.h"
#include "runtime/cpu/reference/vector_math.h"
#include "runtime/packed_ops.h"

namespace tbn::reference {

namespace {

// Rows of one head among the features of all: token t is at data + t * stride.
struct Rows {
  const float* data = nullptr;
  std::int64_t stride = 0;
  const float* at(std::int64_t token) const { return data + token * stride; }
};

// values[i] = exp(values[i] - largest) / sum.
void softmax(float* values, std::int64_t count) {
  float largest = -std::numeric_limits<float>::infinity();
  for (std::int64_t i = 0; i < count; ++i) largest = std::max(largest, values[i]);
  float sum = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    values[i] = vector_exp(values[i] - largest);
    sum += values[i];
  }
  const float factor = 1.0f / sum;
  for (std::int64_t i = 0; i < count; ++i) values[i] *= factor;
}

class AttentionPlan {
 public:
  AttentionPlan(const Attention& op, std::span<const float> relative_bias, std::size_t inputs,
                const Shape& output)
      : op_(op),
        size_(attention_scratch(op, output)),
        features_(output[1]),
        stacked_(inputs == 1),
        windows_(output[0] / size_.tokens),
        scale_(1.0f / std::sqrt(static_cast<float>(size_.width))) {
    // [heads, offsets] with the offsets backwards, so that they ascend with the keys.
    const auto heads = static_cast<std::size_t>(op.heads);
    const std::size_t offsets = relative_bias.size() / heads;
    for (std::size_t h = 0; h < heads; ++h) {
      for (std::size_t o = offsets; o-- > 0;) bias_.push_back(relative_bias[o * heads + h]);
    }
  }

  std::int64_t scratch_values() const { return size_.values(); }

  void run(const Buffers& b) const {
    for (std::int64_t window = 0; window < windows_; ++window) {
      list_regions(window, b.scratch);
      for (std::int64_t head = 0; head < op_.heads; ++head) run_head(b, window, head);
    }
  }

 private:
  // Row and column of place i of a window in the rolled image.
  Size2 rolled_place(std::int64_t window, std::int64_t i) const {
    const std::int64_t across = op_.grid.w / op_.window;
    return {window / across * op_.window + i / op_.window,
            window % across * op_.window + i % op_.window};
  }

  // The token at place i of a window: rolled(y, x) = image((y + shift) mod h, (x + shift) mod w).
  std::int64_t token(std::int64_t window, std::int64_t i) const {
    if (op_.window == 0) return i;
    const Size2 place = rolled_place(window, i);
    return (place.h + op_.shift) % op_.grid.h * op_.grid.w + (place.w + op_.shift) % op_.grid.w;
  }

  // regions[i] = which part of the image place i came from. Only the windows at the lower and the
  // right edge hold pixels that the roll brought there, the last `shift` rows and columns. Small
  // whole numbers, which floats hold exactly.
  void list_regions(std::int64_t window, float* regions) const {
    if (op_.shift == 0) return;
    for (std::int64_t i = 0; i < size_.tokens; ++i) {
      const Size2 place = rolled_place(window, i);
      const int below = place.h >= op_.grid.h - op_.shift ? 2 : 0;
      const int beyond = place.w >= op_.grid.w - op_.shift ? 1 : 0;
      regions[i] = static_cast<float>(below + beyond);
    }
  }

  // Queries (0), keys (1) or values (2) of one head.
  Rows rows(const Buffers& b, std::int64_t which, std::int64_t head) const {
    const std::int64_t first = head * size_.width;
    if (stacked_) return {b.inputs[0] + which * features_ + first, 3 * features_};
    return {b.inputs[static_cast<std::size_t>(which)] + first, features_};
  }

  void run_head(const Buffers& b, std::int64_t window, std::int64_t head) const {
    const std::int64_t n = size_.tokens;
    const std::int64_t d = size_.width;
    const float* regions = b.scratch;
    float* scores = b.scratch + n;
    float* keys = scores + n;      // [d, n]
    float* values = keys + d * n;  // [n, d]
    const Rows queries = rows(b, 0, head);
    const Rows k = rows(b, 1, head);
    const Rows v = rows(b, 2, head);
    for (std::int64_t j = 0; j < n; ++j) {
      const std::int64_t t = token(window, j);
      for (std::int64_t c = 0; c < d; ++c) keys[c * n + j] = k.at(t)[c];
      std::copy_n(v.at(t), d, values + j * d);
    }
    for (std::int64_t i = 0; i < n; ++i) {
      const std::int64_t t = token(window, i);
      accumulate_rows({queries.at(t), static_cast<std::size_t>(d)}, keys, scores, n);
      for (std::int64_t j = 0; j < n; ++j) scores[j] *= scale_;
      if (op_.relative_bias) add_bias(head, i, scores);
      if (op_.shift != 0) hide_other_regions(regions, i, scores);
      softmax(scores, n);
      accumulate_rows({scores, static_cast<std::size_t>(n)}, values,
                      b.output + t * features_ + head * d, d);
    }
  }

  // scores[j] += table[(dy + w - 1) (2 w - 1) + dx + w - 1][head], (dy, dx) place i minus place j.
  void add_bias(std::int64_t head, std::int64_t i, float* scores) const {
    const std::int64_t w = op_.window;
    const std::int64_t side = 2 * w - 1;
    const float* backwards = bias_.data() + head * side * side;
    for (std::int64_t y = 0; y < w; ++y) {
      // Backwards, key (y, x) is at row y - i_y + w - 1 and column x - i_x + w - 1.
      const float* row = backwards + (y - i / w + w - 1) * side + w - 1 - i % w;
      for (std::int64_t x = 0; x < w; ++x) scores[y * w + x] += row[x];
    }
  }

  void hide_other_regions(const float* regions, std::int64_t i, float* scores) const {
    const float own = regions[i];
    for (std::int64_t j = 0; j < size_.tokens; ++j) {
      scores[j] = regions[j] == own ? scores[j] : -std::numeric_limits<float>::infinity();
    }
  }

  Attention op_;
  AttentionScratch size_;
  std::int64_t features_;
  bool stacked_;  // one input holds queries, keys and values
  std::int64_t windows_;
  float scale_;
  std::vector<float> bias_;
};

}  // namespace

Kernel make_attention(const Attention& op, std::span<const float> relative_bias, std::size_t inputs,
                      const Shape& output) {
  AttentionPlan plan(op, relative_bias, inputs, output);
  const std::int64_t scratch = plan.scratch_values();
  return {.run = [plan = std::move(plan)](const Buffers& b) { plan.run(b); },
          .scratch_values = scratch};
}

}  // namespace tbn::reference
