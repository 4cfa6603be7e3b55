// Attention as a step: which of its kernels runs is found out at a batch size's first use.
#include <cmath>
#include <map>
#include <memory>

#include "runtime/cuda/choice/trial.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/device/status.h"
#include "runtime/cuda/kernels/attention.h"
#include "runtime/cuda/step/ops.h"

namespace tbn::cuda {
namespace {

AttentionShape shape_of(const Attention& op, std::size_t inputs, const Shape& output) {
  const auto tokens = static_cast<int>(op.window == 0 ? output[0] : op.window * op.window);
  const auto width = static_cast<int>(output[1] / op.heads);
  return {.tokens = tokens,
          .heads = static_cast<int>(op.heads),
          .width = width,
          .scale = 1.0f / std::sqrt(static_cast<float>(width)),
          .input_stride = inputs == 1 ? 3 * output[1] : output[1],
          .output_stride = output[1],
          .window = static_cast<int>(op.window),
          .shift = static_cast<int>(op.shift),
          .grid_h = static_cast<int>(op.grid.h),
          .grid_w = static_cast<int>(op.grid.w)};
}

class AttentionStep {
 public:
  AttentionStep(const StepContext& context, const AttentionShape& shape, const float* bias,
                std::size_t inputs)
      : device_(context.device),
        options_(context.options),
        shape_(shape),
        bias_(bias),
        inputs_(inputs) {}

  void prepare(std::int64_t batch) {
    if (!on_tensor_cores_.contains(batch)) on_tensor_cores_.emplace(batch, decide(batch));
  }

  void run(const Call& call) const {
    if (call.batch == 0) return;
    const AttentionShape shape = batched(call.batch);
    const AttentionData data = data_of(call.inputs, call.output);
    if (on_tensor_cores_.at(call.batch)) {
      launch_attention_mma(shape, data, options_.precision, device_, call.stream);
    } else {
      launch_attention_plain(shape, data, options_.precision, call.stream);
    }
  }

 private:
  AttentionShape batched(std::int64_t batch) const {
    AttentionShape all = shape_;
    all.batch = static_cast<int>(batch);
    return all;
  }

  // One input holds queries, keys and values side by side.
  AttentionData data_of(std::span<const void* const> inputs, void* output) const {
    const auto input = [&](std::size_t which) -> const void* {
      if (inputs_ > 1) return inputs[which];
      const std::int64_t offset = static_cast<std::int64_t>(which) * shape_.output_stride;
      return static_cast<const std::byte*>(inputs[0]) + offset * value_bytes(options_.precision);
    };
    return {.queries = input(0),
            .keys = input(1),
            .values = input(2),
            .y = output,
            .relative_bias = bias_};
  }

  // Whether the tensor cores' kernel computes it, gives what the plain one gives, and is quicker.
  bool decide(std::int64_t batch) const {
    const AttentionShape shape = batched(batch);
    const std::int64_t rows = batch * shape.windows() * shape.tokens;
    constexpr const char* kWhat = "trying the kernels of an attention";
    const std::int64_t bytes = rows * shape.output_stride * value_bytes(options_.precision);
    // The memory of values is always aligned as it must be.
    const bool computes = attention_mma_computes(shape, {}, options_.precision, device_);
    if (options_.kernel == "plain" || rows == 0 || !computes) return false;
    if (!options_.tune) return true;
    const Stream stream;
    const Buffer q = Buffer::on_device(3 * bytes, kWhat);
    const Buffer plain = Buffer::on_device(bytes, kWhat), other = Buffer::on_device(bytes, kWhat);
    fill_random(q, options_.precision, 4, stream);
    const auto* first = q.get<const std::byte>();
    const void* apart[] = {first, first + bytes, first + 2 * bytes};
    const std::span<const void* const> inputs(apart, inputs_);
    const auto run_plain = [&] {
      launch_attention_plain(shape, data_of(inputs, plain.get()), options_.precision, stream.get());
    };
    const auto run_mma = [&] {
      launch_attention_mma(shape, data_of(inputs, other.get()), options_.precision, device_,
                           stream.get());
    };
    const double plain_us = time_launches(stream, 3, run_plain);
    check(cudaMemsetAsync(other.get(), 0xff, static_cast<std::size_t>(bytes), stream.get()), kWhat);
    run_mma();
    const double difference = relative_difference(other, plain, options_.precision, stream);
    return difference <= tolerance(options_.precision) &&
           time_launches(stream, 3, run_mma) < plain_us;
  }

  const Context& device_;
  LayerOptions options_;
  AttentionShape shape_;
  const float* bias_;
  std::size_t inputs_;
  std::map<std::int64_t, bool> on_tensor_cores_;  // by batch size
};

}  // namespace

DeviceStep make_attention(const StepContext& context, const Attention& op,
                          std::span<const float> relative_bias, std::size_t inputs,
                          const Shape& output) {
  const float* bias = op.relative_bias ? context.tables.keep(relative_bias) : nullptr;
  const auto step =
      std::make_shared<AttentionStep>(context, shape_of(op, inputs, output), bias, inputs);
  return {.run = [step](const Call& call) { step->run(call); },
          .prepare = [step](std::int64_t batch) { step->prepare(batch); }};
}

}  // namespace tbn::cuda
