// Checkpoints to and from safetensors files.
#include "train/state/checkpoint.h"

#include <fmt/format.h>

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

const std::string& entry(const SafetensorsFile& file, const std::string& key,
                         const std::string& where) {
  const auto found = file.metadata.find(key);
  if (found == file.metadata.end()) {
    throw DataError(
        fmt::format("{}: its metadata lacks '{}'; it is no checkpoint of tbn-train", where, key));
  }
  return found->second;
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
  metadata["tbn.progress"] = to_json(checkpoint.progress);
  metadata["tbn.metrics"] = to_json(checkpoint.metrics);
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
  checkpoint.progress = read_progress(entry(file, "tbn.progress", where), where);
  checkpoint.metrics = read_metrics(entry(file, "tbn.metrics", where), where);
  for (auto& [name, tensor] : file.tensors) {
    bool known = false;
    for (const Section& section : kSections) {
      if (!name.starts_with(section.prefix)) continue;
      (checkpoint.*section.tensors)
          .emplace(name.substr(std::string_view(section.prefix).size()), std::move(tensor));
      known = true;
      break;
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
