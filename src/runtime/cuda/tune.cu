// Tries the kernels of a layer on random inputs.
#include "runtime/cuda/tune.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <vector>

#include "runtime/cuda/launch.h"
#include "runtime/cuda/memory.h"
#include "runtime/cuda/precision.h"
#include "tbn/error.h"

namespace tbn::cuda {
namespace {

// Uniform in [-1, 1], another sequence for each seed (the finaliser of MurmurHash3).
template <class T>
__global__ void __launch_bounds__(256) fill_random(T* x, std::int64_t count, std::uint32_t seed) {
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

// How far a right result may be from the plain kernel's: both are rounded.
double tolerance(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return 1e-4;
    case Precision::kFp16:
      return 4e-3;
    case Precision::kBf16:
      return 2e-2;
  }
  TBN_CHECK(false, "not a precision");
}

// A layer on inputs of its own.
class Trial {
 public:
  Trial(const LayerShape& shape, const LayerData& data, Precision precision, Context& context)
      : shape_(shape), data_(data), precision_(precision), context_(context) {}

  // Bytes of all that is tried with; beyond what the device has free there is no trial.
  bool fits() const {
    std::size_t free = 0, total = 0;
    check(cudaMemGetInfo(&free, &total), "looking at the memory");
    const std::int64_t needed = bytes_of(inputs()) + 3 * bytes_of(outputs()) + workspace_bytes();
    return needed < static_cast<std::int64_t>(free / 10 * 9);
  }

  Choice run() {
    prepare();
    const LayerKernel& plain = layer_kernels().front();
    Choice choice{.kernel = &plain, .microseconds = time(plain, wanted_, 1)};
    for (const LayerKernel& kernel : layer_kernels().subspan(1)) {
      if (!kernel.computes(shape_, precision_, context_)) continue;
      if (!is_right(kernel)) {
        choice.rejected += (choice.rejected.empty() ? "" : " ") + std::string(kernel.name);
        continue;
      }
      const double microseconds = time(kernel, y_, kRounds);
      if (microseconds >= choice.microseconds) continue;
      choice.kernel = &kernel;
      choice.microseconds = microseconds;
    }
    return choice;
  }

 private:
  static constexpr int kRounds = 3;

  std::int64_t inputs() const {
    return std::int64_t{shape_.batch} * shape_.in_h * shape_.in_w * shape_.channels;
  }
  std::int64_t outputs() const { return shape_.pixels() * shape_.outputs; }
  std::int64_t bytes_of(std::int64_t values) const { return values * value_bytes(precision_); }

  std::int64_t workspace_bytes() const {
    std::int64_t most = 0;
    for (const LayerKernel& kernel : layer_kernels()) {
      if (!kernel.computes(shape_, precision_, context_)) continue;
      most = std::max(most, kernel.workspace_bytes(shape_, precision_, context_));
    }
    return kCounterBytes + most;
  }

  void prepare() {
    constexpr const char* kWhat = "trying the kernels of a layer";
    x_ = Buffer::on_device(bytes_of(inputs()), kWhat);
    residual_ = Buffer::on_device(shape_.residual ? bytes_of(outputs()) : 0, kWhat);
    y_ = Buffer::on_device(bytes_of(outputs()), kWhat);
    wanted_ = Buffer::on_device(bytes_of(outputs()), kWhat);
    workspace_ = Buffer::on_device(workspace_bytes(), kWhat);
    sums_ = Buffer::on_device(2 * sizeof(double), kWhat);
    check(cudaMemsetAsync(workspace_.get(), 0, kCounterBytes, stream_.get()), kWhat);
    with_type(precision_, [&]<class T>(T*) {
      launch("fill_random", fill_random<T>, grid_over(inputs()), stream_.get(), x_.get<T>(),
             inputs(), 1u);
      if (!shape_.residual) return;
      launch("fill_random", fill_random<T>, grid_over(outputs()), stream_.get(), residual_.get<T>(),
             outputs(), 2u);
    });
  }

  void launch_once(const LayerKernel& kernel, const Buffer& y) {
    LayerTask task = {.shape = shape_,
                      .data = data_,
                      .precision = precision_,
                      .workspace = workspace_.get(),
                      .stream = stream_.get()};
    task.data.x = x_.get();
    task.data.residual = residual_.get();
    task.data.y = y.get();
    kernel.run(task, context_);
  }

  // Against the plain kernel's results, on outputs that were none before.
  bool is_right(const LayerKernel& kernel) {
    const auto bytes = static_cast<std::size_t>(y_.bytes());
    check(cudaMemsetAsync(y_.get(), 0xff, bytes, stream_.get()), "checking a kernel");
    launch_once(kernel, y_);
    check(cudaMemsetAsync(sums_.get(), 0, 2 * sizeof(double), stream_.get()), "checking a kernel");
    with_type(precision_, [&]<class T>(T*) {
      launch("add_squares", add_squares<T>, grid_over(outputs()), stream_.get(), y_.get<const T>(),
             wanted_.get<const T>(), outputs(), sums_.get<double>());
    });
    double sums[2] = {};
    check(cudaMemcpyAsync(sums, sums_.get(), sizeof sums, cudaMemcpyDeviceToHost, stream_.get()),
          "checking a kernel");
    stream_.wait();
    return std::sqrt(sums[0]) <= tolerance(precision_) * std::sqrt(sums[1]);
  }

  float milliseconds(const LayerKernel& kernel, const Buffer& y, int launches) {
    check(cudaEventRecord(start_.get(), stream_.get()), "timing a kernel");
    for (int i = 0; i < launches; ++i) launch_once(kernel, y);
    check(cudaEventRecord(end_.get(), stream_.get()), "timing a kernel");
    check(cudaEventSynchronize(end_.get()), "timing a kernel");
    float taken = 0;
    check(cudaEventElapsedTime(&taken, start_.get(), end_.get()), "timing a kernel");
    return taken;
  }

  // Of one launch: the least mean of some rounds, each long enough for the clock.
  double time(const LayerKernel& kernel, const Buffer& y, int rounds) {
    constexpr float kRoundMilliseconds = 0.2f;
    const float first = milliseconds(kernel, y, 1);
    if (rounds == 1) return 1000.0 * static_cast<double>(first);
    const float once = std::max(milliseconds(kernel, y, 2) / 2, 1e-3f);
    const int launches = std::clamp(static_cast<int>(kRoundMilliseconds / once), 1, 100);
    double least = 1e30;
    for (int round = 0; round < rounds; ++round) {
      least = std::min(least, static_cast<double>(milliseconds(kernel, y, launches)) / launches);
    }
    return 1000 * least;
  }

  const LayerShape& shape_;
  const LayerData& data_;
  Precision precision_;
  Context& context_;
  Stream stream_;
  Event start_, end_;
  Buffer x_, residual_, y_, wanted_, workspace_, sums_;
};

const LayerKernel* find_kernel(std::string_view name) {
  for (const LayerKernel& kernel : layer_kernels()) {
    if (kernel.name == name) return &kernel;
  }
  return nullptr;
}

}  // namespace

Choice choose_by_time(const LayerShape& shape, const LayerData& data, Precision precision,
                      Context& context) {
  auto& known = context.tuned().choices;
  const auto key = std::pair(shape, precision);
  if (const auto found = known.find(key); found != known.end()) return found->second;
  Trial trial(shape, data, precision, context);
  const Choice choice = trial.fits() ? trial.run() : choose_by_rule(shape, precision, context);
  return known.emplace(key, choice).first->second;
}

// Products of many pixels are for the matrix units fed from shared memory, of a few for those fed
// from the bits as they come.
Choice choose_by_rule(const LayerShape& shape, Precision precision, const Context& context) {
  constexpr std::int64_t kManyPixels = 256;
  const char* const many[] = {"wgmma", "mma", "expand"};
  const char* const few[] = {"mma", "gemv", "expand"};
  for (const char* name : shape.pixels() >= kManyPixels ? many : few) {
    const LayerKernel* kernel = find_kernel(name);
    if (kernel != nullptr && kernel->computes(shape, precision, context)) return {.kernel = kernel};
  }
  return {.kernel = &layer_kernels().front()};
}

Choice choose_by_name(const std::string& name, const LayerShape& shape, Precision precision,
                      const Context& context) {
  const LayerKernel* kernel = find_kernel(name);
  if (kernel == nullptr) {
    std::string names;
    for (const LayerKernel& each : layer_kernels()) {
      names += (names.empty() ? "" : ", ") + std::string(each.name);
    }
    throw ConfigError("no layer kernel is called '" + name + "'; there are " + names);
  }
  if (kernel->computes(shape, precision, context)) return {.kernel = kernel};
  return choose_by_rule(shape, precision, context);
}

}  // namespace tbn::cuda
