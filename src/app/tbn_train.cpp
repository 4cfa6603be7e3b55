// tbn-train: from a YAML configuration to a run directory.
#include <csignal>
#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "app/support/options.h"
#include "app/support/summary_table.h"
#include "base/text.h"
#include "config/data_options.h"
#include "config/load.h"
#include "data/registry.h"
#include "tbn/error.h"
#include "train/optimizer_groups.h"
#include "train/trainer.h"
#include "train/trainer_graph.h"

namespace tbn {
namespace {

// The network that a configuration makes and how it is optimised, known without any data.
struct Plan {
  Summary summary;
  std::vector<ParameterInfo> parameters;
  std::vector<ResolvedGroup> groups;
};

Plan plan_of(const Config& config) {
  const Graph graph = training_graph(config, describe_data(data_options(config.data)));
  Plan plan{summarize(graph), trained_parameters(graph), {}};
  plan.groups = resolve_groups(config.optim, plan.parameters);
  return plan;
}

std::int64_t values_in(const Plan& plan, const ResolvedGroup& group) {
  std::int64_t values = 0;
  for (const std::size_t member : group.members) values += plan.parameters[member].count;
  return values;
}

void print_plan(const Config& config, const Plan& plan, std::FILE* console) {
  fmt::print(console, "{}: {} on {}\n\n{}\n", config.name, config.model.type, config.data.name,
             summary_table(plan.summary));
  for (const ResolvedGroup& group : plan.groups) {
    if (group.members.empty()) continue;
    fmt::print(console, "{}: {} tensors, {} values, {}\n", group.label, group.members.size(),
               grouped(static_cast<std::uint64_t>(values_in(plan, group))), describe(group.fields));
  }
  fmt::print(console, "\n");
  std::fflush(console);
}

Json plan_json(const Plan& plan) {
  Json json = summary_json(plan.summary);
  Json groups = Json::array();
  for (const ResolvedGroup& group : plan.groups) {
    Json members = Json::array();
    for (const std::size_t member : group.members) members.push_back(plan.parameters[member].name);
    Json entry = Json::object();
    entry["match"] = group.label;
    entry["type"] = group.fields.type;
    entry["lr"] = group.fields.lr;
    entry["weight_decay"] = group.fields.weight_decay;
    entry["values"] = values_in(plan, group);
    entry["parameters"] = std::move(members);
    groups.push_back(std::move(entry));
  }
  json["groups"] = std::move(groups);
  return json;
}

RunMode run_mode(const CommandLine& line) {
  if (line.has("resume") && line.has("overwrite")) {
    throw ConfigError("--resume continues a run and --overwrite replaces it; give one of them");
  }
  return line.has("resume")      ? RunMode::kResume
         : line.has("overwrite") ? RunMode::kOverwrite
                                 : RunMode::kNew;
}

Config config_of(const CommandLine& line) {
  if (!line.files().empty()) {
    throw ConfigError(fmt::format(
        "'{}' is neither an option nor a setting; a configuration is given as --config <file>, a "
        "setting as key=value",
        line.files().front()));
  }
  if (line.text("config").empty()) {
    throw ConfigError("which configuration? Give it as --config <file>");
  }
  return load_config(line.text("config"), line.settings());
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

int train_and_report(const CommandLine& line, const Config& config, RunMode mode, const Plan& plan,
                     std::vector<std::string> command_line) {
  std::unique_ptr<std::FILE, CloseFile> silent;
  std::FILE* console = line.json() ? stderr : stdout;
  if (line.quiet()) {
    silent.reset(std::fopen("/dev/null", "w"));
    if (silent) console = silent.get();
  }
  RunDirectory(std::filesystem::path(config.output) / config.name).check(mode);
  print_plan(config, plan, console);
  const TrainOutcome outcome =
      train(config, {.mode = mode, .command_line = std::move(command_line), .console = console});
  if (line.json()) print_json(outcome_json(config, outcome, plan.summary));
  if (outcome.signal != 0) return outcome.signal == SIGINT ? kInterrupted : kTerminated;
  fmt::print(console, "evaluate: tbn-eval {0}\nexport:   tbn-export {0}\n",
             outcome.folder.string());
  return kDone;
}

int run_main(int argc, char** argv) {
  CommandLine line("tbn-train", "trains a tiled network as a YAML configuration says",
                   "--config <file> [key=value...]");
  line.value("config,c", "file", "the YAML configuration")
      .flag("resume", "continue the run of this name from its last checkpoint")
      .flag("overwrite", "replace the run of this name")
      .flag("dry-run", "print the layers and parameter groups; touch no file")
      .flag("print-config", "print the resolved configuration")
      .flag("validate", "check the configuration");
  if (!line.parse(argc, argv)) return kDone;
  const RunMode mode = run_mode(line);
  const Config config = config_of(line);
  if (line.has("print-config")) {
    fmt::print("{}", print_config(config));
    return kDone;
  }
  const Plan plan = plan_of(config);
  if (line.has("validate")) {
    if (line.json()) {
      print_json(Json::object({{"valid", true}}));
    } else {
      fmt::print("{}: valid\n", line.text("config"));
    }
    return kDone;
  }
  if (line.has("dry-run")) {
    if (line.json()) {
      print_json(plan_json(plan));
    } else {
      print_plan(config, plan, stdout);
    }
    return kDone;
  }
  return train_and_report(line, config, mode, plan, {argv, argv + argc});
}

}  // namespace
}  // namespace tbn

int main(int argc, char** argv) {
  return tbn::run_tool("tbn-train", [&] { return tbn::run_main(argc, argv); });
}
