// Reads and packs; says what it was trained on.
#include "app/export/source.h"

#include <charconv>

#include "app/support/data_source.h"
#include "config/load.h"
#include "export/checkpoint_reader.h"
#include "graph/passes/passes.h"
#include "tbn/runtime.h"

namespace tbn::app {

namespace {

// The shortest text that reads back as the same number.
std::string number(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

std::map<std::string, std::string> metadata_of(const TrainedModel& trained) {
  std::map<std::string, std::string> metadata;
  metadata["tbn.producer"] = "tbn-export";
  if (!trained.config_yaml.empty()) {
    metadata["tbn.trained_on"] = parse_config(trained.config_yaml, trained.path.string()).data.name;
  }
  if (trained.test) metadata["tbn." + trained.measure] = number(*trained.test);
  if (trained.val) metadata["tbn.val_" + trained.measure] = number(*trained.val);
  return metadata;
}

ExportSource read_packed_source(const std::filesystem::path& path) {
  const auto network = Network::load(path);
  return {.path = path,
          .packed = {network->graph(), network->tensors()},
          .metadata = network->metadata(),
          .is_packed = true};
}

}  // namespace

ExportSource read_source(const std::filesystem::path& path) {
  if (path.extension() == ".tbn") return read_packed_source(path);
  TrainedModel trained = read_trained(path);
  ExportSource source{.path = trained.path,
                      .metadata = metadata_of(trained),
                      .config_yaml = trained.config_yaml,
                      .averaged = trained.averaged};
  source.packed = pack_model(std::move(trained.model));
  return source;
}

DataConfig data_of(const CommandLine& line, const ExportSource& source) {
  if (!source.config_yaml.empty()) {
    return data_config(line, source.config_yaml, source.path.string());
  }
  return packed_data_config(line, source.packed.graph, source.metadata, source.path);
}

}  // namespace tbn::app
