// tbn-export: a run's checkpoint becomes a packed file that runs without LibTorch, or C99 that runs
// on a microcontroller.
#include <filesystem>

#include <fmt/format.h>

#include "app/export/c_files.h"
#include "app/export/calibrate.h"
#include "app/export/source.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "app/support/options.h"
#include "app/support/summary_table.h"
#include "base/text.h"
#include "export/packed_model.h"
#include "micro/lower.h"
#include "micro/ranges.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

constexpr long long kMaxVectors = 1000;

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

void print(const CommandLine& line, const ExportSource& source, const Exported& exported) {
  if (line.json()) {
    Json json = summary_json(exported.summary);
    json["path"] = exported.path.string();
    json["checkpoint"] = source.path.string();
    json["averaged"] = source.averaged;
    json["file_bytes"] = static_cast<std::int64_t>(exported.bytes);
    json["test_vectors"] = static_cast<std::int64_t>(exported.vectors);
    print_json(json);
  } else if (!line.quiet()) {
    fmt::print("{}\n", summary_table(exported.summary));
    fmt::print("{} -> {}: {} bytes, {} test vectors\n", source.path.string(),
               exported.path.string(), grouped(exported.bytes), exported.vectors);
  }
}

void export_packed(const CommandLine& line, ExportSource& source) {
  Exported exported{.path = output_path(line), .vectors = line.number("verify", 0, kMaxVectors)};
  if (line.has("calibrate")) {
    const micro::Network network = micro::lower(source.packed);
    source.metadata["tbn.calibration"] = micro::to_json(ranges_of(line, source, network));
  } else if (source.is_packed) {
    throw ConfigError(
        "'" + source.path.string() +
        "' is packed already; --calibrate adds ranges to it, --format c makes C of it");
  }
  write_packed(exported.path,
               make_packed_file(source.packed, source.metadata,
                                example_inputs(source.packed.graph, exported.vectors)));
  exported.bytes = std::filesystem::file_size(exported.path);
  exported.summary = summarize(source.packed.graph);
  print(line, source, exported);
}

int run(int argc, char** argv) {
  CommandLine line("tbn-export",
                   "packs a trained network into one file that runs without LibTorch, or into C99",
                   "<run directory | checkpoint | file.tbn> -o <file.tbn | folder>");
  line.value("output,o", "path", "the packed file to write, or the folder for C")
      .value("verify", "count", "test vectors to store in the file, for tbn-eval --verify", "1")
      .value("format", "name", "tbn, or c: source for microcontrollers", "tbn")
      .value("form", "name", "c: int8, integers alone, or f32", "int8")
      .value("name", "name", "c: of the files and functions", "model")
      .value("calibrate", "count",
             "training images whose ranges the int8 form is made from; in a .tbn they are kept "
             "(c: 512, unless the file has some)")
      .value("max-flash", "bytes", "c: refuse more constants")
      .value("max-ram", "bytes", "c: refuse a larger arena")
      .value("data", "name", "the data set to calibrate on (default: the one trained on)")
      .value("root", "folder", "where the data set's files are");
  if (!line.parse(argc, argv)) return kDone;
  const std::filesystem::path input = line.file("run directory, checkpoint or .tbn file");
  const std::string format = line.text("format");
  if (format != "tbn" && format != "c") {
    throw ConfigError("--format: '" + format + "' is not one of tbn, c");
  }
  ExportSource source = read_source(input);
  if (format == "c") {
    export_c(line, source);
  } else {
    export_packed(line, source);
  }
  return kDone;
}

}  // namespace
}  // namespace tbn::app

int main(int argc, char** argv) {
  return tbn::run_tool("tbn-export", [&] { return tbn::app::run(argc, argv); });
}
