// The ops of a packed network but its layers, each made into a step once. All compute in 32 bits;
// shapes are the graph's, without the batch.
//
// Images, [C, H, W] in the graph, lie channels last, [H, W, C], where a function says so or where
// its `last` is true. So may sequences on their way between an image and tokens, [C, T] as [T, C].
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/cuda/device/tables.h"
#include "runtime/cuda/step/layer_options.h"
#include "runtime/cuda/step/step.h"
#include "tbn/ops.h"

namespace tbn::cuda {

// What every step is made for.
struct StepContext {
  Precision precision = Precision::kBf16;
  Tables& tables;
  const LayerOptions& options;
  Context& device;
};

inline bool is_image(const Shape& shape) { return shape.size() == 3; }
// The sizes of the first dimension and of all others, whose order may be swapped.
inline std::int64_t first_of(const Shape& shape) { return shape[0]; }
inline std::int64_t others_of(const Shape& shape) { return element_count(shape) / shape[0]; }
// Whether the two orders of a value are one.
inline bool is_flat(const Shape& shape) { return first_of(shape) == 1 || others_of(shape) == 1; }

// ---- between the caller's floats or bytes, row-major as the graph says, and activations

struct Border {
  Shape shape;
  bool last = false;            // the activations have the first dimension last
  const float* mean = nullptr;  // on the device, one per channel; null: no normalize is fused
  const float* deviation = nullptr;
  // For outputs: scale x + bias, one of each per column; null: outputs are copied as they are.
  const float* scale = nullptr;
  const float* bias = nullptr;
};
// The activations of an input. With mean and deviation they are normalized before they are
// rounded: raw pixels have more bits than 16-bit floats keep.
void run_import(const Border& border, Precision precision, const float* x, void* y,
                std::int64_t batch, cudaStream_t stream);
void run_import(const Border& border, Precision precision, const std::uint8_t* x, void* y,
                std::int64_t batch, cudaStream_t stream);
// With scale and bias the values are taken back to their units in single precision: 50,013 is none
// of bf16, and infinite in fp16.
void run_export(const Border& border, Precision precision, const void* x, float* y,
                std::int64_t batch, cudaStream_t stream);

// ---- value by value (elementwise.cu); the output may lie over an input

DeviceStep make_normalize(const StepContext& context, const Normalize& op, const Shape& shape,
                          bool last);
DeviceStep make_affine(const StepContext& context, const Affine& op, std::span<const float> scale,
                       std::span<const float> bias, const Shape& shape, bool last);
DeviceStep make_activation(const StepContext& context, ActivationKind kind, const Shape& shape);
DeviceStep make_add(const StepContext& context, ActivationKind activation, const Shape& shape);
DeviceStep make_subtract(const StepContext& context, const Shape& shape);
DeviceStep make_multiply(const StepContext& context, const Shape& shape);
// `table` [T, F].
DeviceStep make_position_embedding(const StepContext& context, std::span<const float> table,
                                   const Shape& shape);
DeviceStep make_add_identity(const StepContext& context, const Shape& shape);
// The same values: launches nothing where the output is the input.
DeviceStep make_identity(const StepContext& context, const Shape& shape);

// ---- images channels last (pooling.cu, shaping.cu)

DeviceStep make_max_pool(const StepContext& context, const MaxPool2d& op, const Shape& input,
                         const Shape& output);
DeviceStep make_avg_pool(const StepContext& context, const AvgPool2d& op, const Shape& input,
                         const Shape& output);
DeviceStep make_global_avg_pool(const StepContext& context, const Shape& input);
DeviceStep make_pad2d(const StepContext& context, const Pad2d& op, const Shape& input,
                      const Shape& output);

// ---- values that are moved (shaping.cu, transpose.cu)

DeviceStep make_concat(const StepContext& context, const Concat& op,
                       const std::vector<Shape>& inputs, bool last);
DeviceStep make_slice(const StepContext& context, const Slice& op, const Shape& input, bool last);
DeviceStep make_expand(const StepContext& context, const Expand& op, const Shape& input);
DeviceStep make_class_token(const StepContext& context, std::span<const float> token,
                            const Shape& input);
DeviceStep make_transpose(const StepContext& context, const Shape& input);
// The same value in the other order.
DeviceStep make_reorder(const StepContext& context, const Shape& shape, bool to_last);

// ---- sequences (pooling.cu, moving_average.cu, layer_norm.cu, attention.cu, matmul.cu)

DeviceStep make_sequence_pool(const StepContext& context, const SequencePool& op,
                              const Shape& input);
DeviceStep make_moving_average(const StepContext& context, const MovingAverage& op,
                               const Shape& shape);
DeviceStep make_layer_norm(const StepContext& context, const LayerNorm& op,
                           std::span<const float> weight, std::span<const float> bias,
                           const Shape& shape);
// `relative_bias` [offsets, heads] is empty where the op has none; `inputs` is 1 or 3.
DeviceStep make_attention(const StepContext& context, const Attention& op,
                          std::span<const float> relative_bias, std::size_t inputs,
                          const Shape& output);
DeviceStep make_matmul(const StepContext& context, const Shape& left, const Shape& right);

}  // namespace tbn::cuda
