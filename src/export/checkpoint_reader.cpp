// Reads the parts of a checkpoint that a packed model is made of.
#include "export/checkpoint_reader.h"

#include <system_error>
#include <utility>

#include "base/text.h"
#include "file/json.h"
#include "file/reader.h"
#include "file/safetensors.h"
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

// The tensors under "ema/" where there are any, else those under "model/"; the rest is the
// optimiser's.
TensorMap take_tensors(SafetensorsFile& file, bool& averaged) {
  TensorMap trained;
  TensorMap averages;
  for (auto& [name, tensor] : file.tensors) {
    if (name.starts_with("model/")) trained.emplace(name.substr(6), std::move(tensor));
    if (name.starts_with("ema/")) averages.emplace(name.substr(4), std::move(tensor));
  }
  averaged = !averages.empty();
  return averaged ? std::move(averages) : std::move(trained);
}

std::optional<double> number(const Json& metrics, const std::string& key,
                             const std::string& where) {
  const Json* value = metrics.find(key);
  if (!value) return std::nullopt;
  if (value->is_number()) return value->as_double();
  throw DataError(where + ": tbn.metrics: '" + key + "' is no number");
}

void read_metrics(const SafetensorsFile& file, const std::string& where, TrainedModel& trained) {
  const std::string* text = find(file, "tbn.metrics");
  if (!text) return;
  const Json metrics = parse_json(*text, where + ": tbn.metrics");
  if (!metrics.is_object()) throw DataError(where + ": tbn.metrics: is no object of figures");
  for (const char* measure : {"accuracy", "miou", "mse"}) {
    const auto test = number(metrics, std::string("test_") + measure, where);
    const auto val = number(metrics, std::string("val_") + measure, where);
    if (!test && !val) continue;
    trained.measure = measure;
    trained.test = test;
    trained.val = val;
  }
}

}  // namespace

TrainedModel read_trained(const fs::path& path) {
  TrainedModel trained{.path = checkpoint_of(path)};
  const std::string where = trained.path.string();
  SafetensorsFile file = read_safetensors(trained.path);
  check_kind(file, where);
  trained.model.graph = graph_from_json(*find(file, "tbn.graph"), where);
  trained.model.tensors = take_tensors(file, trained.averaged);
  check_tensors(trained.model.graph, trained.model.tensors, training_tensors, where);
  if (const std::string* config = find(file, "tbn.config")) trained.config_yaml = *config;
  trained.rule = rule_from(file.metadata, where);
  check_rule_fits(trained.rule, trained.model.graph.input_shape(),
                  trained.model.graph.output_shape(), where);
  check_rule_units(trained.rule, false, where);
  read_metrics(file, where, trained);
  return trained;
}

}  // namespace tbn
