// Batches of a whole image set through a network in evaluation mode.
#include "train/evaluate.h"

#include <algorithm>

#include <torch/torch.h>

#include "train/device.h"
#include "train/evaluate_checkpoint.h"
#include "train/graph_module.h"
#include "train/tensor_io.h"

namespace tbn {

at::Tensor image_tensor(const std::uint8_t* pixels, std::int64_t count, const ImageSet& shape,
                        c10::Device device) {
  // from_blob takes a pointer to mutable memory, but nothing writes to an input.
  at::Tensor images =
      torch::from_blob(const_cast<std::uint8_t*>(pixels),
                       {count, shape.channels, shape.height, shape.width}, torch::kUInt8);
  return device.is_cpu() ? images : images.to(device);
}

MetricSums evaluate(GraphModule& module, const ImageSet& images, const EvalSettings& settings) {
  const torch::NoGradGuard no_grad;
  const bool was_training = module.is_training();
  module.eval();
  MetricSums sums;
  for (std::int64_t first = 0; first < images.size(); first += settings.batch_size) {
    const std::int64_t count = std::min(settings.batch_size, images.size() - first);
    const at::Tensor input = image_tensor(images.pixels.data() + first * images.image_bytes(),
                                          count, images, settings.device);
    at::Tensor logits;
    {
      const Autocast autocast(settings.bf16, settings.device);
      logits = module.forward(input);
    }
    logits = logits.to(at::kCPU, at::kFloat).contiguous();
    const std::vector<std::int64_t> labels(images.labels.begin() + first,
                                           images.labels.begin() + first + count);
    sums.add({logits.const_data_ptr<float>(), static_cast<std::size_t>(logits.numel())},
             images.classes(), labels);
  }
  module.train(was_training);
  return sums;
}

MetricSums evaluate_checkpoint(const Checkpoint& checkpoint, const ImageSet& images,
                               const CheckpointEvalOptions& options) {
  check_images_fit(checkpoint.graph, images, "checkpoint");
  TrainConfig train;
  train.threads = options.threads;
  const c10::Device device = resolve_device(options.device);
  configure_torch(train, device);
  GraphModule module(checkpoint.graph);
  load_state(module, checkpoint.weights(), "checkpoint");
  module.to(device);
  return evaluate(
      module, images,
      {.device = device, .batch_size = options.batch_size, .bf16 = options.precision == "bf16"});
}

}  // namespace tbn
