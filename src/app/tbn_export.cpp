// tbn-export: a run's checkpoint or a packed file becomes a packed file that runs without LibTorch,
// with --prepare one that holds its weights as kernels read them, or C99 for microcontrollers.
#include <filesystem>

#include <fmt/format.h>

#include "app/export/c_files.h"
#include "app/export/calibrate.h"
#include "app/export/layout.h"
#include "app/export/output.h"
#include "app/export/prepare.h"
#include "app/export/scalars.h"
#include "app/export/source.h"
#include "app/export/units.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "app/support/limits.h"
#include "app/support/network_data.h"
#include "app/support/options.h"
#include "app/support/summary_table.h"
#include "base/counted.h"
#include "base/shown.h"
#include "base/text.h"
#include "export/packed_model.h"
#include "graph/summary.h"
#include "micro/integer.h"
#include "micro/lower.h"
#include "micro/ranges.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

std::int64_t vectors_of(const PackedFile& file) {
  return file.test_vectors ? file.test_vectors->count() : 0;
}

std::int64_t prepared_bytes(const PackedFile& file) {
  std::int64_t sum = 0;
  for (const auto& [name, tensor] : file.prepared) sum += std::ssize(tensor.bytes());
  return sum;
}

void print(const CommandLine& line, const ExportSource& source, const std::filesystem::path& path) {
  const std::uintmax_t bytes = std::filesystem::file_size(path);
  const Summary summary = summarize(source.packed.graph, scalars_of(line, source.file));
  if (line.json()) {
    Json json = summary_json(summary);
    json["path"] = path.string();
    json["checkpoint"] = source.path.string();
    json["averaged"] = source.averaged;
    json["file_bytes"] = static_cast<std::int64_t>(bytes);
    json["test_vectors"] = vectors_of(source.file);
    json["prepared_bytes"] = prepared_bytes(source.file);
    print_json(json);
  } else if (!line.quiet()) {
    fmt::print("{}\n", summary_table(summary));
    fmt::print("{} -> {}: {} bytes, {}", shown(source.path.string()), shown(path.string()),
               grouped(bytes), counted(vectors_of(source.file), "test vector"));
    if (!source.file.prepared.empty()) {
      fmt::print(", {} bytes of prepared weights",
                 grouped(static_cast<std::uint64_t>(prepared_bytes(source.file))));
    }
    fmt::print("\n");
  }
}

void export_packed(const CommandLine& line, ExportSource& source, const Preparation& preparation,
                   const std::filesystem::path& path) {
  if (line.has("calibrate")) {
    const micro::Network network = micro::lower(source.packed);
    const micro::Ranges ranges = ranges_of(line, source, network);
    micro::quantize(network, ranges);  // what would be refused where they are used is refused here
    source.file.metadata["tbn.calibration"] = micro::to_json(ranges);
  }
  set_layout(line, source);
  prepare_file(source.file, preparation.backends, preparation.instructions, source.path.string(),
               limits_of(line));
  make_folder(path.parent_path());
  write_packed(path, source.file);
  print(line, source, path);
}

// Which options the way through the tool that was chosen looks at. Data may be named for a run that
// does not say its rule, and for ranges.
void check_options(const CommandLine& line, const std::string& format, bool is_packed) {
  if (format == "c" && line.has("prepare")) {
    throw ConfigError("--prepare is for packed files; C source holds its weights as it reads them");
  }
  if (format == "c") check_c_scalars(line, is_packed);
  if (format != "c") {
    line.expect_only("a packed file, but for --format c",
                     {"output", "format", "verify", "prepare", "prepare-for", "max-memory",
                      "max-operations", "rule", "units", "scalars", "layout", "calibrate", "data",
                      "root", "match", "json", "quiet", "settings"});
  }
  const bool reads_floats = format == "c" && line.text("form") == "f32";
  if (reads_floats && is_packed) {
    line.expect_only("--form f32, which no data are looked at for",
                     {"output", "format", "form", "name", "max-flash", "max-ram", "max-memory",
                      "max-operations", "json", "quiet"});
  } else if (reads_floats) {
    line.expect_only("--form f32", {"output", "format", "form", "name", "max-flash", "max-ram",
                                    "max-memory", "max-operations", "rule", "units", "scalars",
                                    "data", "root", "match", "json", "quiet", "settings"});
  } else if (format == "c") {
    line.expect_only("--format c",
                     {"output", "format", "form", "name", "max-flash", "max-ram", "max-memory",
                      "max-operations", "rule", "units", "scalars", "calibrate", "data", "root",
                      "match", "json", "quiet", "settings"});
  } else if (!line.has("calibrate") && is_packed) {
    line.expect_only("a packed file without --calibrate",
                     {"output", "format", "verify", "prepare", "prepare-for", "max-memory",
                      "max-operations", "rule", "units", "scalars", "layout", "json", "quiet"});
  }
  if (line.json() && line.quiet()) {
    throw ConfigError("--quiet is about text, and --json prints none");
  }
}

int run(int argc, char** argv) {
  CommandLine line("tbn-export",
                   "packs a trained network into one file that runs without LibTorch, or into C99",
                   "<run directory | checkpoint | file.tbn> -o <file.tbn | folder>");
  line.value("output,o", "path", "the packed file to write, or the folder for C")
      .value("verify", "count", "test vectors to store in the file, for tbn-eval --verify", "1");
  add_prepare_options(line);
  add_limit_options(line);
  add_units_option(line);
  add_scalars_option(line);
  add_layout_option(line);
  line.value("rule", "part",
             "full; use: how inputs are made and what outputs mean, without what the figure was "
             "measured on; none",
             "full")
      .value("format", "name", "tbn, or c: source for microcontrollers", "tbn")
      .value("form", "name", "c: int8, integers alone, or f32", "int8")
      .value("name", "name", "c: of the files and functions", "model")
      .value("calibrate", "count",
             "training images whose ranges the int8 form is made from; in a .tbn they are kept "
             "(c: 512, unless the file has some)")
      .value("max-flash", "bytes", "c: refuse more constants")
      .value("max-ram", "bytes", "c: refuse a larger arena")
      .value("data", "name", "the data set to calibrate on (default: the one trained on)")
      .value("root", "folder", "where the data set's files are")
      .quiet_flag("print errors only");
  add_match_option(line);
  if (!line.parse(argc, argv)) return kDone;
  const std::filesystem::path input = line.file("run directory, checkpoint or .tbn file");
  const std::string format = line.text("format");
  if (format != "tbn" && format != "c") {
    throw ConfigError("--format: '" + format + "' is not one of tbn, c");
  }
  const bool is_packed = input.extension() == ".tbn" && !std::filesystem::is_directory(input);
  check_options(line, format, is_packed);
  const Preparation preparation = preparation_of(line);
  check_layout(line);
  if (format == "c") {
    const CFiles files = c_files_of(line);
    export_c(line, read_source(line, input), files);
  } else {
    const std::filesystem::path path = packed_output(line);
    ExportSource source = read_source(line, input);
    export_packed(line, source, preparation, path);
  }
  return kDone;
}

}  // namespace
}  // namespace tbn::app

int main(int argc, char** argv) {
  return tbn::run_tool("tbn-export", [&] { return tbn::app::run(argc, argv); });
}
