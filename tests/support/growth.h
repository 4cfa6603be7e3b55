// How a function's time grows with the size of its work: what files decide must not grow as a
// square. In this thread's processor time, so that a busy machine changes nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <ctime>

namespace tbn::test {

// The seconds that `work(size)` takes, the least of a few tries.
template <class Work>
double seconds_of(const Work& work, std::size_t size) {
  double least = 1e9;
  for (int i = 0; i < 3; ++i) {
    const std::clock_t begin = std::clock();
    work(size);
    least = std::min(least, static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC);
  }
  return least;
}

// How many times as long a work of eight times the size takes: 8 where time is proportional, 64
// where it grows as a square. `size` should take some milliseconds.
template <class Work>
double growth_of(const Work& work, std::size_t size) {
  return seconds_of(work, 8 * size) / std::max(seconds_of(work, size), 1e-4);
}

// Below this nothing grows as a square; caches are the rest.
inline constexpr double kMostGrowth = 26;

}  // namespace tbn::test
