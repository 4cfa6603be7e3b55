// Values to try kernels on, and how far results are from each other.
#include <cmath>

#include "runtime/cuda/choice/trial.h"
#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/precision.h"

namespace tbn::cuda {
namespace {

// Uniform in [-1, 1], another sequence for each seed (the finaliser of MurmurHash3).
template <class T>
__global__ void __launch_bounds__(256) random_values(T* x, std::int64_t count, std::uint32_t seed) {
  for (std::int64_t i = first_index(); i < count; i += index_step()) {
    auto h = static_cast<std::uint32_t>(i) * 2654435761u + seed;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    h ^= h >> 16;
    x[i] = from_float<T>(static_cast<float>(h) * (2.0f / 4294967296.0f) - 1.0f);
  }
}

// sums[0] += the squares of y - wanted, sums[1] += those of wanted.
template <class T>
__global__ void __launch_bounds__(256)
    add_squares(const T* y, const T* wanted, std::int64_t count, double* sums) {
  float difference = 0, size = 0;
  for (std::int64_t i = first_index(); i < count; i += index_step()) {
    const float w = to_float(wanted[i]), d = to_float(y[i]) - w;
    difference += d * d;
    size += w * w;
  }
  difference = warp_sum(difference);
  size = warp_sum(size);
  if (threadIdx.x % kWarp != 0) return;
  atomicAdd(sums, static_cast<double>(difference));
  atomicAdd(sums + 1, static_cast<double>(size));
}

}  // namespace

void fill_random(const Buffer& values, Precision precision, std::uint32_t seed,
                 const Stream& stream) {
  const std::int64_t count = values.bytes() / value_bytes(precision);
  if (count == 0) return;
  with_type(precision, [&]<class T>(T*) {
    launch("fill_random", random_values<T>, grid_over(count), stream.get(), values.get<T>(), count,
           seed);
  });
}

double relative_difference(const Buffer& y, const Buffer& wanted, Precision precision,
                           const Stream& stream) {
  constexpr const char* kWhat = "checking a kernel";
  const std::int64_t count = wanted.bytes() / value_bytes(precision);
  const Buffer sums = Buffer::on_device(2 * sizeof(double), kWhat);
  check(cudaMemsetAsync(sums.get(), 0, 2 * sizeof(double), stream.get()), kWhat);
  with_type(precision, [&]<class T>(T*) {
    launch("add_squares", add_squares<T>, grid_over(count), stream.get(), y.get<const T>(),
           wanted.get<const T>(), count, sums.get<double>());
  });
  double found[2] = {};
  check(cudaMemcpyAsync(found, sums.get(), sizeof found, cudaMemcpyDeviceToHost, stream.get()),
        kWhat);
  stream.wait();
  if (found[0] == 0) return 0;  // where both are all zeros too
  return std::sqrt(found[0]) / std::sqrt(found[1]);
}

}  // namespace tbn::cuda
