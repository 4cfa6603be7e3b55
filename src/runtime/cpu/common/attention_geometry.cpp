// Windows, shifts and relative positions (Swin, Liu et al. 2021).
#include "runtime/cpu/common/attention_geometry.h"

#include <cmath>
#include <limits>

namespace tbn::cpu {

AttentionGeometry::AttentionGeometry(const Attention& op, std::span<const float> relative_bias,
                                     std::size_t inputs, const Shape& output)
    : op_(op),
      size_(attention_scratch(op, output)),
      features_(output[1]),
      stacked_(inputs == 1),
      windows_(output[0] / size_.tokens),
      scale_(1.0f / std::sqrt(static_cast<float>(size_.width))) {
  // Backwards, so that the offsets ascend with the keys.
  const auto heads = static_cast<std::size_t>(op.heads);
  const std::size_t offsets = relative_bias.size() / heads;
  for (std::size_t h = 0; h < heads; ++h) {
    for (std::size_t o = offsets; o-- > 0;) bias_.push_back(relative_bias[o * heads + h]);
  }
}

// Row and column of place i of a window in the rolled image.
Size2 AttentionGeometry::rolled_place(std::int64_t window, std::int64_t i) const {
  const std::int64_t across = op_.grid.w / op_.window;
  return {window / across * op_.window + i / op_.window,
          window % across * op_.window + i % op_.window};
}

std::int64_t AttentionGeometry::token(std::int64_t window, std::int64_t i) const {
  if (op_.window == 0) return i;
  const Size2 place = rolled_place(window, i);
  return (place.h + op_.shift) % op_.grid.h * op_.grid.w + (place.w + op_.shift) % op_.grid.w;
}

HeadRows AttentionGeometry::rows(const Buffers& b, std::size_t which, std::int64_t head) const {
  const std::int64_t first = head * size_.width;
  if (!stacked_) return {b.inputs[which] + first, features_};
  return {b.inputs[0] + static_cast<std::int64_t>(which) * features_ + first, 3 * features_};
}

void AttentionGeometry::list_regions(std::int64_t window, float* regions) const {
  if (op_.shift == 0) return;
  for (std::int64_t i = 0; i < size_.tokens; ++i) {
    const Size2 place = rolled_place(window, i);
    const int below = place.h >= op_.grid.h - op_.shift ? 2 : 0;
    const int beyond = place.w >= op_.grid.w - op_.shift ? 1 : 0;
    regions[i] = static_cast<float>(below + beyond);
  }
}

void AttentionGeometry::adjust(std::int64_t head, std::int64_t i, const float* regions,
                               float* scores) const {
  if (op_.relative_bias) add_bias(head, i, scores);
  if (op_.shift == 0) return;
  const float own = regions[i];
  for (std::int64_t j = 0; j < size_.tokens; ++j) {
    scores[j] = regions[j] == own ? scores[j] : -std::numeric_limits<float>::infinity();
  }
}

// scores[j] += table[(dy + w - 1) (2 w - 1) + dx + w - 1][head], (dy, dx) place i minus place j.
void AttentionGeometry::add_bias(std::int64_t head, std::int64_t i, float* scores) const {
  const std::int64_t w = op_.window;
  const std::int64_t side = 2 * w - 1;
  const float* backwards = bias_.data() + head * side * side;
  for (std::int64_t y = 0; y < w; ++y) {
    // Backwards, key (y, x) is at row y - i_y + w - 1 and column x - i_x + w - 1.
    const float* row = backwards + (y - i / w + w - 1) * side + w - 1 - i % w;
    for (std::int64_t x = 0; x < w; ++x) scores[y * w + x] += row[x];
  }
}

}  // namespace tbn::cpu
