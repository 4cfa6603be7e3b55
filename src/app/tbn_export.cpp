// tbn-export: a run's checkpoint becomes a packed file that runs without LibTorch; and packed files
// are given weights as the kernels of this processor read them.
#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "app/export/prepare.h"
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

// What is written, and what it was made of.
struct Exported {
  std::filesystem::path source;
  bool averaged = false;
  PackedFile file;
  Graph graph;

  std::int64_t vectors() const {
    return file.test_vectors ? file.test_vectors->input.shape().front() : 0;
  }
  std::int64_t prepared_bytes() const {
    std::int64_t sum = 0;
    for (const auto& [name, tensor] : file.prepared) sum += std::ssize(tensor.bytes());
    return sum;
  }
};

Exported pack_run(const std::filesystem::path& input, std::int64_t vectors) {
  TrainedModel trained = read_trained(input);
  const Model packed = pack_model(std::move(trained.model));
  return {
      .source = trained.path,
      .averaged = trained.averaged,
      .file = make_packed_file(packed, metadata_of(trained), example_inputs(packed.graph, vectors)),
      .graph = packed.graph};
}

// As the file is, but for its prepared weights.
Exported take_packed(const CommandLine& line, const std::filesystem::path& input) {
  if (line.has("verify")) {
    throw ConfigError("--verify: '" + input.string() +
                      "' is packed already and keeps the test vectors that it has");
  }
  Exported taken{.source = input, .file = read_packed(input)};
  taken.file.prepared.clear();
  taken.graph = graph_from_json(taken.file.graph_json, input.string());
  return taken;
}

void print(const CommandLine& line, const Exported& exported, const std::filesystem::path& path) {
  const std::uintmax_t bytes = std::filesystem::file_size(path);
  const Summary summary = summarize(exported.graph);
  if (line.json()) {
    Json json = summary_json(summary);
    json["path"] = path.string();
    json["checkpoint"] = exported.source.string();
    json["averaged"] = exported.averaged;
    json["file_bytes"] = static_cast<std::int64_t>(bytes);
    json["test_vectors"] = exported.vectors();
    json["prepared_bytes"] = exported.prepared_bytes();
    print_json(json);
  } else if (!line.quiet()) {
    fmt::print("{}\n", summary_table(summary));
    fmt::print("{} -> {}: {} bytes, {} test vectors", exported.source.string(), path.string(),
               grouped(bytes), exported.vectors());
    if (!exported.file.prepared.empty()) {
      fmt::print(", {} bytes of prepared weights",
                 grouped(static_cast<std::uint64_t>(exported.prepared_bytes())));
    }
    fmt::print("\n");
  }
}

int run(int argc, char** argv) {
  CommandLine line("tbn-export", "packs a trained network into one file that runs without LibTorch",
                   "<run directory | checkpoint | file.tbn> -o <file.tbn>");
  line.value("output,o", "file", "the packed file to write")
      .value("verify", "count", "test vectors to store in the file, for tbn-eval --verify", "1");
  add_prepare_options(line);
  if (!line.parse(argc, argv)) return kDone;
  const std::filesystem::path input = line.file("run directory, checkpoint or .tbn file");
  const std::filesystem::path path = output_path(line);
  const Preparation preparation = preparation_of(line);
  const long long vectors = line.number("verify", 0, kMaxVectors);
  Exported exported = input.extension() == ".tbn" && !std::filesystem::is_directory(input)
                          ? take_packed(line, input)
                          : pack_run(input, vectors);
  prepare_file(exported.file, preparation.backends, preparation.instructions,
               exported.source.string());
  write_packed(path, exported.file);
  print(line, exported, path);
  return kDone;
}

}  // namespace
}  // namespace tbn::app

int main(int argc, char** argv) {
  return tbn::run_tool("tbn-export", [&] { return tbn::app::run(argc, argv); });
}
