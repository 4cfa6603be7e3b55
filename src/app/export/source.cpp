// Reads and packs; says what it was trained on.
#include "app/export/source.h"

#include <charconv>
#include <cstdio>

#include <fmt/format.h>

#include "app/export/scalars.h"
#include "app/export/units.h"
#include "app/support/limits.h"
#include "base/shown.h"
#include "base/text.h"
#include "config/data_options.h"
#include "config/load.h"
#include "data/registry.h"
#include "export/checkpoint_reader.h"
#include "export/packed_model.h"
#include "graph/passes/half_scalars.h"
#include "graph/passes/passes.h"
#include "graph/passes/units.h"
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

std::map<std::string, std::string> facts_of(const TrainedModel& trained) {
  std::map<std::string, std::string> metadata;
  metadata["tbn.producer"] = "tbn-export";
  if (!trained.config_yaml.empty()) {
    metadata["tbn.trained_on"] =
        parse_recorded_config(trained.config_yaml, trained.path.string()).data.name;
  }
  if (trained.test) metadata["tbn." + trained.measure] = number(*trained.test);
  if (trained.val) metadata["tbn.val_" + trained.measure] = number(*trained.val);
  metadata.merge(metadata_of(trained.rule));
  return metadata;
}

// What --rule leaves of a file's rule.
void keep_rule(const CommandLine& line, PackedFile& file) {
  const std::string kept = line.text("rule");
  if (kept != "full" && kept != "use" && kept != "none") {
    throw ConfigError("--rule: '" + kept + "' is not one of full, use, none");
  }
  for (const std::string_view key : kRuleKeys) {
    if (kept == "none" || (kept == "use" && key == kMeasuredRuleKey)) {
      file.metadata.erase(std::string(key));
    }
  }
}

// The file of a network as it is now, with these test vectors. The network's scalars are floats
// afterwards.
void pack(const CommandLine& line, ExportSource& source,
          std::map<std::string, std::string> metadata, const HostTensor& vectors) {
  source.file = make_packed_file(source.packed, std::move(metadata), vectors, limits_of(line));
  widen_scalars(source.packed);
}

// The file of a packed network that has changed, with as many test vectors as it had, which are
// within the limit on memory: a small file may name many.
void pack_again(const CommandLine& line, ExportSource& source) {
  std::map<std::string, std::string> metadata = source.file.metadata;
  for (const std::string_view key : kRuleKeys) metadata.erase(std::string(key));
  metadata.merge(metadata_of(source.rule));
  const auto& vectors = source.file.test_vectors;
  const std::int64_t count = vectors ? vectors->count() : 0;
  const bool was_compact = is_compact(source.file);
  pack(line, source, std::move(metadata),
       generated_inputs(kExampleGenerator, source.packed.graph, source.packed.tensors, count,
                        limits_of(line), source.path.string()));
  if (was_compact) make_compact(source.file, source.path.string(), limits_of(line));
}

ExportSource read_file(const CommandLine& line, const std::filesystem::path& path) {
  if (line.has("verify")) {
    throw ConfigError("--verify: '" + path.string() +
                      "' is packed already and keeps the test vectors that it has");
  }
  ExportSource source{.path = path, .file = read_packed(path), .is_packed = true};
  source.file.prepared.clear();
  const auto network = Network::from_file(source.file, path.string(), limits_of(line));
  source.packed = {network->graph(), network->tensors()};
  source.rule = network->rule();
  const std::string where = "'" + path.string() + "'";
  const bool other_units = set_units(line, source.packed, source.rule, false, where);
  if (line.has("scalars")) {
    set_scalars(source.packed, scalars_of(line, source.file), where);
  } else {
    keep_scalars(source.packed, source.file.tensors);
  }
  if (other_units || source.packed.tensors != source.file.tensors) {
    pack_again(line, source);
  } else {
    widen_scalars(source.packed);
  }
  return source;
}

// The rule of a run whose checkpoints hold none, made of its configuration and the data at hand.
// Where the data is not there the file gets no rule, and the user is told.
Rule found_rule(const CommandLine& line, const TrainedModel& trained) {
  const std::string where = trained.path.string();
  std::string problem = "it has no configuration";
  try {
    if (!trained.config_yaml.empty()) {
      const DataConfig config =
          recorded_data(line, {.path = where, .config_yaml = trained.config_yaml});
      Rule rule = load_data(data_options(config)).rule;
      check_rule_fits(rule, trained.model.graph.input_shape(), trained.model.graph.output_shape(),
                      where);
      return rule;
    }
  } catch (const ConfigError& error) {
    if (!line.settings().empty()) throw;  // the user's
    problem = error.what();
  } catch (const Error& error) {
    problem = error.what();
  }
  if (line.quiet()) return {};
  fmt::print(stderr,
             "note: '{}' is of an older tbn and does not say how its inputs are made and what its "
             "classes are called, and its data cannot be asked ({}); the file will not say it "
             "either; name the data's folder with --root\n",
             shown(where), shown(problem));
  return {};
}

// Data are read for ranges, and for the rule of a run that does not say it; else naming them does
// nothing.
void check_data_options(const CommandLine& line, const TrainedModel& trained) {
  const bool integers = line.text("format") == "c" && line.text("form") == "int8";
  const bool asks_rule = trained.rule.empty() && line.text("rule") != "none";
  if (line.has("calibrate") || integers || asks_rule) return;
  std::string given = line.settings().empty() ? "" : in_quotes(line.settings().front());
  for (const char* option : {"match", "root", "data"}) {
    if (line.has(option)) given = "--" + std::string(option);
  }
  if (given.empty()) return;
  throw ConfigError(
      fmt::format("{} does nothing here: no data are read for this file, whose rule "
                  "'{}' says itself; leave it out",
                  given, trained.path.string()));
}

ExportSource read_run(const CommandLine& line, const std::filesystem::path& path) {
  const long long vectors = line.number("verify", 0, kMaxVectors);
  TrainedModel trained = read_trained(path);
  const DType scalars = scalars_of(line, trained.config_yaml, trained.path.string());
  check_data_options(line, trained);
  if (trained.rule.empty() && line.text("rule") != "none") trained.rule = found_rule(line, trained);
  Model packed = pack_model(std::move(trained.model));
  set_units(line, packed, trained.rule, true, "'" + trained.path.string() + "'");
  ExportSource source{.path = trained.path,
                      .packed = std::move(packed),
                      .config_yaml = trained.config_yaml,
                      .rule = trained.rule,
                      .averaged = trained.averaged};
  set_scalars(source.packed, scalars, "'" + source.path.string() + "'");
  pack(line, source, facts_of(trained), example_inputs(source.packed, vectors));
  return source;
}

}  // namespace

ExportSource read_source(const CommandLine& line, const std::filesystem::path& path) {
  const bool is_file = path.extension() == ".tbn" && !std::filesystem::is_directory(path);
  ExportSource source = is_file ? read_file(line, path) : read_run(line, path);
  keep_rule(line, source.file);
  return source;
}

NetworkOrigin origin_of(const ExportSource& source) {
  return {.path = source.path.string(),
          .config_yaml = source.config_yaml,
          .rule = source.rule,
          .graph = source.packed.graph,
          .metadata = source.file.metadata,
          .units = units_of(source.packed)};
}

}  // namespace tbn::app
