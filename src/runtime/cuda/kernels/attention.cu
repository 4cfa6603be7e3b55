// softmax(Q K^T / sqrt(d) + bias) V in each head, over all tokens or within windows. A warp a query
// walks the keys in order and keeps the largest score, the sum of the exponentials and the weighted
// sum of the values so far: no scores are stored, so that memory does not grow with them.
#include <cmath>

#include "runtime/cuda/launch.h"
#include "runtime/cuda/ops.h"
#include "runtime/cuda/precision.h"

namespace tbn::cuda {
namespace {

constexpr int kValuesOfLane = 4;  // of an output; wider heads are cut, and their scores repeated
constexpr int kColumns = kWarp * kValuesOfLane;

struct Heads {
  int heads, width;  // features of a head
  int tokens;        // of a window
  int windows;       // 1 where every token sees every other
  int row;           // from token to token of queries, keys and values
  float scale;
  int window, shift, grid_h, grid_w;  // window 0: none
  const float* bias;                  // [offsets, heads], or null
  __host__ __device__ int pieces() const { return (width + kColumns - 1) / kColumns; }
};

// Place i of a window in the rolled image, and the token that the roll brought there.
struct Place {
  int y, x;
};
__device__ __forceinline__ Place place_of(const Heads& h, int window, int i) {
  const int across = h.grid_w / h.window;
  return {window / across * h.window + i / h.window, window % across * h.window + i % h.window};
}
__device__ __forceinline__ int token_at(const Heads& h, int window, int i) {
  if (h.window == 0) return i;
  const Place p = place_of(h, window, i);
  return (p.y + h.shift) % h.grid_h * h.grid_w + (p.x + h.shift) % h.grid_w;
}
// Pixels that only the roll made neighbours are of different regions.
__device__ __forceinline__ int region_at(const Heads& h, int window, int i) {
  if (h.shift == 0) return 0;
  const Place p = place_of(h, window, i);
  return (p.y >= h.grid_h - h.shift ? 2 : 0) + (p.x >= h.grid_w - h.shift ? 1 : 0);
}
__device__ __forceinline__ float bias_of(const Heads& h, int head, int i, int j) {
  if (h.bias == nullptr) return 0;
  const int w = h.window, dy = i / w - j / w, dx = i % w - j % w;
  return h.bias[((dy + w - 1) * (2 * w - 1) + dx + w - 1) * h.heads + head];
}

// Of one query, head and piece of the head's columns.
struct Work {
  int piece, query, head, window;
  std::int64_t example;
};
__device__ __forceinline__ Work work_of(const Heads& h, std::int64_t i) {
  Work work;
  work.piece = static_cast<int>(i % h.pieces());
  i /= h.pieces();
  work.query = static_cast<int>(i % h.tokens);
  i /= h.tokens;
  work.head = static_cast<int>(i % h.heads);
  i /= h.heads;
  work.window = static_cast<int>(i % h.windows);
  work.example = i / h.windows;
  return work;
}

template <class T>
__device__ float dot(const T* a, const T* b, int width, int lane) {
  float sum = 0;
  for (int c = lane; c < width; c += kWarp) sum += to_float(a[c]) * to_float(b[c]);
  return warp_sum(sum);
}

template <class T>
__device__ void attend(const Heads& h, const Work& work, const T* q, const T* k, const T* v, T* y) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const std::int64_t all = std::int64_t{h.tokens} * h.windows;
  const std::int64_t first = work.example * all * h.row + std::int64_t{work.head} * h.width;
  const int own = token_at(h, work.window, work.query);
  const int region = region_at(h, work.window, work.query);
  float largest = -INFINITY, sum = 0, values[kValuesOfLane] = {};
  for (int j = 0; j < h.tokens; ++j) {
    if (region_at(h, work.window, j) != region) continue;
    const std::int64_t key = first + std::int64_t{token_at(h, work.window, j)} * h.row;
    const float score =
        dot(q + first + std::int64_t{own} * h.row, k + key, h.width, lane) * h.scale +
        bias_of(h, work.head, work.query, j);
    const float before = largest;
    largest = fmaxf(largest, score);
    const float fade = expf(before - largest), weight = expf(score - largest);
    sum = sum * fade + weight;
    for (int n = 0; n < kValuesOfLane; ++n) {
      const int c = work.piece * kColumns + n * kWarp + lane;
      if (c < h.width) values[n] = values[n] * fade + weight * to_float(v[key + c]);
    }
  }
  T* out = y + (work.example * all + own) * h.heads * h.width + std::int64_t{work.head} * h.width;
  for (int n = 0; n < kValuesOfLane; ++n) {
    const int c = work.piece * kColumns + n * kWarp + lane;
    if (c < h.width) out[c] = from_float<T>(values[n] / sum);
  }
}

template <class T>
__global__ void __launch_bounds__(256)
    attention(const T* q, const T* k, const T* v, T* y, std::int64_t works, Heads heads) {
  for (std::int64_t i = first_index() / kWarp; i < works; i += index_step() / kWarp) {
    attend(heads, work_of(heads, i), q, k, v, y);
  }
}

Heads heads_of(const Attention& op, std::size_t inputs, const Shape& output) {
  const auto tokens = static_cast<int>(op.window == 0 ? output[0] : op.window * op.window);
  const auto width = static_cast<int>(output[1] / op.heads);
  return {.heads = static_cast<int>(op.heads),
          .width = width,
          .tokens = tokens,
          .windows = static_cast<int>(output[0]) / tokens,
          .row = static_cast<int>(inputs == 1 ? 3 * output[1] : output[1]),
          .scale = 1.0f / sqrtf(static_cast<float>(width)),
          .window = static_cast<int>(op.window),
          .shift = static_cast<int>(op.shift),
          .grid_h = static_cast<int>(op.grid.h),
          .grid_w = static_cast<int>(op.grid.w),
          .bias = nullptr};
}

}  // namespace

Step make_attention(const StepContext& context, const Attention& op,
                    std::span<const float> relative_bias, std::size_t inputs, const Shape& output) {
  Heads heads = heads_of(op, inputs, output);
  if (op.relative_bias) heads.bias = context.tables.keep(relative_bias);
  return {.run = [heads, inputs, features = output[1],
                  precision = context.precision](const Call& call) {
    const std::int64_t works =
        call.batch * heads.windows * heads.heads * heads.tokens * heads.pieces();
    if (works == 0) return;
    with_type(precision, [&]<class T>(T*) {
      // One input holds queries, keys and values side by side.
      const auto input = [&](std::size_t which) {
        return inputs == 1 ? static_cast<const T*>(call.inputs[0]) +
                                 static_cast<std::int64_t>(which) * features
                           : static_cast<const T*>(call.inputs[which]);
      };
      launch("attention", attention<T>, grid_over(works * kWarp), call.stream, input(0), input(1),
             input(2), static_cast<T*>(call.output), works, heads);
    });
  }};
}

}  // namespace tbn::cuda
