// A supernet: all networks of a search trained at once on shared weights, by the sandwich rule (Yu
// and Huang, arXiv 1903.05134). In each step the dearest network learns from the labels; the
// cheapest and a random one near the budget learn from its outputs; one update follows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "search/evolution.h"
#include "train/run/trainer_setup.h"
#include "train/search/shared_weights.h"

namespace tbn {

class Supernet {
 public:
  // All must outlive it. `setup` is of the dearest network, for as many epochs as are trained;
  // `limit` and `near` are those of random_near().
  Supernet(const Config& config, TrainerSetup& setup, const CostMeter& meter, const Limit& limit,
           double near);

  // One step; returns the loss of the dearest network on the labels, or one that is not finite,
  // where that of any network of the step is not.
  double step(const TrainBatch& batch, double lr_factor);

  // Progress through the epochs of training, as a run has it.
  struct Progress {
    std::int64_t epoch = 0;
    std::int64_t step_in_epoch = 0;
    std::int64_t steps = 0;
  };
  Progress& progress() { return progress_; }

  const SharedWeights& weights() const { return weights_; }
  // Whether every shared parameter is. The loss of a step is that before its update.
  bool is_finite() const;

  // The state, in a file that is there whole or not at all, and back. restore() throws DataError
  // for a file of another search.
  void save(const std::filesystem::path& path) const;
  void restore(const std::filesystem::path& path);

 private:
  at::Tensor learn(GraphModule& network, const Pick& pick, const TrainBatch& batch,
                   const at::Tensor& outputs_of_dearest);
  std::shared_ptr<GraphModule> network(const Pick& pick) const;

  const Config& config_;
  TrainerSetup& setup_;
  const CostMeter& meter_;
  Limit limit_;
  double near_;
  SharedWeights weights_;
  Optimizer optimizer_;
  std::shared_ptr<GraphModule> dearest_;
  std::shared_ptr<GraphModule> cheapest_;
  std::vector<at::Tensor> losses_;  // of the step, the dearest network's first
  Progress progress_;
};

// Mean cross entropy between the outputs' class probabilities and those of `taught`, or the mean
// squared difference of forecasts.
at::Tensor imitation_loss(const at::Tensor& outputs, const at::Tensor& taught, Task task);

}  // namespace tbn
