// Loops of a fixed length without a loop: the index is a constant from the start, so that arrays of
// registers stay in registers, which unrolling by pragma does not achieve with GCC. Of internal
// linkage on purpose (see isa.h).
#pragma once

namespace tbn::fast {
namespace {

template <int I>
struct Index {
  constexpr operator int() const { return I; }  // NOLINT: implicit by design
};

// f(0), ..., f(N - 1).
template <int N, class F>
[[gnu::always_inline]] inline void unrolled(F f) {
  if constexpr (N > 0) {
    unrolled<N - 1>(f);
    f(Index<N - 1>{});
  }
}

}  // namespace
}  // namespace tbn::fast
