// Random numbers as a pure function of what they are for: (seed, use, epoch, sample). Nothing is
// carried from draw to draw outside a generator, so a resumed run and any number of threads see the
// same numbers, and own formulas give the same ones with every standard library.
#pragma once

#include <cstdint>
#include <vector>

namespace tbn {

// Keeps the streams of one seed apart. The values are part of what a seed means: never renumber.
enum class RngUse : std::uint64_t {
  kSplit = 1,
  kShuffle = 2,
  kAugment = 3,
  kMix = 4,
  kSample = 5,
  kLimit = 6,
  kSearch = 7
};

// SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014),
// started at a hash of its key.
class CounterRng {
 public:
  // The plain SplitMix64 sequence of `state`.
  explicit CounterRng(std::uint64_t state) : state_(state) {}
  CounterRng(std::uint64_t seed, RngUse use, std::uint64_t epoch = 0, std::uint64_t index = 0);

  std::uint64_t next() {
    state_ += kGolden;
    return mix(state_);
  }

  // Uniform in [0, limit), without bias (Lemire's multiplication with rejection). limit > 0.
  std::uint32_t below(std::uint32_t limit);

  bool coin() { return (next() >> 63) != 0; }

 private:
  static constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;

  static std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  std::uint64_t state_;
};

// A permutation of 0 .. count-1 (Fisher-Yates). Throws InternalError for a negative count or one
// of 2^32 or more.
std::vector<std::int64_t> random_permutation(std::int64_t count, CounterRng rng);

}  // namespace tbn
