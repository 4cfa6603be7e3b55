// tbn-export: a run's checkpoint becomes a packed file that runs without LibTorch.
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "app/support/options.h"
#include "app/support/summary_table.h"
#include "base/text.h"
#include "config/load.h"
#include "export/checkpoint_reader.h"
#include "export/packed_model.h"
#include "graph/passes/passes.h"
#include "tbn/error.h"

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

std::filesystem::path output_path(const CommandLine& line) {
  const std::filesystem::path path = line.text("output");
  if (path.empty()) throw ConfigError("which file to write? give it as -o <file.tbn>");
  if (std::filesystem::is_directory(path)) {
    throw ConfigError("--output: '" + path.string() + "' is a directory; name a file in it");
  }
  return path;
}

struct Exported {
  std::filesystem::path path;
  std::uintmax_t bytes = 0;
  long long vectors = 0;
  Summary summary;
};

void print(const CommandLine& line, const TrainedModel& trained, const Exported& exported) {
  if (line.json()) {
    Json json = summary_json(exported.summary);
    json["path"] = exported.path.string();
    json["checkpoint"] = trained.path.string();
    json["averaged"] = trained.averaged;
    json["file_bytes"] = static_cast<std::int64_t>(exported.bytes);
    json["test_vectors"] = static_cast<std::int64_t>(exported.vectors);
    print_json(json);
  } else if (!line.quiet()) {
    fmt::print("{}\n", summary_table(exported.summary));
    fmt::print("{} -> {}: {} bytes, {} test vectors\n", trained.path.string(),
               exported.path.string(), grouped(exported.bytes), exported.vectors);
  }
}

int run(int argc, char** argv) {
  CommandLine line("tbn-export", "packs a trained network into one file that runs without LibTorch",
                   "<run directory | checkpoint> -o <file.tbn>");
  line.value("output,o", "file", "the packed file to write")
      .value("verify", "count", "test vectors to store in the file, for tbn-eval --verify", "1");
  if (!line.parse(argc, argv)) return kDone;
  const std::filesystem::path input = line.file("run directory or checkpoint");
  Exported exported{.path = output_path(line), .vectors = line.number("verify", 0, kMaxVectors)};
  TrainedModel trained = read_trained(input);
  const Model packed = pack_model(std::move(trained.model));
  write_packed(exported.path, make_packed_file(packed, metadata_of(trained),
                                               example_inputs(packed.graph, exported.vectors)));
  exported.bytes = std::filesystem::file_size(exported.path);
  exported.summary = summarize(packed.graph);
  print(line, trained, exported);
  return kDone;
}

}  // namespace
}  // namespace tbn::app

int main(int argc, char** argv) {
  return tbn::run_tool("tbn-export", [&] { return tbn::app::run(argc, argv); });
}
