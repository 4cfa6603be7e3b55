// Twelve independent sums keep two multiply-add units busy through their latency. They start at
// values that differ, or the compiler would compute one of them.
#include "app/bench/machine.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace tbn::app {
namespace {

constexpr int kSums = 12;
constexpr int kSteps = 100'000;

#if defined(__x86_64__)
__attribute__((target("avx512f"))) float multiply_add_avx512(float start) {
  const __m512 x = _mm512_set1_ps(0.5f), y = _mm512_set1_ps(0.25f);
  __m512 sums[kSums];
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) sums[i] = _mm512_set1_ps(start + static_cast<float>(i));
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, x, y);
  }
#pragma GCC unroll 12
  for (int i = 1; i < kSums; ++i) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  return _mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx2,fma"))) float multiply_add_avx2(float start) {
  const __m256 x = _mm256_set1_ps(0.5f), y = _mm256_set1_ps(0.25f);
  __m256 sums[kSums];
#pragma GCC unroll 12
  for (int i = 0; i < kSums; ++i) sums[i] = _mm256_set1_ps(start + static_cast<float>(i));
  for (int step = 0; step < kSteps; ++step) {
#pragma GCC unroll 12
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, x, y);
  }
#pragma GCC unroll 12
  for (int i = 1; i < kSums; ++i) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  return _mm256_cvtss_f32(sums[0]);
}
#endif

struct Burst {
  float (*run)(float start) = nullptr;
  int lanes = 0;
};

Burst widest_burst() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return {multiply_add_avx512, 16};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return {multiply_add_avx2, 8};
  }
#endif
  return {};
}

}  // namespace

double peak_gmacs() {
  constexpr int kBursts = 50;
  const Burst burst = widest_burst();
  if (burst.run == nullptr) return 0;
  double most = 0;
  volatile float kept = 0;  // a result that nobody reads need not be computed
  for (int i = 0; i < kBursts; ++i) {
    const auto start = std::chrono::steady_clock::now();
    kept = burst.run(kept);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    most = std::max(most, 1e-9 * kSteps * kSums * burst.lanes / took.count());
  }
  return most;
}

std::int64_t last_level_cache() {
  std::int64_t largest = 0;
  for (int index = 0; index < 8; ++index) {
    std::ifstream file("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) +
                       "/size");
    std::int64_t size = 0;
    char unit = 0;  // "32768K"
    if (file >> size >> unit) largest = std::max(largest, size * (unit == 'M' ? 1 << 20 : 1 << 10));
  }
  return largest;
}

}  // namespace tbn::app
