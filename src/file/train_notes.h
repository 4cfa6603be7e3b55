// The progress and the metrics of a training in the metadata of a checkpoint, as two JSON texts.
// The trainer resumes from the progress, and the exporter reads the metrics.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tbn {

struct TrainProgress {
  std::int64_t epoch = 0;          // that runs or comes next, from 0
  std::int64_t step_in_epoch = 0;  // done in it
  std::int64_t global_step = 0;    // done in all
  // Sums over the steps done in the running epoch.
  double loss_sum = 0;       // of losses times samples
  std::int64_t correct = 0;  // of `labels` answers
  std::int64_t labels = 0;
  std::int64_t samples = 0;
  // The best epoch so far by its score on the validation split (higher is better), if it has one,
  // and the loss there, by which epochs of the same score are told apart; older checkpoints have no
  // loss.
  std::optional<double> best_score;
  std::optional<double> best_loss;
  std::int64_t best_epoch = -1;
  // The running epoch's steps are done and a signal cut its validation short: a resume begins with
  // it.
  bool awaits_validation = false;
  bool operator==(const TrainProgress&) const = default;

  // Whether an epoch with this score and loss does better than the best so far: by the higher
  // score, then by the lower loss; where both are the same the earlier epoch stays.
  bool is_beaten_by(double score, double loss) const;
  // Makes the running epoch the best one. Without a score any later epoch beats it.
  void set_best(std::optional<double> score, std::optional<double> loss);
};

struct SavedMetrics {
  std::string measure = "accuracy";  // accuracy, miou (per cent) | mse
  std::optional<double> val;
  std::optional<double> val_loss;  // nats, or mse
  std::optional<double> test;
  std::optional<double> test_loss;
};

std::string to_json(const TrainProgress& progress);
std::string to_json(const SavedMetrics& metrics);

// Read the texts under tbn.progress and tbn.metrics. They throw DataError, beginning with `where`
// and the key, for a text that no training could have written.
TrainProgress read_progress(const std::string& text, const std::string& where);
SavedMetrics read_metrics(const std::string& text, const std::string& where);

}  // namespace tbn
