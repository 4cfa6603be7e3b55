// A batch of samples as tensors on the device that computes.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "data/source/batch.h"
#include "data/source/dataset.h"

namespace tbn {

struct BatchTensors {
  at::Tensor inputs;        // [B, ...input], uint8 or float32
  at::Tensor labels;        // [B] or [B, N], int64; undefined without labels
  at::Tensor targets;       // [B, H, C], float32; undefined without targets
  at::Tensor other_labels;  // [B], of mixed images; undefined else
  at::Tensor weights;       // [2], float64, with other_labels: of `labels`, and of them
  at::Tensor taught;        // [B, ...output], float32: what the teacher says of them, where kept
};

// [2]: weight and 1 - weight, without waiting for the device.
at::Tensor mix_weights(double weight, c10::Device device);

// On the CPU the tensors borrow the batch's memory.
BatchTensors batch_tensors(const Batch& batch, const SampleSpec& spec, c10::Device device);

}  // namespace tbn
