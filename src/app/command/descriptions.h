// What the tools say of their options, `tbn-train --describe`.
#pragma once

#include <string>
#include <vector>

namespace tbn::app {

struct OptionText {
  std::string name;      // "--config"
  std::string letter;    // "-c", or empty
  std::string value;     // "file"; empty: a flag
  std::string standard;  // its default, or empty
  std::string help;
  bool alone = false;  // also without its value
};

struct ToolText {
  std::string verb;  // "train"
  std::string tool;  // "tbn-train"
  std::string summary;
  std::string usage;
  std::vector<OptionText> options;
};

// Of each tool that is installed beside this one. Throws SystemError where one cannot be asked.
std::vector<ToolText> describe_tools();

}  // namespace tbn::app
