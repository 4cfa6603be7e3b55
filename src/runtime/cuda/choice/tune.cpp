// Tries the kernels of a layer on random inputs.
#include "runtime/cuda/choice/tune.h"

#include <algorithm>
#include <string_view>

#include "runtime/cuda/choice/trial.h"
#include "runtime/cuda/device/memory.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/device/status.h"
#include "tbn/error.h"

namespace tbn::cuda {
namespace {

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
    check(cudaMemsetAsync(workspace_.get(), 0, kCounterBytes, stream_.get()), kWhat);
    fill_random(x_, precision_, 1, stream_);
    fill_random(residual_, precision_, 2, stream_);
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

  // Against the plain kernel's results, on outputs that were none before. What the driver or the
  // device refuses to launch leaves none.
  bool is_right(const LayerKernel& kernel) {
    const auto bytes = static_cast<std::size_t>(y_.bytes());
    check(cudaMemsetAsync(y_.get(), 0xff, bytes, stream_.get()), "checking a kernel");
    try {
      launch_once(kernel, y_);
    } catch (const SystemError&) {
      return false;
    }
    return relative_difference(y_, wanted_, precision_, stream_) <= tolerance(precision_);
  }

  double time(const LayerKernel& kernel, const Buffer& y, int rounds) {
    return time_launches(stream_, rounds, [&] { launch_once(kernel, y); });
  }

  const LayerShape& shape_;
  const LayerData& data_;
  Precision precision_;
  Context& context_;
  Stream stream_;
  Buffer x_, residual_, y_, wanted_, workspace_;
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
  auto& known = context.kept<TuneCache>().choices;
  const auto key = std::pair(shape, precision);
  if (const auto found = known.find(key); found != known.end()) return found->second;
  Trial trial(shape, data, precision, context);
  const Choice choice = trial.fits() ? trial.run() : choose_by_rule(shape, precision, context);
  return known.emplace(key, choice).first->second;
}

// Products of many pixels are for the matrix units fed from shared memory, of a few for those fed
// from the bits as they come. Few channels have a kernel of their own.
Choice choose_by_rule(const LayerShape& shape, Precision precision, const Context& context) {
  constexpr std::int64_t kManyPixels = 256;
  const char* const many[] = {"stem", "wgmma", "mma", "expand"};
  const char* const few[] = {"stem", "mma", "gemv", "expand"};
  for (const char* name : shape.pixels() >= kManyPixels ? many : few) {
    const LayerKernel* kernel = find_kernel(name);
    if (kernel != nullptr && kernel->computes(shape, precision, context)) return {.kernel = kernel};
  }
  return {.kernel = &layer_kernels().front()};
}

Choice choose_by_name(const std::string& name, const LayerShape& shape, Precision precision,
                      const Context& context) {
  // A chain is made of these, see chain_runner.h.
  const LayerKernel* kernel = find_kernel(name == "chain" ? "gemv" : name);
  if (kernel == nullptr) {
    std::string names;
    for (const std::string& each : cuda_layer_kernels()) {
      names += (names.empty() ? "" : ", ") + each;
    }
    throw ConfigError("no layer kernel is called '" + name + "'; there are " + names);
  }
  if (kernel->computes(shape, precision, context)) return {.kernel = kernel};
  return choose_by_rule(shape, precision, context);
}

}  // namespace tbn::cuda
