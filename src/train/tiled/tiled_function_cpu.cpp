// Each loop is written once as an inlined template and compiled for three x86-64 levels; the best
// that the machine has is chosen when the program starts.
#include "train/tiled/tiled_function_cpu.h"

#include <algorithm>
#include <concepts>
#include <cstring>
#include <type_traits>

// Sanitizers are not up yet when the loader chooses between clones.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define TBN_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TBN_CLONES
#endif
#define TBN_INLINE static inline __attribute__((always_inline))
// Vectors go from one inlined function to another: no call passes them.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wpsabi"
#endif

namespace tbn::cpu {
namespace {

// N neighbouring maps as one value. The compiler's vector types: they stay in registers where an
// array that a loop fills does not.
template <class S, int N>
struct LanesOf {
  using type [[gnu::vector_size(N * sizeof(S))]] = S;
};
template <class S, int N>
using Lanes = typename LanesOf<S, N>::type;

template <int N, std::floating_point S>
TBN_INLINE Lanes<S, N> load(const S* from) {
  Lanes<S, N> lanes;
  std::memcpy(&lanes, from, sizeof lanes);
  return lanes;
}
template <int N>
TBN_INLINE Lanes<float, N> load(const Bfloat16* from) {
  Lanes<std::uint16_t, N> halves;
  std::memcpy(&halves, from, sizeof halves);
  const Lanes<std::uint32_t, N> bits = __builtin_convertvector(halves, Lanes<std::uint32_t, N>)
                                       << 16;
  Lanes<float, N> lanes;
  std::memcpy(&lanes, &bits, sizeof lanes);
  return lanes;
}

template <int N, std::floating_point S>
TBN_INLINE void store(S* to, Lanes<S, N> lanes) {
  std::memcpy(to, &lanes, sizeof lanes);
}
// As from_float() does it.
template <int N>
TBN_INLINE void store(Bfloat16* to, Lanes<float, N> lanes) {
  using Bits = Lanes<std::uint32_t, N>;
  Bits bits;
  std::memcpy(&bits, &lanes, sizeof bits);
  const Bits rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
  const Bits chosen = lanes == lanes ? rounded : Bits{} + 0x7fc0U;
  const auto halves = __builtin_convertvector(chosen, Lanes<std::uint16_t, N>);
  std::memcpy(to, &halves, sizeof halves);
}

// What a block of maps holds at once; the rest of a row that is no multiple goes one by one.
constexpr int kBlock = 16;

template <int N>
using Width = std::integral_constant<int, N>;

// Calls body(first, Width) over [0, maps).
template <class Body>
TBN_INLINE void for_blocks(std::int64_t maps, Body body) {
  std::int64_t first = 0;
  for (; first + kBlock <= maps; first += kBlock) body(first, Width<kBlock>{});
  for (; first + 8 <= maps; first += 8) body(first, Width<8>{});
  for (; first < maps; ++first) body(first, Width<1>{});
}

// Rows that are gone through block by block, so that the blocks' sums stay in registers meanwhile;
// few enough for a row of all copies to wait in a cache for its next block.
constexpr std::int64_t kTileRows = 32;

template <class Body>
TBN_INLINE void for_tiles(std::int64_t begin, std::int64_t end, Body body) {
  for (std::int64_t o = begin; o < end; o += kTileRows) body(o, std::min(end, o + kTileRows));
}

template <bool kBias, bool kResidual, bool kRelu, class T>
TBN_INLINE void forward_body(const FanOutForward<T>& w, std::int64_t begin, std::int64_t end) {
  using S = SumOf<T>;
  const std::int64_t maps = w.shape.maps, copies = w.shape.copies;
  for (std::int64_t o = begin; o < end; ++o) {
    for (std::int64_t i = 0; i < copies; ++i) {
      const auto block = [&]<int N>(std::int64_t first, Width<N>) __attribute__((always_inline)) {
        const std::int64_t at = (o * copies + i) * maps + first;
        Lanes<S, N> y = load<N>(w.a + i * maps + first) * load<N>(w.u + o * maps + first);
        if constexpr (kBias) y += load<N>(w.b + i * maps + first);
        if constexpr (kResidual) y += load<N>(w.residual + at);
        if constexpr (kRelu) y = y < 0 ? Lanes<S, N>{} : y;
        store<N>(w.y + at, y);
      };
      for_blocks(maps, block);
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

// One row of N maps and their copies; add(i, g, gu) takes what copy i adds to the sums. The
// gradient of the maps stays in registers until it is whole.
template <Mask kMask, bool kKeep, int N, class T, class Add>
TBN_INLINE void backward_row(const FanOutBackward<T>& w, std::int64_t copies, std::int64_t o,
                             std::int64_t first, Add add) {
  using V = Lanes<SumOf<T>, N>;
  const std::int64_t maps = w.shape.maps;
  const V u = load<N>(w.u + o * maps + first), centred = u - load<N>(w.centre + first);
  V du{};
  for (std::int64_t i = 0; i < copies; ++i) {
    const std::int64_t at = (o * copies + i) * maps + first;
    const V a = load<N>(w.a + i * maps + first);
    V g = load<N>(w.dy + at);
    if constexpr (kMask == Mask::kResult) g = load<N>(w.y + at) <= 0 ? V{} : g;
    if constexpr (kMask == Mask::kRecomputed) {
      g = a * u + load<N>(w.b + i * maps + first) <= 0 ? V{} : g;
    }
    if constexpr (kKeep) store<N>(w.g_out + at, g);
    du += a * g;
    add(i, g, g * centred);
  }
  store<N>(w.du + o * maps + first, du);
}

template <Mask kMask, bool kKeep, class T>
TBN_INLINE void backward_all(const FanOutBackward<T>& w, std::int64_t begin, std::int64_t end,
                             SumOf<T>* sum_g, SumOf<T>* sum_gu) {
  const std::int64_t maps = w.shape.maps;
  for (std::int64_t o = begin; o < end; ++o) {
    const auto block = [&]<int N>(std::int64_t first, Width<N>) __attribute__((always_inline)) {
      using V = Lanes<SumOf<T>, N>;
      backward_row<kMask, kKeep, N>(
          w, w.shape.copies, o,
          first, [&](std::int64_t i, V add_g, V add_gu) __attribute__((always_inline)) {
            SumOf<T>* g = sum_g + i * maps + first;
            SumOf<T>* gu = sum_gu + i * maps + first;
            store<N>(g, load<N>(g) + add_g);
            store<N>(gu, load<N>(gu) + add_gu);
          });
    };
    for_blocks(maps, block);
  }
}

template <class T>
TBN_INLINE void backward_any(const FanOutBackward<T>& w, std::int64_t begin, std::int64_t end,
                             SumOf<T>* sum_g, SumOf<T>* sum_gu) {
  const std::int64_t outputs = w.shape.copies * w.shape.maps;
  std::fill(sum_g, sum_g + outputs, SumOf<T>(0));
  std::fill(sum_gu, sum_gu + outputs, SumOf<T>(0));
  const bool keep = w.g_out != nullptr;
  switch (w.mask) {
    case Mask::kNone:
      if (keep) return backward_all<Mask::kNone, true>(w, begin, end, sum_g, sum_gu);
      return backward_all<Mask::kNone, false>(w, begin, end, sum_g, sum_gu);
    case Mask::kResult:
      if (keep) return backward_all<Mask::kResult, true>(w, begin, end, sum_g, sum_gu);
      return backward_all<Mask::kResult, false>(w, begin, end, sum_g, sum_gu);
    case Mask::kRecomputed:
      return backward_all<Mask::kRecomputed, false>(w, begin, end, sum_g, sum_gu);
  }
}

// Adds add(row of N maps) over the rows of a call to sum[maps].
template <class T, class Add>
TBN_INLINE void sum_rows(const T* u, std::int64_t maps, std::int64_t begin, std::int64_t end,
                         SumOf<T>* sum, Add add) {
  for_tiles(
      begin, end, [&](std::int64_t from, std::int64_t to) __attribute__((always_inline)) {
        const auto block = [&]<int N>(std::int64_t first, Width<N>) __attribute__((always_inline)) {
          Lanes<SumOf<T>, N> total = load<N>(sum + first);
          for (std::int64_t o = from; o < to; ++o)
            total += add(load<N>(u + o * maps + first), first);
          store<N>(sum + first, total);
        };
        for_blocks(maps, block);
      });
}

// Twice over rows that the first pass has brought into a cache.
template <class T>
TBN_INLINE void moment_body(const T* u, std::int64_t maps, std::int64_t begin, std::int64_t end,
                            SumOf<T>* mean, SumOf<T>* m2) {
  using S = SumOf<T>;
  std::fill(mean, mean + maps, S(0));
  std::fill(m2, m2 + maps, S(0));
  sum_rows(
      u, maps, begin, end, mean,
      [](auto row, std::int64_t) __attribute__((always_inline)) { return row; });
  for (std::int64_t r = 0; r < maps; ++r) mean[r] /= static_cast<S>(end - begin);
  sum_rows(
      u, maps, begin, end,
      m2, [&]<class V>(V row, std::int64_t first) __attribute__((always_inline)) {
        const V d = row - load<sizeof(V) / sizeof(S)>(mean + first);
        return d * d;
      });
}

template <class S, class T>
TBN_INLINE void sign_body(const S* __restrict s, T* __restrict t, std::int64_t count) {
  for_blocks(
      count, [&]<int N>(std::int64_t first, Width<N>) __attribute__((always_inline)) {
        const Lanes<S, N> one = Lanes<S, N>{} + S(1);
        store<N>(t + first, load<N>(s + first) > 0 ? one : -one);
      });
}

template <class T>
TBN_INLINE void add_affine_body(T* du, const T* u, const SumOf<T>* centre, const SumOf<T>* c0,
                                const SumOf<T>* c1, std::int64_t maps, std::int64_t begin,
                                std::int64_t end) {
  for (std::int64_t o = begin; o < end; ++o) {
    for_blocks(
        maps, [&]<int N>(std::int64_t first, Width<N>) __attribute__((always_inline)) {
          const std::int64_t at = o * maps + first;
          const auto added = load<N>(c0 + first) +
                             load<N>(c1 + first) * (load<N>(u + at) - load<N>(centre + first));
          store<N>(du + at, load<N>(du + at) + added);
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
TBN_CLONES void fan_out_rows(const FanOutForward<Bfloat16>& work, std::int64_t begin,
                             std::int64_t end) {
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
TBN_CLONES void fan_in_rows(const FanOutBackward<Bfloat16>& work, std::int64_t begin,
                            std::int64_t end, float* sum_g, float* sum_gu) {
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
TBN_CLONES void moment_rows(const Bfloat16* u, std::int64_t maps, std::int64_t begin,
                            std::int64_t end, float* mean, float* m2) {
  moment_body(u, maps, begin, end, mean, m2);
}

TBN_CLONES void sign_values(const float* s, float* t, std::int64_t count) {
  sign_body(s, t, count);
}
void sign_values(const double* s, double* t, std::int64_t count) { sign_body(s, t, count); }
TBN_CLONES void sign_values(const float* s, Bfloat16* t, std::int64_t count) {
  sign_body(s, t, count);
}

TBN_CLONES void add_affine_rows(float* du, const float* u, const float* centre, const float* c0,
                                const float* c1, std::int64_t maps, std::int64_t begin,
                                std::int64_t end) {
  add_affine_body(du, u, centre, c0, c1, maps, begin, end);
}
void add_affine_rows(double* du, const double* u, const double* centre, const double* c0,
                     const double* c1, std::int64_t maps, std::int64_t begin, std::int64_t end) {
  add_affine_body(du, u, centre, c0, c1, maps, begin, end);
}
TBN_CLONES void add_affine_rows(Bfloat16* du, const Bfloat16* u, const float* centre,
                                const float* c0, const float* c1, std::int64_t maps,
                                std::int64_t begin, std::int64_t end) {
  add_affine_body(du, u, centre, c0, c1, maps, begin, end);
}

}  // namespace tbn::cpu
