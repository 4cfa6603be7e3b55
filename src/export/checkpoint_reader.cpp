// Reads the parts of a checkpoint that a packed model is made of.
#include "export/checkpoint_reader.h"

#include <system_error>
#include <utility>

#include "base/text.h"
#include "file/atomic_write.h"
#include "file/reader.h"
#include "file/safetensors.h"
#include "file/train_notes.h"
#include "prepare/rule_grammar.h"
#include "tbn/error.h"

namespace tbn {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kVersion = "1";

fs::path checkpoint_of(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_directory(path, ignored)) return path;
  for (const char* name : {"best.safetensors", "last.safetensors"}) {
    const fs::path file = path / "checkpoints" / name;
    // Not passed over in silence for the other one.
    const std::string kind = other_kind(file);
    if (!kind.empty()) {
      throw DataError(
          "'" + file.string() + "' " + kind +
          ", where a run has a checkpoint; move it away, or name the checkpoint itself");
    }
    if (has_file(file)) return file;
  }
  throw DataError(
      path.string() +
      ": has no checkpoints/best.safetensors or checkpoints/last.safetensors yet; train "
      "it first with tbn-train, or name a run directory");
}

const std::string* find(const SafetensorsFile& file, const char* key) {
  const auto found = file.metadata.find(key);
  return found == file.metadata.end() ? nullptr : &found->second;
}

void check_kind(const SafetensorsFile& file, const std::string& where) {
  if (find(file, "tbn.format")) {
    throw DataError(where + ": is packed already; tbn-inspect shows it and tbn-eval runs it");
  }
  const std::string* version = find(file, "tbn.checkpoint");
  if (!version || !find(file, "tbn.graph")) {
    throw DataError(where +
                    ": is a safetensors file, but no checkpoint of tbn-train; its metadata "
                    "has no tbn.checkpoint and tbn.graph");
  }
  if (*version != kVersion) {
    throw DataError(where + ": written by another version of tbn-train (checkpoint format " +
                    in_quotes(*version) + ", this tbn-export reads " + std::string(kVersion) +
                    "); export it with the tbn that trained it, or upgrade");
  }
}

// The tensors under "ema/" where there are any, else those under "model/"; the rest is of the
// optimiser and of random numbers.
TensorMap take_tensors(SafetensorsFile& file, const std::string& where, bool& averaged) {
  TensorMap trained;
  TensorMap averages;
  for (auto& [name, tensor] : file.tensors) {
    if (name.starts_with("model/")) {
      trained.emplace(name.substr(6), std::move(tensor));
    } else if (name.starts_with("ema/")) {
      averages.emplace(name.substr(4), std::move(tensor));
    } else if (!name.starts_with("optim/") && !name.starts_with("rng/")) {
      throw DataError(where + ": unknown tensor " + in_quotes(name));
    }
  }
  averaged = !averages.empty();
  return averaged ? std::move(averages) : std::move(trained);
}

// What the trainer could not go on from is no checkpoint here either. Older ones may lack a text.
void read_notes(const SafetensorsFile& file, const std::string& where, TrainedModel& trained) {
  if (const std::string* text = find(file, "tbn.progress")) read_progress(*text, where);
  const std::string* text = find(file, "tbn.metrics");
  if (!text) return;
  const SavedMetrics metrics = read_metrics(*text, where);
  trained.measure = metrics.measure;
  trained.test = metrics.test;
  trained.val = metrics.val;
}

}  // namespace

TrainedModel read_trained(const fs::path& path) {
  TrainedModel trained{.path = checkpoint_of(path)};
  const std::string where = trained.path.string();
  SafetensorsFile file = read_safetensors(trained.path);
  check_kind(file, where);
  trained.model.graph = graph_from_json(*find(file, "tbn.graph"), where);
  trained.model.tensors = take_tensors(file, where, trained.averaged);
  check_tensors(trained.model.graph, trained.model.tensors, training_tensors, where);
  if (const std::string* config = find(file, "tbn.config")) trained.config_yaml = *config;
  trained.rule = rule_from(file.metadata, where);
  check_rule_fits(trained.rule, trained.model.graph.input_shape(),
                  trained.model.graph.output_shape(), where);
  check_rule_units(trained.rule, false, where);
  read_notes(file, where, trained);
  return trained;
}

}  // namespace tbn
