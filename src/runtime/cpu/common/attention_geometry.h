// Which tokens attend to each other, and what is added to their scores: what the kernels of an
// attention share.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/cpu/common/kernel.h"
#include "runtime/plan/packed_ops.h"
#include "tbn/ops.h"

namespace tbn::cpu {

// Rows of one head among the features of all: token t is at data + t * stride.
struct HeadRows {
  const float* data = nullptr;
  std::int64_t stride = 0;
  const float* at(std::int64_t token) const { return data + token * stride; }
};

class AttentionGeometry {
 public:
  // `relative_bias` [offsets, heads] is empty where the op has none; `inputs` is 1 or 3.
  AttentionGeometry(const Attention& op, std::span<const float> relative_bias, std::size_t inputs,
                    const Shape& output);

  std::int64_t heads() const { return op_.heads; }
  std::int64_t windows() const { return windows_; }
  std::int64_t tokens() const { return size_.tokens; }  // of one window
  std::int64_t width() const { return size_.width; }    // of a head
  std::int64_t features() const { return features_; }
  bool in_order() const { return op_.window == 0; }  // token i of the window is token i
  float scale() const { return scale_; }             // of the scores, 1 / sqrt(width)

  // The token at place i of a window: rolled(y, x) = image((y + shift) mod h, (x + shift) mod w).
  std::int64_t token(std::int64_t window, std::int64_t i) const;
  // Queries (0), keys (1) or values (2) of one head.
  HeadRows rows(const Buffers& b, std::size_t which, std::int64_t head) const;
  // regions[i] = which part of the image place i came from, where windows are shifted. Only the
  // windows at the lower and the right edge hold pixels that the roll brought there, the last
  // `shift` rows and columns. Small whole numbers, which floats hold exactly.
  void list_regions(std::int64_t window, float* regions) const;
  // To the scores of place i against all others: the relative bias, and minus infinity for those
  // of other regions.
  void adjust(std::int64_t head, std::int64_t i, const float* regions, float* scores) const;

 private:
  Size2 rolled_place(std::int64_t window, std::int64_t i) const;
  void add_bias(std::int64_t head, std::int64_t i, float* scores) const;

  Attention op_;
  AttentionScratch size_;
  std::int64_t features_;
  bool stacked_;  // one input holds queries, keys and values
  std::int64_t windows_;
  float scale_;
  std::vector<float> bias_;  // [heads, offsets], the offsets backwards
};

}  // namespace tbn::cpu
