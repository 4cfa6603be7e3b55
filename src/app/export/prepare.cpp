// Reads --prepare and --prepare-for.
#include "app/export/prepare.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "runtime/prepare.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

// The backends of --prepare, "exact,int8".
std::vector<Backend> prepared_backends(const CommandLine& line) {
  std::vector<Backend> backends;
  const std::string list = line.text("prepare");
  for (std::size_t begin = 0; line.has("prepare") && begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string name = list.substr(begin, end - begin);
    if (name != "exact" && name != "int8") {
      throw ConfigError("--prepare: " + in_quotes(name) + " is not one of exact, int8");
    }
    backends.push_back(name == "exact" ? Backend::kExact : Backend::kInt8);
    begin = end + 1;
  }
  return backends;
}

std::string prepared_for(const CommandLine& line) {
  const std::vector<std::string> known = instruction_sets();
  if (!line.has("prepare-for")) return known.front();
  if (!line.has("prepare")) throw ConfigError("--prepare-for: say what to prepare with --prepare");
  std::string name = line.text("prepare-for");
  if (std::ranges::find(known, name) != known.end()) return name;
  throw ConfigError(
      fmt::format("--prepare-for: {} is not one of {}", in_quotes(name), fmt::join(known, ", ")));
}

}  // namespace

void add_prepare_options(CommandLine& line) {
  line.value("prepare", "backends",
             "exact, int8 or exact,int8: also store the weights as their kernels read them, which "
             "then start at once and share memory; without it, a packed file loses those it has")
      .value("prepare-for", "name",
             fmt::format("the instruction set of those kernels, one that this processor has: {} "
                         "(default: the first)",
                         fmt::join(instruction_sets(), ", ")));
}

Preparation preparation_of(const CommandLine& line) {
  return {.backends = prepared_backends(line), .instructions = prepared_for(line)};
}

}  // namespace tbn::app
