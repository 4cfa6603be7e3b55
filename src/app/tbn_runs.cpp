// tbn-runs: runs side by side, and many of them after one command.
#include <array>
#include <string>
#include <vector>

#include "app/runs/commands.h"
#include "app/support/exit_codes.h"
#include "app/support/options.h"
#include "base/nearest.h"
#include "base/text.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

struct Command {
  const char* name;
  int (*run)(const CommandLine&, const std::vector<std::string>&);
};
constexpr std::array<Command, 5> kCommands = {{{"list", list_runs},
                                               {"show", show_run},
                                               {"compare", compare_runs},
                                               {"table", tabulate_runs},
                                               {"sweep", sweep_runs}}};

std::vector<std::string> names() {
  std::vector<std::string> all;
  all.reserve(kCommands.size());
  for (const Command& each : kCommands) all.emplace_back(each.name);
  return all;
}

// Which options a command looks at.
void check_options(const CommandLine& line, const std::string& command) {
  if (command == "list") line.expect_only("list", {"format", "sort", "json"});
  if (command == "show") line.expect_only("show", {"json"});
  if (command == "compare") line.expect_only("compare", {"format", "all", "json"});
  if (command == "table") line.expect_only("table", {"format", "by", "json"});
  if (command == "sweep") line.expect_only("sweep", {"format", "dry-run", "json", "settings"});
  if (line.json() && line.has("format")) {
    throw ConfigError("--format is about text, and --json prints none");
  }
}

int run(int argc, char** argv) {
  CommandLine line("tbn-runs", "lists, shows, compares and tabulates runs, and trains many of them",
                   "list [folder...] | show <run> | compare <run>... | table [folder...] | sweep "
                   "<file.yaml> key=a,b,... ");
  line.value("format", "name", "text, md, csv or latex", "text")
      .value("by", "keys",
             "table: the settings, between commas, that runs of a row share (default: those that "
             "differ, but for train.seed)")
      .value("sort", "by", "list: validation, test or date; the best or the latest first")
      .flag("all", "compare: also settings that change no result")
      .flag("dry-run", "sweep: print the runs that it would train");
  if (!line.parse(argc, argv)) return kDone;
  const std::vector<std::string>& arguments = line.arguments();
  if (arguments.empty()) throw ConfigError("which of list, show, compare, table and sweep?");
  const std::string& name = arguments.front();
  for (const Command& each : kCommands) {
    if (name != each.name) continue;
    check_options(line, name);
    return each.run(line, {arguments.begin() + 1, arguments.end()});
  }
  throw ConfigError("no command " + in_quotes(name) + did_you_mean(nearest(name, names())) +
                    "; there are list, show, compare, table and sweep");
}

}  // namespace
}  // namespace tbn::app

int main(int argc, char** argv) {
  return tbn::run_tool("tbn-runs", [&] { return tbn::app::run(argc, argv); });
}
