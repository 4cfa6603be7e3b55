// Prints a configuration and reads it back.
#include "config/storable.h"

#include <algorithm>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8.h"
#include "config/load.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// "data.root" for the line "  root: x" below "data:".
std::string key_of(const std::string& section, const std::string& line) {
  const std::size_t begin = line.find_first_not_of(" -");
  const std::string key = line.substr(begin, line.find(':', begin) - begin);
  return line[0] == ' ' ? section + "." + key : key;
}

void check_text(const std::string& yaml) {
  std::istringstream lines(yaml);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    if (is_utf8(line)) {
      if (!line.empty() && line[0] != ' ') section = line.substr(0, line.find(':'));
      continue;
    }
    const std::string key = key_of(section, line);
    std::string value = line.substr(std::min(line.size(), line.find(':') + 2));
    if (value.starts_with('"')) value = value.substr(1, value.rfind('"') - 1);
    throw ConfigError(
        fmt::format("{}: {} is not UTF-8, which checkpoints keep; rename it, or make a link to it",
                    key, in_quotes(value)));
  }
}

}  // namespace

void check_storable(const Config& config) {
  const std::string yaml = print_config(config);
  check_text(yaml);
  // Whatever else does not survive: the run could not be resumed, nor its checkpoint evaluated.
  try {
    if (print_config(parse_config(yaml, "config.yaml")) == yaml) return;
  } catch (const ConfigError& error) {
    throw ConfigError(fmt::format("the configuration could not be read back from a checkpoint: {}",
                                  error.what()));
  }
  throw ConfigError("the configuration would not come back from a checkpoint as it is");
}

}  // namespace tbn
