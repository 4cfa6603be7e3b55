// tbn-search: from a configuration and a budget to the configuration that spends it best.
#include <exception>

#include <fmt/format.h>

#include "app/search/found_config.h"
#include "app/search/report.h"
#include "app/search/request.h"
#include "app/search/twin.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "app/support/options.h"
#include "app/support/summary_table.h"
#include "app/train/future_size.h"
#include "base/shown.h"
#include "config/data_options.h"
#include "config/load.h"
#include "data/registry.h"
#include "graph/summary.h"
#include "search/rule.h"
#include "tbn/error.h"
#include "train/run/trainer_graph.h"
#include "train/search/search_run.h"

namespace tbn {
namespace {

using namespace app;
namespace fs = std::filesystem;

// What a search begins from.
struct Begin {
  Config base;    // what --config says
  Config config;  // with the settings of the command line
  SampleSpec samples;
  FutureFrame frame;
  Graph graph;

  const ChannelStatistics* statistics() const {
    return frame.statistics ? &*frame.statistics : nullptr;
  }
  FileFrame file() const {
    return {.metadata = frame.metadata,
            .test_vectors = frame.test_vectors,
            .units = frame.units,
            .scalars = scalar_type(config.exported)};
  }
};

// Without the data there are costs all the same, but for what the file has of them; data that are
// there and cannot be read are an error.
Begin begin(const CommandLine& line) {
  if (!line.files().empty()) {
    throw ConfigError(fmt::format(
        "'{}' is neither an option nor a setting; a configuration is given as --config <file>, a "
        "setting as key=value",
        line.files().front()));
  }
  const std::string file = line.text("config");
  if (file.empty()) throw ConfigError("which configuration? Give it as --config <file>");
  Begin begin;
  begin.base = load_config(file);
  begin.config = load_config(file, line.settings());
  begin.samples = describe_data(data_options(begin.config.data));
  const std::string large = too_large_to_pack(training_graph(begin.config, begin.samples));
  if (!large.empty()) throw ConfigError("the network is too large to be searched: " + large);
  begin.frame = future_frame(begin.config, begin.samples);
  if (begin.frame.broken_data) std::rethrow_exception(begin.frame.broken_data);
  begin.graph = training_graph(begin.config, begin.samples, begin.statistics());
  return begin;
}

// The head of a file that was found.
std::vector<std::string> comment_of(const std::vector<std::string>& command, const Begin& begin,
                                    const Budget& budget, const Costs& costs,
                                    const std::string& how) {
  std::vector<std::string> lines = {
      fmt::format("{}: {}", kFoundBy, command_text(command)),
      fmt::format("{}this network: {}",
                  budget.empty() ? "" : fmt::format("budget: {}; ", budget_text(budget)),
                  costs_text(costs)),
      fmt::format("{}; seed {}", how, begin.config.train.seed)};
  if (!begin.frame.without_rule.empty()) {
    lines.emplace_back(
        "The data could not be read: the file will have their names and rules besides.");
  }
  return lines;
}

// What the costs leave out, as text and in JSON; nothing where the data were read.
std::string text_without_data(const Begin& begin) {
  std::string text;
  if (!begin.frame.without_rule.empty()) {
    text += fmt::format(
        "the data cannot be read: {}\nthe file will have their names and rules besides, and be "
        "some "
        "hundred bytes larger\n",
        shown(begin.frame.without_rule));
  }
  if (!begin.samples.assumed.empty()) {
    text += fmt::format("the data are not here: {} assumed\n", shown(begin.samples.assumed));
  }
  return text;
}

void say_without_data(Json& json, const Begin& begin) {
  if (!begin.frame.without_rule.empty()) json["without_rule"] = begin.frame.without_rule;
  if (!begin.samples.assumed.empty()) json["assumed"] = begin.samples.assumed;
}

struct Found {
  Config config;
  Costs costs;
  std::string how;
};

void report(const CommandLine& line, const Begin& begin, const fs::path& path, const Budget& budget,
            const Found& found) {
  const Summary summary = summarize(training_graph(found.config, begin.samples, begin.statistics()),
                                    scalar_type(found.config.exported));
  if (line.json()) {
    Json json = summary_json(summary);
    json["config"] = path.string();
    json["costs"] = costs_json(found.costs);
    json["how"] = found.how;
    say_without_data(json, begin);
    print_json(json);
    return;
  }
  const std::string file = shown(path.string());
  fmt::print("{}\n{}: {}\n{}\n", summary_table(summary), file, costs_text(found.costs), found.how);
  if (!budget.empty()) fmt::print("budget: {}\n", budget_text(budget));
  fmt::print("{}", text_without_data(begin));
  fmt::print("train: tbn-train --config {}\n", file);
}

// Writes the configuration that was found, under its own name.
int finish(const CommandLine& line, const std::vector<std::string>& command, const Begin& begin,
           const fs::path& path, const Budget& budget, Found found) {
  found.config.name = path.stem().string();
  const std::string text = config_text(comment_of(command, begin, budget, found.costs, found.how),
                                       line.text("config"), path, begin.base, found.config);
  write_config(path, text, found.config);
  report(line, begin, path, budget, found);
  return kDone;
}

int find_twin(const CommandLine& line, const std::vector<std::string>& command) {
  const fs::path path = found_path(line);
  Budget budget = budget_of(line, true);
  const Begin from = begin(line);
  if (budget.empty()) {
    budget = {{CostKind::kFile, cost_of(from.graph, from.file())[CostKind::kFile]}};
  }
  Twin twin = twin_of(from.config, from.samples, from.statistics(), from.file(), budget);
  return finish(line, command, from, path, budget,
                {std::move(twin.config), twin.costs, "the widest 1-bit twin within it"});
}

SearchSpace space(const CommandLine& line, const Begin& begin) {
  return space_of(begin.config, begin.graph, begin.samples, choices_of(line), fixed_layers(line));
}

int print_space(const CommandLine& line) {
  const Budget budget = budget_of(line, true);
  const Begin from = begin(line);
  const SearchSpace all = space(line, from);
  CostMeter meter(all, from.file(), needs_c(budget));
  if (!budget.empty()) check_budget(meter, budget);
  if (line.json()) {
    Json json = space_json(meter);
    say_without_data(json, from);
    print_json(json);
  } else {
    fmt::print("{}{}", space_text(meter), text_without_data(from));
  }
  return kDone;
}

// One network of the space, by its name in search.csv.
int find_chosen(const CommandLine& line, const std::vector<std::string>& command) {
  const fs::path path = found_path(line);
  const Begin from = begin(line);
  const SearchSpace all = space(line, from);
  Pick pick;
  try {
    pick = pick_of(all, line.text("choices"), "--choices");
  } catch (const DataError& error) {
    throw ConfigError(
        fmt::format("{}; --dry-run lists the layers and their choices, in order", error.what()));
  }
  return finish(line, command, from, path, {},
                {config_of_pick(from.config, all, pick),
                 cost_of(with_choices(all, pick), from.file()), "by its choices"});
}

int find_by_rule(const CommandLine& line, const std::vector<std::string>& command) {
  const fs::path path = found_path(line);
  const Budget budget = budget_of(line, false);
  const Begin from = begin(line);
  const SearchSpace all = space(line, from);
  CostMeter meter(all, from.file(), needs_c(budget));
  check_budget(meter, budget);
  const Pick pick = pick_by_size(meter, budget);
  return finish(line, command, from, path, budget,
                {config_of_pick(from.config, all, pick), meter.exact(pick),
                 "by each layer's size, without training"});
}

// A search that trains begins from the dearest network of its space.
int find_by_training(const CommandLine& line, const std::vector<std::string>& command) {
  const fs::path path = found_path(line);
  const Budget budget = budget_of(line, false);
  const Begin from = begin(line);
  const SearchSettings settings = settings_of(line, from.config, budget);
  const SearchSpace all = space(line, from);
  CostMeter meter(all, from.file(), needs_c(budget));
  check_budget(meter, budget);
  const SearchOutcome outcome =
      run_search(config_of_pick(from.config, all, all.dearest()), meter, settings,
                 {.folder = search_folder(from.config, path),
                  .resumes = line.has("resume"),
                  .console = line.json() ? stderr : stdout});
  if (outcome.signal != 0) return kSignal + outcome.signal;
  return finish(
      line, command, from, path, budget,
      {config_of_pick(from.config, all, outcome.pick), meter.exact(outcome.pick), outcome.how});
}

int run_main(int argc, char** argv) {
  CommandLine line("tbn-search", "finds how a network's layers are best stored within a budget",
                   "--config <file> --bytes <n> -o <file> [key=value...]");
  add_search_options(line);
  if (!line.parse(argc, argv)) return kDone;
  check_search_options(line);
  std::vector<std::string> command(argv, argv + argc);
  command.front() = "tbn-search";
  if (line.has("dry-run")) return print_space(line);
  if (line.has("twin")) return find_twin(line, command);
  if (line.has("choices")) return find_chosen(line, command);
  return trains(line) ? find_by_training(line, command) : find_by_rule(line, command);
}

}  // namespace
}  // namespace tbn

int main(int argc, char** argv) {
  return tbn::run_tool("tbn-search", [&] { return tbn::run_main(argc, argv); });
}
