// Predictions of a network in training on a whole set of images.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "data/image_set.h"
#include "train/evaluate_metrics.h"

namespace tbn {

class GraphModule;

struct EvalSettings {
  c10::Device device = c10::kCPU;
  std::int64_t batch_size = 500;
  bool bf16 = false;
};

// `count` raw images from `pixels` as uint8 [count, C, H, W] on the device. On the CPU the tensor
// borrows the memory.
at::Tensor image_tensor(const std::uint8_t* pixels, std::int64_t count, const ImageSet& shape,
                        c10::Device device);

// Logits of all images in evaluation mode (the module's mode afterwards is as before), summed up.
MetricSums evaluate(GraphModule& module, const ImageSet& images, const EvalSettings& settings);

}  // namespace tbn
