// softmax(Q K^T / sqrt(d) + bias) V in each head, over all tokens or within windows. One warp per
// query walks the keys in order and keeps the largest score, the sum of the exponentials and the
// weighted sum of the values so far: no scores are stored, so that memory does not grow with them.
#include <cfloat>

#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/kernels/attention.h"

namespace tbn::cuda {
namespace {

constexpr int kValuesOfLane = 4;  // of an output; wider heads are cut, and their scores repeated
constexpr int kColumns = kWarp * kValuesOfLane;

__host__ __device__ inline int pieces(const AttentionShape& h) {
  return (h.width + kColumns - 1) / kColumns;
}

// Place i of a window in the rolled image, and the token that the roll brought there.
struct Place {
  int y, x;
};
__device__ __forceinline__ Place place_of(const AttentionShape& h, int window, int i) {
  const int across = h.grid_w / h.window;
  return {window / across * h.window + i / h.window, window % across * h.window + i % h.window};
}
__device__ __forceinline__ int token_at(const AttentionShape& h, int window, int i) {
  if (h.window == 0) return i;
  const Place p = place_of(h, window, i);
  return (p.y + h.shift) % h.grid_h * h.grid_w + (p.x + h.shift) % h.grid_w;
}
// Pixels that only the roll made neighbours are of different regions.
__device__ __forceinline__ int region_at(const AttentionShape& h, int window, int i) {
  if (h.shift == 0) return 0;
  const Place p = place_of(h, window, i);
  return (p.y >= h.grid_h - h.shift ? 2 : 0) + (p.x >= h.grid_w - h.shift ? 1 : 0);
}
__device__ __forceinline__ float bias_of(const AttentionShape& h, const float* bias, int head,
                                         int i, int j) {
  if (bias == nullptr) return 0;
  const int w = h.window, dy = i / w - j / w, dx = i % w - j % w;
  return bias[((dy + w - 1) * (2 * w - 1) + dx + w - 1) * h.heads + head];
}

// What a thread computes: one piece of the columns of one query and head.
struct Work {
  int piece, query, head, window;
  std::int64_t example;
};
__device__ __forceinline__ Work work_of(const AttentionShape& h, std::int64_t i) {
  Work work;
  work.piece = static_cast<int>(i % pieces(h));
  i /= pieces(h);
  work.query = static_cast<int>(i % h.tokens);
  i /= h.tokens;
  work.head = static_cast<int>(i % h.heads);
  i /= h.heads;
  work.window = static_cast<int>(i % h.windows());
  work.example = i / h.windows();
  return work;
}

template <class T>
__device__ float dot(const T* a, const T* b, int width, int lane) {
  float sum = 0;
  for (int c = lane; c < width; c += kWarp) sum += to_float(a[c]) * to_float(b[c]);
  return warp_sum(sum);
}

template <class T>
__device__ void attend(const AttentionShape& h, const AttentionData& data, const Work& work) {
  const auto* q = static_cast<const T*>(data.queries);
  const auto* k = static_cast<const T*>(data.keys);
  const auto* v = static_cast<const T*>(data.values);
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const std::int64_t all = std::int64_t{h.tokens} * h.windows();
  const std::int64_t first =
      work.example * all * h.input_stride + std::int64_t{work.head} * h.width;
  const int own = token_at(h, work.window, work.query);
  const int region = region_at(h, work.window, work.query);
  // Not minus infinity, from which a first score that is as small differs by what is no number.
  float largest = -FLT_MAX, sum = 0, values[kValuesOfLane] = {};
  for (int j = 0; j < h.tokens; ++j) {
    if (region_at(h, work.window, j) != region) continue;
    const std::int64_t key = first + std::int64_t{token_at(h, work.window, j)} * h.input_stride;
    const float score =
        dot(q + first + std::int64_t{own} * h.input_stride, k + key, h.width, lane) * h.scale +
        bias_of(h, data.relative_bias, work.head, work.query, j);
    const float before = largest;
    largest = fmaxf(largest, score);
    const float fade = expf(before - largest), weight = expf(score - largest);
    sum = sum * fade + weight;
    for (int n = 0; n < kValuesOfLane; ++n) {
      const int c = work.piece * kColumns + n * kWarp + lane;
      if (c < h.width) values[n] = values[n] * fade + weight * to_float(v[key + c]);
    }
  }
  T* out = static_cast<T*>(data.y) + (work.example * all + own) * h.output_stride +
           std::int64_t{work.head} * h.width;
  for (int n = 0; n < kValuesOfLane; ++n) {
    const int c = work.piece * kColumns + n * kWarp + lane;
    if (c < h.width) out[c] = from_float<T>(values[n] / sum);
  }
}

template <class T>
__global__ void __launch_bounds__(256)
    attention(AttentionShape shape, AttentionData data, std::int64_t works) {
  for (std::int64_t i = first_index() / kWarp; i < works; i += index_step() / kWarp) {
    attend<T>(shape, data, work_of(shape, i));
  }
}

}  // namespace

void launch_attention_plain(const AttentionShape& shape, const AttentionData& data,
                            Precision precision, cudaStream_t stream) {
  const std::int64_t works =
      std::int64_t{shape.batch} * shape.windows() * shape.heads * shape.tokens * pieces(shape);
  if (works == 0) return;
  with_type(precision, [&]<class T>(T*) {
    launch("attention", attention<T>, grid_over(works * kWarp), stream, shape, data, works);
  });
}

}  // namespace tbn::cuda
