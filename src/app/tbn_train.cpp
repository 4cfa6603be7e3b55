// tbn-train: from a YAML configuration to a run directory.
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "app/support/options.h"
#include "app/support/summary_table.h"
#include "app/train/future_size.h"
#include "app/train/run_config.h"
#include "base/counted.h"
#include "base/shown.h"
#include "base/text.h"
#include "config/data_options.h"
#include "config/key_use.h"
#include "config/load.h"
#include "data/registry.h"
#include "graph/summary.h"
#include "tbn/error.h"
#include "train/optim/optimizer_groups.h"
#include "train/run/open_run.h"
#include "train/run/trainer.h"
#include "train/run/trainer_graph.h"
#include "train/run/trainer_idle.h"

namespace tbn {
namespace {

// The network that a configuration makes and how it is optimised, known without any data.
struct Plan {
  Summary summary;
  std::vector<ParameterInfo> parameters;
  std::vector<ResolvedGroup> groups;
  SampleSpec samples;
  std::vector<std::string> idle;  // sentences on settings that decide nothing
};

Plan plan_of(const Config& config) {
  SampleSpec samples = describe_data(data_options(config.data));
  const Graph graph = training_graph(config, samples);
  Plan plan{summarize(graph, scalar_type(config.exported)),
            trained_parameters(graph),
            {},
            std::move(samples),
            idle_rules(config, graph)};
  plan.groups = resolve_groups(config.optim, plan.parameters);
  return plan;
}

std::int64_t values_in(const Plan& plan, const ResolvedGroup& group) {
  std::int64_t values = 0;
  for (const std::size_t member : group.members) values += plan.parameters[member].count;
  return values;
}

std::string plan_text(const Config& config, const Plan& plan) {
  std::string text = fmt::format("{}: {} on {}\n\n{}\n", config.name, config.model.type,
                                 config.data.name, summary_table(plan.summary));
  for (const ResolvedGroup& group : plan.groups) {
    if (group.members.empty()) continue;
    text +=
        fmt::format("{}: {}, {}, {}\n", group.label, counted(std::ssize(group.members), "tensor"),
                    counted(values_in(plan, group), "value"), describe(group.fields));
  }
  return text + "\n";
}

// What a dry run alone says: the size of the file to come, and what was assumed of the data.
void print_forecast(const Config& config, const Plan& plan, const FutureSize& size) {
  if (size.file) {
    fmt::print("packed file{}: {}\n",
               size.without_rule.empty() ? "" : ", without the names and rules of the data",
               size_text(*size.file));
  } else {
    fmt::print("packed file: not known: {}\n", shown(size.unknown));
  }
  if (!size.without_rule.empty() && !size.broken_data)
    fmt::print("the data cannot be read: {}\n", shown(size.without_rule));
  if (!plan.samples.assumed.empty()) {
    fmt::print("the data are not here: {} assumed\n", shown(plan.samples.assumed));
  }
  if (const std::string late = beyond_end(config); !late.empty()) fmt::print("{}\n", late);
  for (const std::string& text : plan.idle) fmt::print("{}\n", text);
}

Json plan_json(const Plan& plan) {
  Json json = summary_json(plan.summary);
  Json groups = Json::array();
  for (const ResolvedGroup& group : plan.groups) {
    Json members = Json::array();
    for (const std::size_t member : group.members) members.push_back(plan.parameters[member].name);
    Json entry = Json::object();
    entry["match"] = group.label;
    entry["type"] = std::string(word_of(group.fields.type));
    entry["lr"] = group.fields.lr;
    entry["weight_decay"] = group.fields.weight_decay;
    entry["values"] = values_in(plan, group);
    entry["parameters"] = std::move(members);
    groups.push_back(std::move(entry));
  }
  json["groups"] = std::move(groups);
  return json;
}

// What is printed without training has options of its own.
void check_options(const CommandLine& line) {
  if (line.has("print-config")) {
    line.expect_only("--print-config", {"config", "print-config", "settings"});
  } else if (line.has("validate")) {
    line.expect_only("--validate", {"config", "validate", "json", "settings"});
  } else if (line.has("dry-run")) {
    line.expect_only("--dry-run, which touches no run", {"config", "dry-run", "json", "settings"});
  }
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

// For what accompanies a training, which does not fail for a console that went away.
void print_to(std::FILE* console, const std::string& text) {
  errno = 0;
  std::fputs(text.c_str(), console);
  if (std::fflush(console) == 0 || (errno != EPIPE && errno != EIO)) return;
  std::clearerr(console);
  if (std::freopen("/dev/null", "w", console) == nullptr) return;
}

void print_ways_on(std::FILE* console, const std::filesystem::path& folder) {
  print_to(console, fmt::format("evaluate: tbn-eval {0}\nexport:   tbn-export {0} -o {1}.tbn\n",
                                shown(folder.string()), shown(folder.filename().string())));
}

int report_done(const CommandLine& line, const OpenRun& run, std::FILE* console) {
  const RunResult& result = *run.result;
  if (line.json()) print_json(result.summary);
  if (line.quiet() && !line.json()) {
    fmt::print("{}: {}\n", shown(run.directory.folder().string()), result.test);
  }
  print_to(console,
           fmt::format("'{}' is complete, {}: {}\n", shown(run.directory.folder().string()),
                       counted(result.epochs, "epoch"), result.test));
  for (const std::string& note : run.notes) print_to(console, note + "\n");
  print_ways_on(console, run.directory.folder());
  return kDone;
}

int train_and_report(const CommandLine& line, const RunConfig& asked, RunMode mode,
                     std::vector<std::string> command_line) {
  const Config& config = asked.config;
  // Before the folder is touched, where there is something to train.
  std::optional<Plan> plan;
  if (!asked.is_done) plan = plan_of(config);
  std::unique_ptr<std::FILE, CloseFile> silent;
  std::FILE* console = line.json() ? stderr : stdout;
  if (line.quiet()) {
    silent.reset(std::fopen("/dev/null", "w"));
    if (silent) console = silent.get();
  }
  std::signal(SIGPIPE, SIG_IGN);
  OpenRun run = open_run(
      config, mode, [console](const std::string& text) { print_to(console, shown(text) + "\n"); },
      kAutoWait, asked.as_earlier ? &*asked.as_earlier : nullptr);
  if (run.is_done) return report_done(line, run, console);
  if (!plan) plan = plan_of(config);
  print_to(console, plan_text(config, *plan));
  const TrainOutcome outcome =
      train(std::move(run), {.command_line = std::move(command_line), .console = console});
  if (line.json()) print_json(outcome_json(config, outcome, plan->summary));
  if (outcome.signal != 0) return kSignal + outcome.signal;
  if (line.quiet() && !line.json() && outcome.test) {
    fmt::print("{}: test {}\n", shown(outcome.folder.string()), outcome.test->headline());
  }
  print_ways_on(console, outcome.folder);
  return kDone;
}

Json forecast_json(const Plan& plan, const FutureSize& size) {
  Json json = plan_json(plan);
  if (size.file) json["file"] = size_json(*size.file);
  if (!size.unknown.empty()) json["without_file"] = size.unknown;
  if (!size.without_rule.empty()) json["without_rule"] = size.without_rule;
  if (!plan.samples.assumed.empty()) json["assumed"] = plan.samples.assumed;
  return json;
}

// Without the data there is a plan all the same; with data that cannot be read there is no
// training.
void print_dry_run(const CommandLine& line, const Config& config, const Plan& plan) {
  const FutureSize size = future_size(config, plan.samples);
  if (line.json()) {
    print_json(forecast_json(plan, size));
  } else {
    fmt::print("{}", plan_text(config, plan));
    print_forecast(config, plan, size);
  }
  std::fflush(stdout);
  if (size.broken_data) std::rethrow_exception(size.broken_data);
}

int run_main(int argc, char** argv) {
  CommandLine line("tbn-train", "trains a tiled network as a YAML configuration says",
                   "(--config <file> | --resume <run directory>) [key=value...]");
  line.value("config,c", "file", "the YAML configuration")
      .choice("resume", "how", "last",
              "continue the run of this name, or of a run directory that is named instead of "
              "--config, from its last checkpoint; auto: or start where there is none; best: from "
              "its best")
      .flag("overwrite", "replace the run of this name")
      .flag("dry-run", "print the layers and parameter groups; touch no file")
      .flag("print-config", "print the resolved configuration")
      .flag("validate", "check the configuration")
      .quiet_flag("print the result and errors only");
  if (!line.parse(argc, argv)) return kDone;
  check_options(line);
  const RunMode mode = run_mode(line);
  const RunConfig asked = run_config(line, mode);
  const Config& config = asked.config;
  if (line.has("print-config")) {
    fmt::print("{}", print_config(config));
    return kDone;
  }
  if (!line.has("validate") && !line.has("dry-run")) {
    return train_and_report(line, asked, mode, {argv, argv + argc});
  }
  const Plan plan = plan_of(config);
  if (line.has("validate")) {
    if (line.json()) {
      print_json(Json::object({{"valid", true}}));
    } else {
      fmt::print("{}: valid\n", shown(line.has("config") ? line.text("config") : config.name));
    }
    return kDone;
  }
  print_dry_run(line, config, plan);
  return kDone;
}

}  // namespace
}  // namespace tbn

int main(int argc, char** argv) {
  return tbn::run_tool("tbn-train", [&] { return tbn::run_main(argc, argv); });
}
