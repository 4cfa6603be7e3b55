// Options of tbn-search and what they mean.
#include "app/search/request.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8.h"
#include "config/load.h"
#include "encodings/uniform.h"
#include "file/atomic_write.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

namespace fs = std::filesystem;

// "1,2,4" with each number in its range.
std::vector<std::int64_t> numbers_of(const CommandLine& line, const std::string& option,
                                     std::int64_t min, std::int64_t max) {
  constexpr std::size_t kMost = 64;
  const std::string text = line.text(option);
  std::vector<std::int64_t> numbers;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (bool more = true; more;) {
    std::int64_t value = 0;
    const auto [next, error] = std::from_chars(at, end, value);
    const bool is_last = next == end;
    if (error != std::errc() || value < min || value > max || (!is_last && *next != ',') ||
        numbers.size() == kMost) {
      throw ConfigError(
          fmt::format("--{}: must be whole numbers from {} to {} with commas between, "
                      "is {}; see tbn-search --help",
                      option, min, max, in_quotes(text)));
    }
    numbers.push_back(value);
    at = is_last ? end : next + 1;
    more = !is_last;
  }
  return numbers;
}

bool is_plain(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
         std::strchr("-_=./:,+@%", c) != nullptr;
}

// By the words of --method, in the order of SearchMethod, and `rule`.
void check_method(const CommandLine& line) {
  const std::string method = line.text("method");
  if (method == "rule") {
    line.expect_only("--method rule",
                     {"config", "output", "method", "json", "settings", "bytes", "bits", "macs",
                      "ram", "flash", "p", "levels", "rows", "fix"});
  } else if (method == "sensitivity") {
    line.expect_only("--method sensitivity",
                     {"config", "output", "method", "json", "settings", "bytes", "bits", "macs",
                      "ram", "flash", "p", "levels", "rows", "fix", "epochs", "resume"});
  } else if (method != "supernet") {
    throw ConfigError(
        fmt::format("--method: {} is not one of supernet, sensitivity, rule", in_quotes(method)));
  }
}

// Sums of signs are no latents: half of those of two would be 0.
void check_latents(const OptimConfig& optim) {
  bool signs = optim.fields.type == OptimizerType::kBop;
  for (const OptimGroup& group : optim.groups) {
    signs = signs || group.fields.type == OptimizerType::kBop;
  }
  if (!signs) return;
  throw ConfigError(
      "--method supernet adds up latents, of which optim type bop keeps the signs alone; train "
      "them "
      "with another type, or search with --method sensitivity");
}

}  // namespace

void add_search_options(CommandLine& line) {
  line.value("config,c", "file", "the YAML configuration to begin from")
      .value("output,o", "file", "the YAML configuration to write")
      .value("bytes", "n", "the largest packed file; 48k is 48,000, and 1M a million")
      .value("bits", "n", "the most bits of weights and scalars")
      .value("macs", "n", "the most multiply-adds per example")
      .value("ram", "n", "the largest arena of the C export, in bytes")
      .value("flash", "n", "the largest const arrays of the C export, in bytes")
      .value("p", "list", "the factors that tiled and binary layers choose from", "1,2,4,8,16")
      .value("levels", "list", "the bits that uniform layers choose from", "4,6,8")
      .value("rows", "n", "the fewest rows that a tile stores", "4")
      .value("fix", "globs", "layers that stay as they are: conv1,*.shortcut")
      .value(
          "method", "how",
          "supernet: shared weights, trained once; sensitivity: a short training of each choice of "
          "each layer alone; rule: by a layer's size, without training",
          "supernet")
      .value("epochs", "n", "of the supernet, or of each training of sensitivity", "8")
      .value("near", "n", "per cent of the budget within which a step draws networks", "15")
      .value("recalibrate", "n", "training samples that norms are measured on", "2048")
      .value("population", "n", "networks that evolution keeps", "64")
      .value("generations", "n", "of evolution", "20")
      .flag("resume", "go on with a search that was stopped")
      .value("choices", "list",
             "writes the network of these choices, as a row of search.csv has them: 4/2/8")
      .flag("twin",
            "the widest 1-bit network that keeps the budget, instead of a search; without "
            "one, that of equal file bytes")
      .flag("dry-run", "print what would be chosen from; touch no file");
}

void check_search_options(const CommandLine& line) {
  if (line.has("dry-run")) {
    line.expect_only("--dry-run", {"config", "dry-run", "json", "settings", "bytes", "bits", "macs",
                                   "ram", "flash", "p", "levels", "rows", "fix"});
  } else if (line.has("twin")) {
    line.expect_only("--twin", {"config", "output", "twin", "json", "settings", "bytes", "bits",
                                "macs", "ram", "flash"});
  } else if (line.has("choices")) {
    line.expect_only("--choices", {"config", "output", "choices", "json", "settings", "p", "levels",
                                   "rows", "fix"});
  } else {
    check_method(line);
  }
}

Budget budget_of(const CommandLine& line, bool may_be_empty) {
  Budget budget;
  for (const CostKind kind : kCostKinds) {
    const std::string option(option_of(kind));
    if (!line.has(option)) continue;
    const auto amount = parse_amount(line.text(option));
    if (!amount) {
      throw ConfigError(fmt::format(
          "--{}: must be a number of {} such as 48k, 1.5M or 50257, is {}; see tbn-search --help",
          option, unit_of(kind), in_quotes(line.text(option))));
    }
    budget.push_back({kind, *amount});
  }
  if (budget.empty() && !may_be_empty) {
    throw ConfigError(
        "which budget? Give it as --bytes <n>, or as --bits, --macs, --ram or --flash");
  }
  return budget;
}

ChoiceLimits choices_of(const CommandLine& line) {
  constexpr std::int64_t kMost = 65536;
  return {.factors = numbers_of(line, "p", 1, kMost),
          .least_rows = line.number("rows", 1, kMost),
          .bits = numbers_of(line, "levels", kFewestLevelBits, kMostLevelBits)};
}

std::vector<std::string> fixed_layers(const CommandLine& line) {
  std::vector<std::string> globs;
  if (!line.has("fix")) return globs;
  const std::string text = line.text("fix");
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    globs.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return globs;
}

bool trains(const CommandLine& line) { return line.text("method") != "rule"; }

SearchSettings settings_of(const CommandLine& line, const Config& config, Budget budget) {
  constexpr std::int64_t kMostEpochs = 100000;
  constexpr std::int64_t kMostNetworks = 100000;
  constexpr std::int64_t kMostSamples = std::int64_t{1} << 40;
  SearchSettings settings{.method = line.text("method") == "supernet" ? SearchMethod::kSupernet
                                                                      : SearchMethod::kSensitivity,
                          .epochs = line.number("epochs", 1, kMostEpochs),
                          .near = static_cast<double>(line.number("near", 1, 100)) / 100,
                          .recalibrate = line.number("recalibrate", 2, kMostSamples),
                          .population = line.number("population", 1, kMostNetworks),
                          .generations = line.number("generations", 0, kMostNetworks),
                          .budget = std::move(budget),
                          .choices = choices_of(line),
                          .fixed = fixed_layers(line)};
  if (config.schedule.warmup_epochs >= static_cast<double>(settings.epochs)) {
    throw ConfigError(fmt::format("--epochs: must be above schedule.warmup_epochs ({}), is {}",
                                  config.schedule.warmup_epochs, settings.epochs));
  }
  if (settings.method == SearchMethod::kSupernet) check_latents(config.optim);
  return settings;
}

fs::path search_folder(const Config& config, const fs::path& found) {
  return fs::path(config.output) / (found.stem().string() + "_search");
}

namespace {

// Of `path`, whose links lead somewhere.
void check_folder_of(const fs::path& path) {
  std::error_code error;
  const fs::path folder = fs::weakly_canonical(fs::absolute(path), error).parent_path();
  std::string wrong;
  if (!fs::exists(folder, error)) {
    wrong = "is not there; make it first";
  } else if (!fs::is_directory(folder, error)) {
    wrong = "is no folder; name a file in one";
  } else if (::access(folder.c_str(), W_OK | X_OK) != 0) {
    wrong = "takes no files of yours; name a file in another one";
  } else {
    try {  // before hours of a search whose result could not be kept
      const AtomicFile tried(path);
    } catch (const SystemError&) {
      wrong = "takes no files; name a file in another one";
    }
  }
  if (wrong.empty()) return;
  throw ConfigError(fmt::format("--output: the folder of {}, {}, {}", in_quotes(path.string()),
                                in_quotes(folder.string()), wrong));
}

// A file that is read as the base of what is written would be its own base.
void check_not_read(const fs::path& path, const fs::path& config) {
  std::error_code error;
  if (!fs::exists(path, error)) return;
  for (const fs::path& file : config_files(config)) {
    if (!fs::equivalent(file, path, error)) continue;
    const bool itself = fs::equivalent(config, path, error);
    throw ConfigError(fmt::format(
        "--output: {} is {}; choose another name", in_quotes(path.string()),
        itself ? "the configuration that is searched" : "a base of " + in_quotes(config.string())));
  }
}

}  // namespace

fs::path found_path(const CommandLine& line) {
  const fs::path path = line.text("output");
  if (path.empty()) throw ConfigError("which file to write? Give it as -o <file.yaml>");
  std::error_code error;
  const std::string kind = other_kind(path);
  if (path == "-" || !kind.empty() || fs::is_directory(path, error)) {
    throw ConfigError(fmt::format("--output: {} {}; name a file", in_quotes(path.string()),
                                  path == "-"    ? "is no file"
                                  : kind.empty() ? "is a folder"
                                                 : kind));
  }
  const std::string extension = path.extension().string();
  if (extension != ".yaml" && extension != ".yml") {
    throw ConfigError(fmt::format("--output: {} is not named as a configuration; name it {}",
                                  in_quotes(path.string()), in_quotes(path.string() + ".yaml")));
  }
  if (!is_run_name(path.stem().string())) {
    throw ConfigError(fmt::format(
        "--output: {} would name runs, which a plain folder name of at most 200 bytes does; choose "
        "another name",
        in_quotes(path.stem().string())));
  }
  check_folder_of(path);
  const std::string begins = std::string("# ") + kFoundBy;
  const std::string before = first_bytes(path, begins.size());
  if (!before.empty() && before != begins) {
    throw ConfigError(fmt::format(
        "--output: {} is there and was not written by tbn-search, which does not write over it; "
        "choose another name",
        in_quotes(path.string())));
  }
  if (!is_utf8(line.text("config"))) {
    throw ConfigError(
        fmt::format("--config: {} is no UTF-8, and what is written names it as its base; rename it",
                    in_quotes(line.text("config"))));
  }
  if (!line.text("config").empty()) check_not_read(path, line.text("config"));
  return path;
}

std::string command_text(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    const bool plain = !word.empty() && std::ranges::all_of(word, is_plain);
    std::string quoted = word;
    for (std::size_t at = 0; !plain && (at = quoted.find('\'', at)) != std::string::npos; at += 4) {
      quoted.replace(at, 1, "'\\''");
    }
    text += (text.empty() ? "" : " ") + (plain ? word : "'" + quoted + "'");
  }
  return text;
}

}  // namespace tbn::app
