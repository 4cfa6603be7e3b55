// Everything that a training step changes, and its way into a checkpoint and back.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include "config/config.h"
#include "train/executor/graph_module.h"
#include "train/optim/ema.h"
#include "train/optim/optimizer.h"
#include "train/state/checkpoint.h"
#include "train/state/warm_start.h"

namespace tbn {

class TrainState {
 public:
  // A freshly initialised network on the device with its optimiser, with trained weights where
  // init.from asks for them, unless restore() comes next; `classes` are the data's, as its files
  // tell them apart. Throws ConfigError for groups that match nothing, and as warm_start() does.
  TrainState(const Config& config, const Graph& graph, c10::Device device, bool resumes = false,
             const std::vector<std::string>& classes = {});

  // What init.from gave; empty without it.
  const std::optional<WarmStart>& warm_started() const { return warm_started_; }

  GraphModule& model() { return *model_; }
  Optimizer& optimizer() { return *optimizer_; }
  Ema* ema() { return ema_.get(); }  // null: averaging is off
  TrainProgress& progress() { return progress_; }
  const TrainProgress& progress() const { return progress_; }
  SavedMetrics& metrics() { return metrics_; }

  // Adds a step of `samples` with its loss and how many of `labels` answers were right (undefined:
  // none are), which stay on the device until they are asked for.
  void count_step(const at::Tensor& loss, const at::Tensor& correct, std::int64_t samples,
                  std::int64_t labels);
  // Brings the running epoch's sums into progress().
  void fetch_sums();
  void start_epoch(std::int64_t epoch);

  // What holds a value that is not finite, "a weight" (of the network or its averages) or "the
  // optimiser's state"; empty: nothing. Waits for the device.
  std::string not_finite() const;

  Checkpoint capture(const std::string& config_yaml);
  // Throws DataError beginning with `where` when the checkpoint is of another network or optimiser.
  void restore(const Checkpoint& checkpoint, const std::string& where);

 private:
  c10::Device device_;
  std::shared_ptr<GraphModule> model_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<Ema> ema_;
  at::Tensor loss_sum_;  // float64, on the device
  at::Tensor correct_;   // int64, on the device
  TrainProgress progress_;
  SavedMetrics metrics_;
  std::optional<WarmStart> warm_started_;
};

}  // namespace tbn
