// Each loop is written once as an inlined template and compiled for three x86-64 levels; the best
// that the machine has is chosen when the program starts.
#include "train/tiled/tiled_function_cpu.h"

#include <algorithm>

// Sanitizers are not up yet when the loader chooses between clones.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TBN_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TBN_CLONES
#endif
#define TBN_INLINE static inline __attribute__((always_inline))

namespace tbn::cpu {
namespace {

// Calls body(first, count) over [0, maps) with a constant count where it can: fixed lengths unroll.
template <class Body>
TBN_INLINE void for_blocks(std::int64_t maps, Body body) {
  if (maps % 16 == 0) {
    for (std::int64_t r = 0; r < maps; r += 16) body(r, 16);
  } else if (maps % 8 == 0) {
    for (std::int64_t r = 0; r < maps; r += 8) body(r, 8);
  } else {
    body(0, maps);
  }
}

template <bool kBias, bool kResidual, bool kRelu, class T>
TBN_INLINE void forward_body(const FanOutForward<T>& w, std::int64_t begin, std::int64_t end) {
  const std::int64_t maps = w.shape.maps, outputs = w.shape.copies * maps;
  for (std::int64_t o = begin; o < end; ++o) {
    for (std::int64_t i = 0; i < w.shape.copies; ++i) {
      for_blocks(
          maps, [&](std::int64_t first, std::int64_t count) __attribute__((always_inline)) {
            const T* __restrict u = w.u + o * maps + first;
            const T* __restrict a = w.a + i * maps + first;
            const T* __restrict b = kBias ? w.b + i * maps + first : nullptr;
            const std::int64_t at = o * outputs + i * maps + first;
            const T* __restrict z = kResidual ? w.residual + at : nullptr;
            T* __restrict y = w.y + at;
            for (std::int64_t r = 0; r < count; ++r) {
              T value = a[r] * u[r];
              if constexpr (kBias) value += b[r];
              if constexpr (kResidual) value += z[r];
              if constexpr (kRelu) value = value < T(0) ? T(0) : value;
              y[r] = value;
            }
          });
    }
  }
}

template <class T>
TBN_INLINE void forward_any(const FanOutForward<T>& w, std::int64_t begin, std::int64_t end) {
  if (w.b == nullptr) {
    if (w.residual == nullptr && !w.relu) return forward_body<false, false, false>(w, begin, end);
    if (w.residual == nullptr) return forward_body<false, false, true>(w, begin, end);
    if (!w.relu) return forward_body<false, true, false>(w, begin, end);
    return forward_body<false, true, true>(w, begin, end);
  }
  if (w.residual == nullptr && !w.relu) return forward_body<true, false, false>(w, begin, end);
  if (w.residual == nullptr) return forward_body<true, false, true>(w, begin, end);
  if (!w.relu) return forward_body<true, true, false>(w, begin, end);
  return forward_body<true, true, true>(w, begin, end);
}

template <Mask kMask, bool kKeep, class T>
TBN_INLINE void backward_body(const FanOutBackward<T>& w, std::int64_t begin, std::int64_t end,
                              T* sum_g, T* sum_gu) {
  const std::int64_t maps = w.shape.maps, outputs = w.shape.copies * maps;
  std::fill(sum_g, sum_g + outputs, T(0));
  std::fill(sum_gu, sum_gu + outputs, T(0));
  for (std::int64_t o = begin; o < end; ++o) {
    for (std::int64_t i = 0; i < w.shape.copies; ++i) {
      for_blocks(
          maps, [&](std::int64_t first, std::int64_t count) __attribute__((always_inline)) {
            const std::int64_t at = o * outputs + i * maps + first;
            const T* dy = w.dy + at;
            const T* __restrict y = kMask == Mask::kResult ? w.y + at : nullptr;
            const T* __restrict u = w.u + o * maps + first;
            const T* __restrict a = w.a + i * maps + first;
            const T* __restrict b = kMask == Mask::kRecomputed ? w.b + i * maps + first : nullptr;
            const T* __restrict centre = w.centre + first;
            T* __restrict du = w.du + o * maps + first;
            T* kept = kKeep ? w.g_out + at : nullptr;  // dy itself, or apart from it
            T* __restrict sg = sum_g + i * maps + first;
            T* __restrict sgu = sum_gu + i * maps + first;
#pragma GCC ivdep
            for (std::int64_t r = 0; r < count; ++r) {
              T g = dy[r];
              if constexpr (kMask == Mask::kResult) g = y[r] <= T(0) ? T(0) : g;
              if constexpr (kMask == Mask::kRecomputed) g = a[r] * u[r] + b[r] <= T(0) ? T(0) : g;
              if constexpr (kKeep) kept[r] = g;
              du[r] = (i == 0 ? T(0) : du[r]) + a[r] * g;
              sg[r] += g;
              sgu[r] += g * (u[r] - centre[r]);
            }
          });
    }
  }
}

template <class T>
TBN_INLINE void backward_any(const FanOutBackward<T>& w, std::int64_t begin, std::int64_t end,
                             T* sum_g, T* sum_gu) {
  const bool keep = w.g_out != nullptr;
  switch (w.mask) {
    case Mask::kNone:
      if (keep) return backward_body<Mask::kNone, true>(w, begin, end, sum_g, sum_gu);
      return backward_body<Mask::kNone, false>(w, begin, end, sum_g, sum_gu);
    case Mask::kResult:
      if (keep) return backward_body<Mask::kResult, true>(w, begin, end, sum_g, sum_gu);
      return backward_body<Mask::kResult, false>(w, begin, end, sum_g, sum_gu);
    case Mask::kRecomputed:
      return backward_body<Mask::kRecomputed, false>(w, begin, end, sum_g, sum_gu);
  }
}

// Twice over rows that the first pass has brought into a cache.
template <class T>
TBN_INLINE void moment_body(const T* u, std::int64_t maps, std::int64_t begin, std::int64_t end,
                            T* mean, T* m2) {
  std::fill(mean, mean + maps, T(0));
  std::fill(m2, m2 + maps, T(0));
  for (std::int64_t o = begin; o < end; ++o) {
    for_blocks(
        maps, [&](std::int64_t first, std::int64_t count) __attribute__((always_inline)) {
          const T* __restrict row = u + o * maps + first;
          T* __restrict sum = mean + first;
          for (std::int64_t r = 0; r < count; ++r) sum[r] += row[r];
        });
  }
  for (std::int64_t r = 0; r < maps; ++r) mean[r] /= static_cast<T>(end - begin);
  for (std::int64_t o = begin; o < end; ++o) {
    for_blocks(
        maps, [&](std::int64_t first, std::int64_t count) __attribute__((always_inline)) {
          const T* __restrict row = u + o * maps + first;
          const T* __restrict centre = mean + first;
          T* __restrict sum = m2 + first;
          for (std::int64_t r = 0; r < count; ++r) {
            const T value = row[r] - centre[r];
            sum[r] += value * value;
          }
        });
  }
}

template <class T>
TBN_INLINE void sign_body(const T* __restrict s, T* __restrict t, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) t[i] = s[i] > T(0) ? T(1) : T(-1);
}

template <class T>
TBN_INLINE void add_affine_body(T* du, const T* u, const T* centre, const T* c0, const T* c1,
                                std::int64_t maps, std::int64_t begin, std::int64_t end) {
  for (std::int64_t o = begin; o < end; ++o) {
    for_blocks(
        maps, [&](std::int64_t first, std::int64_t count) __attribute__((always_inline)) {
          const T* __restrict row = u + o * maps + first;
          T* __restrict out = du + o * maps + first;
          for (std::int64_t r = 0; r < count; ++r) {
            out[r] += c0[first + r] + c1[first + r] * (row[r] - centre[first + r]);
          }
        });
  }
}

}  // namespace

TBN_CLONES void fan_out_rows(const FanOutForward<float>& work, std::int64_t begin,
                             std::int64_t end) {
  forward_any(work, begin, end);
}
void fan_out_rows(const FanOutForward<double>& work, std::int64_t begin, std::int64_t end) {
  forward_any(work, begin, end);
}

TBN_CLONES void fan_in_rows(const FanOutBackward<float>& work, std::int64_t begin, std::int64_t end,
                            float* sum_g, float* sum_gu) {
  backward_any(work, begin, end, sum_g, sum_gu);
}
void fan_in_rows(const FanOutBackward<double>& work, std::int64_t begin, std::int64_t end,
                 double* sum_g, double* sum_gu) {
  backward_any(work, begin, end, sum_g, sum_gu);
}

TBN_CLONES void moment_rows(const float* u, std::int64_t maps, std::int64_t begin, std::int64_t end,
                            float* mean, float* m2) {
  moment_body(u, maps, begin, end, mean, m2);
}
void moment_rows(const double* u, std::int64_t maps, std::int64_t begin, std::int64_t end,
                 double* mean, double* m2) {
  moment_body(u, maps, begin, end, mean, m2);
}

TBN_CLONES void sign_values(const float* s, float* t, std::int64_t count) {
  sign_body(s, t, count);
}
void sign_values(const double* s, double* t, std::int64_t count) { sign_body(s, t, count); }

TBN_CLONES void add_affine_rows(float* du, const float* u, const float* centre, const float* c0,
                                const float* c1, std::int64_t maps, std::int64_t begin,
                                std::int64_t end) {
  add_affine_body(du, u, centre, c0, c1, maps, begin, end);
}
void add_affine_rows(double* du, const double* u, const double* centre, const double* c0,
                     const double* c1, std::int64_t maps, std::int64_t begin, std::int64_t end) {
  add_affine_body(du, u, centre, c0, c1, maps, begin, end);
}

}  // namespace tbn::cpu
