// A training state on disk, as a safetensors file. No LibTorch: the exporter reads it too.
//
// Tensors:   model/<name>, ema/<name> (where averaging is on), optim/<parameter>/<state>, and
//            rng/<device> (U8, LibTorch's generator)
// Metadata:  tbn.checkpoint  "1"
//            tbn.graph       the training graph, as JSON
//            tbn.config      the resolved configuration, as YAML
//            tbn.progress    JSON, see file/train_notes.h
//            tbn.metrics     JSON: val_<m>, val_loss, test_<m>, test_loss in so far as known, with
//                            m the task's measure: accuracy, miou or mse
//            tbn.input, tbn.output, tbn.measured   the rule of its data, as in packed files
//                            (tbn/file.h); older checkpoints have none
//            tbn.header_crc32c, tbn.crc32c   checksums as in packed files (file/checksums.h), which
//                            every reader checks; older checkpoints have none
// The same state gives the same bytes: no date and no time is in it.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "file/train_notes.h"
#include "tbn/graph.h"
#include "tbn/rule.h"
#include "tbn/tensor.h"

namespace tbn {

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
