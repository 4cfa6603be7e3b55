// Wraps the memory of a batch.
#include "train/batches/batch_tensors.h"

#include <torch/torch.h>

namespace tbn {
namespace {

// from_blob takes a pointer to mutable memory, but nothing writes to a batch.
template <class T>
at::Tensor wrap(const std::vector<T>& values, const Shape& each, std::int64_t size,
                at::ScalarType type, c10::Device device) {
  std::vector<std::int64_t> shape = {size};
  shape.insert(shape.end(), each.begin(), each.end());
  const at::Tensor borrowed =
      torch::from_blob(const_cast<T*>(values.data()), shape, at::TensorOptions(type));
  return device.is_cpu() ? borrowed : borrowed.to(device);
}

}  // namespace

at::Tensor mix_weights(double weight, c10::Device device) {
  at::Tensor weights = at::empty({2}, at::TensorOptions(device).dtype(at::kDouble));
  weights[0].fill_(weight);
  weights[1].fill_(1 - weight);
  return weights;
}

BatchTensors batch_tensors(const Batch& batch, const SampleSpec& spec, c10::Device device) {
  BatchTensors tensors;
  tensors.inputs = spec.bytes ? wrap(batch.bytes, spec.input, batch.size, at::kByte, device)
                              : wrap(batch.values, spec.input, batch.size, at::kFloat, device);
  const bool per_point = spec.task.task == Task::kSegmentation;
  const Shape label = per_point ? Shape{spec.labels()} : Shape{};
  if (spec.labels() > 0) {
    tensors.labels = wrap(batch.labels, label, batch.size, at::kLong, device);
  }
  if (!batch.other_labels.empty()) {
    tensors.other_labels = wrap(batch.other_labels, label, batch.size, at::kLong, device);
    tensors.weights = mix_weights(batch.weight, device);
  }
  if (spec.targets() > 0) {
    tensors.targets = wrap(batch.targets, spec.task.output, batch.size, at::kFloat, device);
  }
  return tensors;
}

}  // namespace tbn
