// The commands of `tbn` that are not tools of their own.
#pragma once

#include <string>
#include <vector>

#include "app/support/options.h"

namespace tbn::app {

// The tools that `tbn <verb>` runs: train for tbn-train, ...
const std::vector<std::string>& tool_verbs();

// tbn list networks | datasets | configs [folder] | ops | encodings
int list_parts(const CommandLine& line, const std::vector<std::string>& arguments);
// tbn completion bash | zsh | fish: a script for the shell, made from the tools' options.
int print_completion(const CommandLine& line, const std::vector<std::string>& arguments);
// tbn man <folder>: a page of each tool, man1/tbn-train.1, ...
int write_man_pages(const CommandLine& line, const std::vector<std::string>& arguments);

}  // namespace tbn::app
