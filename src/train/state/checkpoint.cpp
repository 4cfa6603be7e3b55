// Checkpoints to and from safetensors files.
#include "train/state/checkpoint.h"

#include <fmt/format.h>

#include "file/json.h"
#include "file/safetensors.h"
#include "prepare/rule_grammar.h"
#include "tbn/error.h"
#include "tbn/model.h"

namespace tbn {
namespace {

constexpr const char* kVersion = "1";

struct Section {
  const char* prefix;
  TensorMap Checkpoint::*tensors;
};
constexpr Section kSections[] = {{"model/", &Checkpoint::model},
                                 {"ema/", &Checkpoint::ema},
                                 {"optim/", &Checkpoint::optimizer},
                                 {"rng/", &Checkpoint::rng}};

Json to_json_value(const TrainProgress& p) {
  Json json = Json::object();
  json["epoch"] = p.epoch;
  json["step_in_epoch"] = p.step_in_epoch;
  json["global_step"] = p.global_step;
  json["loss_sum"] = p.loss_sum;
  json["correct"] = p.correct;
  json["labels"] = p.labels;
  json["samples"] = p.samples;
  if (p.best_score) json["best_score"] = *p.best_score;
  if (p.best_loss) json["best_loss"] = *p.best_loss;
  json["best_epoch"] = p.best_epoch;
  if (p.awaits_validation) json["awaits_validation"] = true;
  return json;
}

// What no training could have counted would be divided by, or trained towards.
void check_counts(const TrainProgress& p) {
  if (p.step_in_epoch > p.global_step) throw DataError("step_in_epoch: more than global_step");
  if ((p.step_in_epoch > 0) != (p.samples > 0)) {
    throw DataError("samples: steps and samples of an epoch are both nothing, or neither is");
  }
  if (p.best_epoch > p.epoch) throw DataError("best_epoch: an epoch that is still to come");
}

TrainProgress progress_from(const Json& json) {
  constexpr std::int64_t kMost = std::int64_t{1} << 53;
  const auto count = [&](const char* key) { return json.at(key).as_int(0, kMost); };
  TrainProgress p;
  p.epoch = count("epoch");
  p.step_in_epoch = count("step_in_epoch");
  p.global_step = count("global_step");
  p.loss_sum = json.at("loss_sum").as_double();
  p.correct = count("correct");
  p.labels = count("labels");
  p.samples = count("samples");
  if (const Json* best = json.find("best_score")) p.best_score = best->as_double();
  if (const Json* loss = json.find("best_loss")) p.best_loss = loss->as_double();
  p.best_epoch = json.at("best_epoch").as_int(-1, kMost);
  if (const Json* awaits = json.find("awaits_validation")) p.awaits_validation = awaits->as_bool();
  check_counts(p);
  return p;
}

Json to_json_value(const SavedMetrics& metrics) {
  Json json = Json::object();
  if (metrics.val) json["val_" + metrics.measure] = *metrics.val;
  if (metrics.val_loss) json["val_loss"] = *metrics.val_loss;
  if (metrics.test) json["test_" + metrics.measure] = *metrics.test;
  if (metrics.test_loss) json["test_loss"] = *metrics.test_loss;
  return json;
}

SavedMetrics metrics_from(const Json& json) {
  json.as_object();
  SavedMetrics metrics;
  const auto number = [&](const std::string& key) -> std::optional<double> {
    const Json* value = json.find(key);
    return value == nullptr ? std::nullopt : std::optional(value->as_double());
  };
  for (const char* measure : {"accuracy", "miou", "mse"}) {
    const std::optional<double> val = number(std::string("val_") + measure);
    const std::optional<double> test = number(std::string("test_") + measure);
    if (val || test) metrics = {.measure = measure, .val = val, .test = test};
  }
  metrics.val_loss = number("val_loss");
  metrics.test_loss = number("test_loss");
  return metrics;
}

const std::string& entry(const SafetensorsFile& file, const std::string& key,
                         const std::string& where) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) {
    throw DataError(
        fmt::format("{}: its metadata lacks '{}'; it is no checkpoint of tbn-train", where, key));
  }
  return found->second;
}

// The value of a key whose text is JSON; what is wrong with it is said with file and key.
template <class Read>
auto read_json(const SafetensorsFile& file, const std::string& key, const std::string& where,
               Read read) {
  const std::string place = where + ": " + key;
  const Json json = parse_json(entry(file, key, where), place);
  try {
    return read(json);
  } catch (const DataError& error) {
    throw DataError(place + ": " + error.what());
  }
}

void check_version(const SafetensorsFile& file, const std::string& where) {
  const std::string& version = entry(file, "tbn.checkpoint", where);
  if (version == kVersion) return;
  throw DataError(
      fmt::format("{}: its checkpoint version is '{}', and this tbn reads {}; use the "
                  "tbn that wrote it or a newer one",
                  where, version.substr(0, 20), kVersion));
}

}  // namespace

bool TrainProgress::is_beaten_by(double score, double loss) const {
  if (!best_score || score > *best_score) return true;
  return score == *best_score && best_loss && loss < *best_loss;
}

void TrainProgress::set_best(std::optional<double> score, std::optional<double> loss) {
  best_score = score;
  best_loss = loss;
  best_epoch = epoch;
}

void write_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint,
                      const std::function<void()>& before) {
  TensorMap tensors;
  for (const Section& section : kSections) {
    for (const auto& [name, tensor] : checkpoint.*section.tensors) {
      tensors.emplace(section.prefix + name, tensor);
    }
  }
  std::map<std::string, std::string> metadata = metadata_of(checkpoint.rule);
  metadata["tbn.checkpoint"] = kVersion;
  metadata["tbn.graph"] = to_json(checkpoint.graph);
  metadata["tbn.config"] = checkpoint.config_yaml;
  metadata["tbn.progress"] = to_json_value(checkpoint.progress).compact();
  metadata["tbn.metrics"] = to_json_value(checkpoint.metrics).compact();
  write_checked_safetensors(path, tensors, metadata, before);
}

Checkpoint read_checkpoint(const std::filesystem::path& path) {
  const std::string where = path.string();
  SafetensorsFile file = read_safetensors(path);
  check_version(file, where);
  Checkpoint checkpoint;
  checkpoint.graph = graph_from_json(entry(file, "tbn.graph", where), where);
  checkpoint.config_yaml = entry(file, "tbn.config", where);
  checkpoint.rule = rule_from(file.metadata, where);
  check_rule_fits(checkpoint.rule, checkpoint.graph.input_shape(), checkpoint.graph.output_shape(),
                  where);
  check_rule_units(checkpoint.rule, false, where);
  checkpoint.progress = read_json(file, "tbn.progress", where, progress_from);
  checkpoint.metrics = read_json(file, "tbn.metrics", where, metrics_from);
  for (auto& [name, tensor] : file.tensors) {
    bool known = false;
    for (const Section& section : kSections) {
      if (!name.starts_with(section.prefix)) continue;
      (checkpoint.*section.tensors)
          .emplace(name.substr(std::string_view(section.prefix).size()), std::move(tensor));
      known = true;
    }
    if (!known) throw DataError(fmt::format("{}: unknown tensor '{}'", where, name.substr(0, 80)));
  }
  check_tensors(checkpoint.graph, checkpoint.model, training_tensors, where);
  if (!checkpoint.ema.empty()) {
    check_tensors(checkpoint.graph, checkpoint.ema, training_tensors, where);
  }
  return checkpoint;
}

}  // namespace tbn
