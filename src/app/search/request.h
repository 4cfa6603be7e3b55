// The command line of tbn-search.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/support/options.h"
#include "encodings/encoding.h"
#include "search/cost.h"
#include "train/search/search_run.h"

namespace tbn::app {

// Declares every option.
void add_search_options(CommandLine& line);

// Throws ConfigError for options that do nothing for the way that was chosen.
void check_search_options(const CommandLine& line);

// --bytes, --bits, --macs, --ram and --flash, in this order. Throws ConfigError for what is no
// amount, and where none is given, unless `may_be_empty`.
Budget budget_of(const CommandLine& line, bool may_be_empty);

// --p, --levels and --rows.
ChoiceLimits choices_of(const CommandLine& line);
// --fix, at its commas.
std::vector<std::string> fixed_layers(const CommandLine& line);

// The configuration file that -o names. Throws ConfigError where it cannot be one or cannot be
// written, where its name is none of a run, where it is there and does not begin as tbn-search
// begins its files, and where it is the configuration that is searched or one of its bases.
std::filesystem::path found_path(const CommandLine& line);
// What --method and the options of searches that train say. Throws ConfigError for a number that is
// out of its range, and where the warm-up of `config` would not end.
bool trains(const CommandLine& line);
SearchSettings settings_of(const CommandLine& line, const Config& config, Budget budget);
// Where a search that trains keeps what it did: <output>/<name>_search.
std::filesystem::path search_folder(const Config& config, const std::filesystem::path& found);

// With which every file of tbn-search begins, as a comment.
inline constexpr const char* kFoundBy = "Found by tbn-search";

// What was typed, as a shell takes it.
std::string command_text(const std::vector<std::string>& words);

}  // namespace tbn::app
