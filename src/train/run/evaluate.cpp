// Batches of a whole data set through a network in evaluation mode.
#include "train/run/evaluate.h"

#include <torch/torch.h>

#include "data/loader.h"
#include "eval/fit.h"
#include "train/batches/batch_tensors.h"
#include "train/executor/device.h"
#include "train/executor/graph_module.h"
#include "train/executor/tensor_io.h"
#include "train/run/evaluate_checkpoint.h"

namespace tbn {

namespace {

// The module in evaluation mode; afterwards in its own again, also where an error leaves.
class InEvaluation {
 public:
  explicit InEvaluation(GraphModule& module)
      : module_(module), was_training_(module.is_training()) {
    module_.eval();
  }
  ~InEvaluation() { module_.train(was_training_); }
  InEvaluation(const InEvaluation&) = delete;
  InEvaluation& operator=(const InEvaluation&) = delete;

 private:
  GraphModule& module_;
  bool was_training_;
};

}  // namespace

MetricSums evaluate(GraphModule& module, const Dataset& data, const EvalSettings& settings) {
  return *evaluate_unless([] { return false; }, module, data, settings);
}

std::optional<MetricSums> evaluate_unless(const std::function<bool()>& should_stop,
                                          GraphModule& module, const Dataset& data,
                                          const EvalSettings& settings) {
  MetricSums sums(data.spec());
  if (data.size() == 0) return sums;
  const torch::NoGradGuard no_grad;
  const InEvaluation mode(module);
  BatchLoader loader(data, {.batch_size = settings.batch_size, .threads = settings.threads});
  loader.start_epoch(0);
  for (Batch batch;;) {
    if (should_stop()) return std::nullopt;
    if (!loader.next(batch)) break;
    sums.leave_out(batch.unread);
    if (batch.size == 0) continue;
    const BatchTensors tensors = batch_tensors(batch, data.spec(), settings.device);
    at::Tensor outputs;
    {
      const Autocast autocast(settings.bf16, settings.device);
      outputs = module.forward(tensors.inputs);
    }
    outputs = outputs.to(at::kCPU, at::kFloat).contiguous();
    sums.add({outputs.const_data_ptr<float>(), static_cast<std::size_t>(outputs.numel())},
             batch.labels, batch.targets, batch.size);
  }
  return sums;
}

MetricSums evaluate_checkpoint(const Checkpoint& checkpoint, const Dataset& data,
                               const CheckpointEvalOptions& options) {
  check_data_fits(checkpoint.graph, data.spec(), "checkpoint");
  TrainConfig train;
  train.threads = options.threads;
  const c10::Device device = resolve_device(options.device);
  configure_torch(train, device);
  GraphModule module(checkpoint.graph);
  load_state(module, checkpoint.weights(), "checkpoint");
  module.to(device);
  return evaluate(module, data,
                  {.device = device,
                   .batch_size = options.batch_size,
                   .bf16 = options.bf16,
                   .threads = options.loader_threads});
}

}  // namespace tbn
