// Lowers, quantises, checks the limits, writes both files aside and puts them in place.
#include "app/export/c_files.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

#include "app/export/calibrate.h"
#include "app/export/output.h"
#include "app/support/json_out.h"
#include "base/shown.h"
#include "base/text.h"
#include "export/c_rule.h"
#include "export/c_source.h"
#include "file/atomic_write.h"
#include "micro/lower.h"
#include "tbn/error.h"

namespace tbn::app {

namespace {

namespace fs = std::filesystem;

constexpr long long kMostBytes = std::numeric_limits<std::int32_t>::max();

std::string bytes_text(std::int64_t bytes) { return grouped(static_cast<std::uint64_t>(bytes)); }

CSource make_source(const CommandLine& line, const ExportSource& source, const std::string& name) {
  const std::string form = line.text("form");
  if (form != "int8" && form != "f32") {
    throw ConfigError("--form: '" + form + "' is not one of int8, f32");
  }
  const micro::Network network = micro::lower(source.packed);
  if (form == "f32") return c_source_f32(network, name);
  if (!network.takes_bytes) {
    throw ConfigError(
        "the network takes floats, and --form int8 takes images of bytes alone; export it as "
        "--form f32");
  }
  return c_source(micro::quantize(network, ranges_of(line, source, network)), name);
}

void check_limit(const CommandLine& line, const char* option, const char* what,
                 std::int64_t bytes) {
  if (!line.has(option)) return;
  const long long limit = line.number(option, 0, kMostBytes);
  if (bytes <= limit) return;
  throw ConfigError(
      fmt::format("the network needs {} bytes of {}, more than the {} of --{}; "
                  "nothing was written",
                  bytes_text(bytes), what, bytes_text(limit), option));
}

void write(const fs::path& folder, const std::string& name, const CSource& source) {
  AtomicFile header(folder / (name + ".h"));
  AtomicFile body(folder / (name + ".c"));
  header.write(source.header);
  body.write(source.source);
  header.commit();
  body.commit();
}

Json cost_json(const CSource& source) {
  Json::Array rows;
  for (const CStepCost& step : source.steps) {
    rows.push_back(Json::object({{"name", step.name},
                                 {"kernel", step.kernel},
                                 {"weight_bytes", step.weights},
                                 {"scalar_bytes", step.scalars},
                                 {"descriptor_bytes", step.descriptors},
                                 {"macs", step.multiply_adds},
                                 {"live_bytes", step.live_bytes}}));
  }
  return Json::object({{"layers", Json::array(std::move(rows))},
                       {"weight_bytes", source.weights()},
                       {"scalar_bytes", source.scalars()},
                       {"flash_bytes", source.flash_bytes()},
                       {"ram_bytes", source.arena_bytes}});
}

void print_costs(const CSource& source) {
  fmt::print("{:<24} {:<24} {:>9} {:>9} {:>12} {:>10}\n", "layer", "kernel", "weights", "scalars",
             "multiplies", "live RAM");
  for (const CStepCost& step : source.steps) {
    fmt::print("{:<24} {:<24} {:>9} {:>9} {:>12} {:>10}\n", in_quotes(step.name), step.kernel,
               bytes_text(step.weights), bytes_text(step.scalars), bytes_text(step.multiply_adds),
               bytes_text(step.live_bytes));
  }
  fmt::print(
      "flash: {} bytes of weights and {} of scalars, {} with the sizes of layers; the "
      "kernels' code comes on top\n",
      bytes_text(source.weights()), bytes_text(source.scalars()), bytes_text(source.flash_bytes()));
  std::int64_t most = source.steps.empty() ? source.arena_bytes : 0;
  for (const CStepCost& step : source.steps) most = std::max(most, step.live_bytes);
  const std::int64_t gaps = source.arena_bytes - most;
  fmt::print("RAM: {} bytes of arena, input included{}; the stack comes on top\n",
             bytes_text(source.arena_bytes),
             gaps > 0 ? fmt::format(", {} of them gaps between values", bytes_text(gaps)) : "");
}

}  // namespace

CFiles c_files_of(const CommandLine& line) {
  const std::string name = c_output_name(line);
  return {c_output_folder(line, name), name};
}

void export_c(const CommandLine& line, const ExportSource& source, const CFiles& files) {
  const auto& [folder, name] = files;
  CSource made = make_source(line, source, name);
  add_rule(made, name, rule_from(source.file.metadata, source.path.string()));
  check_limit(line, "max-flash", "flash", made.flash_bytes());
  check_limit(line, "max-ram", "RAM", made.arena_bytes);
  make_folder(folder);
  write(folder, name, made);
  if (line.json()) {
    Json json = cost_json(made);
    json["header"] = (folder / (name + ".h")).string();
    json["source"] = (folder / (name + ".c")).string();
    print_json(json);
  } else if (!line.quiet()) {
    print_costs(made);
    fmt::print("{} -> {} and .c\n", shown(source.path.string()),
               shown((folder / (name + ".h")).string()));
    fmt::print(
        "compile it with {}.c and tbn_micro.h: src/firmware and include of the source, "
        "share/tbn/micro and include of an installed tbn\n",
        line.text("form") == "f32" ? "tbn_micro_f32" : "tbn_micro");
  }
}

}  // namespace tbn::app
