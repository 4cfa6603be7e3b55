// tbn: one command for all tools: `tbn train ...` is tbn-train, and what belongs to none of them.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "app/command/parts.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "app/support/options.h"
#include "app/support/tool_beside.h"
#include "base/nearest.h"
#include "base/text.h"
#include "runtime/prepare.h"
#include "tbn/error.h"

namespace tbn::app {

const std::vector<std::string>& tool_verbs() {
  static const std::vector<std::string> verbs = {"train",   "eval",   "predict", "export",
                                                 "inspect", "search", "runs",    "bench"};
  return verbs;
}

namespace {

// Becomes the tool; returns only where that fails.
[[noreturn]] void become(const std::string& verb, char** arguments) {
  const std::string path = tool_beside("tbn-" + verb);
  std::vector<char*> passed;
  std::string name = "tbn-" + verb;
  passed.push_back(name.data());
  while (*arguments != nullptr) passed.push_back(*arguments++);
  passed.push_back(nullptr);
  ::execv(path.c_str(), passed.data());
  if (errno == ENOENT) {
    throw ConfigError(fmt::format("'{}' is not there; this tbn was built without it", path));
  }
  throw SystemError(fmt::format("'{}' cannot be started: {}", path, std::strerror(errno)));
}

// What a report of a fault needs.
int print_version(bool as_json) {
  const std::vector<std::string> sets = instruction_sets();
  if (as_json) {
    print_json(Json::object({{"tbn", TBN_VERSION},
                             {"commit", TBN_COMMIT},
                             {"compiler", TBN_COMPILER},
                             {"libtorch", TBN_LIBTORCH},
                             {"cuda", TBN_WITH_CUDA},
                             {"instruction_sets", sets}}));
    return kDone;
  }
  std::string list;
  for (const std::string& set : sets) list += (list.empty() ? "" : ", ") + set;
  fmt::print("tbn {}\ncommit: {}\ncompiler: {}\nLibTorch: {}\nCUDA: {}\nkernels for: {}\n",
             TBN_VERSION, TBN_COMMIT, TBN_COMPILER, TBN_LIBTORCH, TBN_WITH_CUDA, list);
  return kDone;
}

std::vector<std::string> all_verbs() {
  std::vector<std::string> verbs = tool_verbs();
  verbs.insert(verbs.end(), {"list", "completion", "man"});
  return verbs;
}

int run(int argc, char** argv) {
  const std::string verb = argc > 1 ? argv[1] : "";
  const std::vector<std::string>& tools = tool_verbs();
  if (std::ranges::find(tools, verb) != tools.end()) become(verb, argv + 2);
  const std::vector<std::string> words(argv + 1, argv + argc);
  const auto says = [&](const char* word) { return std::ranges::find(words, word) != words.end(); };
  if (verb.starts_with("--") && says("--version")) return print_version(says("--json"));
  // `tbn help train` is `tbn train --help`.
  if (verb == "help" && argc == 3 && std::ranges::find(tools, words[1]) != tools.end()) {
    std::string option = "--help";
    std::array<char*, 2> arguments = {option.data(), nullptr};
    become(words[1], arguments.data());
  }
  CommandLine line(
      "tbn", "Tiled Bit Networks: one command for all tools",
      "train | eval | predict | export | inspect | search | runs | bench <arguments of "
      "tbn-train, ...> | list networks | datasets | configs [folder] | ops | encodings | "
      "completion bash | zsh | fish | man <folder>");
  if (!line.parse(argc, argv)) return kDone;
  const std::vector<std::string>& arguments = line.arguments();
  if (arguments.empty()) {
    throw ConfigError(
        "what is to be done? tbn train, eval, predict, export, inspect, search, runs, "
        "bench, list, completion or man; see tbn --help");
  }
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (arguments.front() != "list") line.expect_only(arguments.front(), {"settings"});
  if (arguments.front() == "list") return list_parts(line, rest);
  if (arguments.front() == "completion") return print_completion(line, rest);
  if (arguments.front() == "man") return write_man_pages(line, rest);
  throw ConfigError("no command " + in_quotes(arguments.front()) +
                    did_you_mean(nearest(arguments.front(), all_verbs())) + "; see tbn --help");
}

}  // namespace
}  // namespace tbn::app

int main(int argc, char** argv) {
  return tbn::run_tool("tbn", [&] { return tbn::app::run(argc, argv); });
}
