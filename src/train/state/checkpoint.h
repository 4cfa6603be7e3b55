// A training state on disk, as a safetensors file. No LibTorch: the exporter reads it too.
//
// Tensors:   model/<name>, ema/<name> (where averaging is on), optim/<parameter>/<state>, and
//            rng/<device> (U8, LibTorch's generator)
// Metadata:  tbn.checkpoint  "1"
//            tbn.graph       the training graph, as JSON
//            tbn.config      the resolved configuration, as YAML
//            tbn.progress    JSON, see Progress below
//            tbn.metrics     JSON: val_<m>, val_loss, test_<m>, test_loss in so far as known, with
//                            m the task's measure: accuracy, miou or mse
//            tbn.input, tbn.output, tbn.measured   the rule of its data, as in packed files
//                            (tbn/file.h); older checkpoints have none
//            tbn.header_crc32c, tbn.crc32c   checksums as in packed files (file/checksums.h), held
//                            to by whoever reads the file; older checkpoints have none
// The same state gives the same bytes: no date and no time is in it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "tbn/graph.h"
#include "tbn/rule.h"
#include "tbn/tensor.h"

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

struct Checkpoint {
  TensorMap model;
  TensorMap ema;        // empty: averaging is off
  TensorMap optimizer;  // "<parameter>/<state>"
  TensorMap rng;        // by device: "cpu", "cuda"
  Graph graph;
  std::string config_yaml;
  TrainProgress progress;
  SavedMetrics metrics;
  Rule rule;  // of the data that it was trained on; empty parts where an older tbn wrote it

  // What predicts best: the averages where there are any.
  const TensorMap& weights() const { return ema.empty() ? model : ema; }
};

// The file is there whole or not at all. Throws SystemError, on a full disk for instance. `before`
// is called when it is whole beside its place (AtomicFile::commit()).
void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint,
                      const std::function<void()>& before = {});

// Throws DataError for a file that is missing, damaged, no checkpoint, or of a newer version; the
// tensors of `model` and `ema` are checked against the graph. The configuration is looked at by
// whoever uses it (parse_recorded_config()).
Checkpoint read_checkpoint(const std::filesystem::path& path);

}  // namespace tbn
