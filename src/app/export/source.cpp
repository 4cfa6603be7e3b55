// Reads and packs; says what it was trained on.
#include "app/export/source.h"

#include <charconv>

#include "app/support/data_source.h"
#include "app/support/limits.h"
#include "config/load.h"
#include "export/checkpoint_reader.h"
#include "export/packed_model.h"
#include "graph/passes/passes.h"
#include "tbn/error.h"
#include "tbn/runtime.h"

namespace tbn::app {

namespace {

constexpr long long kMaxVectors = 1000;

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

ExportSource read_file(const CommandLine& line, const std::filesystem::path& path) {
  if (line.has("verify")) {
    throw ConfigError("--verify: '" + path.string() +
                      "' is packed already and keeps the test vectors that it has");
  }
  ExportSource source{.path = path, .file = read_packed(path)};
  source.file.prepared.clear();
  source.packed = {graph_from_json(source.file.graph_json, path.string()), source.file.tensors};
  Network::from(source.packed, {}, path.string(), limits_of(line));  // checks it
  return source;
}

ExportSource read_run(const CommandLine& line, const std::filesystem::path& path) {
  const long long vectors = line.number("verify", 0, kMaxVectors);
  TrainedModel trained = read_trained(path);
  ExportSource source{.path = trained.path,
                      .packed = pack_model(std::move(trained.model)),
                      .config_yaml = trained.config_yaml,
                      .averaged = trained.averaged};
  source.file = make_packed_file(source.packed, metadata_of(trained),
                                 example_inputs(source.packed, vectors), limits_of(line));
  return source;
}

}  // namespace

ExportSource read_source(const CommandLine& line, const std::filesystem::path& path) {
  const bool is_file = path.extension() == ".tbn" && !std::filesystem::is_directory(path);
  return is_file ? read_file(line, path) : read_run(line, path);
}

DataConfig data_of(const CommandLine& line, const ExportSource& source) {
  if (!source.config_yaml.empty()) {
    return data_config(line, source.config_yaml, source.path.string());
  }
  return packed_data_config(line, source.packed.graph, source.file.metadata, source.path);
}

}  // namespace tbn::app
