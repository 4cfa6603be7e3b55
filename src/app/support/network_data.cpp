// Brings rule, configuration and command line together, and compares the data with the rule.
#include "app/support/network_data.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include <fmt/format.h>

#include "app/support/rule_settings.h"
#include "base/counted.h"
#include "base/shown.h"
#include "base/text.h"
#include "config/data_options.h"
#include "config/load.h"
#include "config/recorded_paths.h"
#include "data/class_match.h"
#include "data/data_rule.h"
#include "data/source/not_found.h"
#include "eval/fit.h"
#include "prepare/rule_words.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// The data set that a network was trained on; empty where nothing says it.
std::string own_set(const NetworkOrigin& origin) {
  if (origin.rule.measured) return origin.rule.measured->data;
  if (!origin.config_yaml.empty()) {
    return parse_recorded_config(origin.config_yaml, origin.path).data.name;
  }
  const auto found = origin.metadata.find("tbn.trained_on");
  return found == origin.metadata.end() ? "" : found->second;
}

// A name out of a file is used where it is known, and nothing else of its text.
std::string known_name(const CommandLine& line, const NetworkOrigin& origin) {
  if (line.has("data")) return find_dataset(line.text("data")).name;
  const std::string name = own_set(origin);
  if (name.empty()) {
    throw ConfigError(
        fmt::format("'{}' does not say what it was trained on; give the data set as --data <name>",
                    origin.path));
  }
  const std::vector<std::string>& names = dataset_names();
  if (std::ranges::find(names, name) != names.end()) return name;
  throw ConfigError(
      fmt::format("'{}' was trained on {}, which this tbn does not know; give the data set as "
                  "--data <name>",
                  origin.path, in_quotes(name)));
}

bool says(const CommandLine& line, const std::string& key) {
  const std::vector<std::string> settings = line.settings();
  return std::ranges::any_of(
      settings, [&](const std::string& setting) { return setting.starts_with(key + "="); });
}

// `base` with what the command line says of samples that are read for `uses`.
DataConfig changed(DataConfig base, const CommandLine& line, unsigned uses) {
  for (const char* option : {"data", "root"}) {
    const std::string key = option == std::string("data") ? "data.name" : "data.root";
    if (!line.has(option) || !says(line, key)) continue;
    throw ConfigError(fmt::format("--{} and {}= say the same; give one of them", option, key));
  }
  if (line.has("data")) base.name = find_dataset(line.text("data")).name;
  std::vector<std::string> settings = line.settings();
  if (line.has("root")) settings.push_back("data.root=" + line.text("root"));
  return change_data(base, settings, uses);
}

unsigned use_of(Split split) {
  if (split == Split::kTest) return kUseTestSplit;
  return split == Split::kTrain ? kUseTrainingSplit : kUseValidationSplit;
}

// Whether `name` is another data set than the one that the network was trained on.
bool is_other_set(const NetworkOrigin& origin, const std::string& name) {
  const std::string own = own_set(origin);
  return !own.empty() && own != name;
}

// Where a data set lies and which of its samples are read is known of one's own data alone: of
// another one the defaults hold, whether a run or its packed file is asked.
void forget_samples(DataConfig& config) {
  const DataConfig defaults;
  config.root = defaults.root;
  config.validation = defaults.validation;
  config.split_seed = defaults.split_seed;
  config.train_limit = defaults.train_limit;
  config.test_limit = defaults.test_limit;
  config.limits = defaults.limits;
  config.on_error = defaults.on_error;
  config.skip_most = defaults.skip_most;
  config.series.columns = defaults.series.columns;
}

constexpr unsigned kUnjudged = 0;  // beside a rule that is still to be taken

// The recorded settings of the data set that is read, before any rule.
DataConfig recorded(const CommandLine& line, const NetworkOrigin& origin) {
  DataConfig config;
  if (origin.config_yaml.empty()) {
    config.name = known_name(line, origin);
    return config;
  }
  config = parse_recorded_config(origin.config_yaml, origin.path).data;
  if (is_other_set(origin, changed(config, line, kUnjudged).name)) {
    forget_samples(config);
  } else if (!line.has("root") && !says(line, "data.root")) {
    check_recorded_path("data.root", config.root, origin.path, "give --root <folder>");
  }
  return config;
}

// What is told of samples of another data set than the network's own; empty for its own.
std::string other_samples(const NetworkOrigin& origin, const DataConfig& config, Split split) {
  if (!is_other_set(origin, config.name)) return {};
  std::string samples = fmt::format("data.test_limit={}", config.test_limit);
  if (split != Split::kTest) {
    samples = fmt::format("data.train_limit={}", config.train_limit);
    Config whole;
    whole.data = config;
    if (idle_for_data("data.validation", whole).empty()) {
      samples = fmt::format("data.validation={}, data.split_seed={}, {}", config.validation,
                            config.split_seed, samples);
    }
  }
  return fmt::format(
      "'{}' was trained on {}: of {} those samples are read that the command line and the defaults "
      "say ({}), whichever it knew of its own",
      origin.path, in_quotes(own_set(origin)), in_quotes(config.name), samples);
}

[[noreturn]] void ask_for(const NetworkOrigin& origin, const std::string& what,
                          const std::string& keys) {
  throw ConfigError(
      fmt::format("'{}' does not say {}; give {} as the run had them, or export it "
                  "again from its run",
                  origin.path, what, keys));
}

// A packed file that says less than its figure depends on: what is asked of the user.
void check_enough(const CommandLine& line, const NetworkOrigin& origin, const DataConfig& config,
                  Split split, SampleUse use) {
  if (!origin.config_yaml.empty()) return;
  Config whole;
  whole.data = config;
  const bool holds_out = idle_for_data("data.validation", whole).empty();
  const bool own = !is_other_set(origin, config.name);
  if (own && holds_out && !origin.rule.measured && split != Split::kTest &&
      use == SampleUse::kFigure &&
      !(says(line, "data.validation") && says(line, "data.split_seed"))) {
    ask_for(origin, "which training samples were held out",
            "data.validation=... and data.split_seed=...");
  }
  const bool as_everyone =
      config.image_size == 224 || (config.name == "tiny_imagenet" && config.image_size == 64);
  if (!origin.rule.input && find_dataset(config.name).folders_are_classes && !as_everyone &&
      !says(line, "data.resize")) {
    ask_for(origin, "how its pictures are resized", "data.resize=...");
  }
}

// Whether samples are held out of those of training, and no split of its own is there instead.
bool holds_out(const MeasuredRule& rule) {
  return rule.validation > 0 && !rule.splits.contains("validation");
}

// What both know of the samples. Those of which some are held out, then or now, must be the ones
// that the rule knew: with one more, others are held out. Calibration is content with any.
void compare_samples(const Rule& rule, const DataSplits& splits, Split split, SampleUse use,
                     const std::string& path, std::vector<std::string>& notes) {
  if (!rule.measured || !splits.rule.measured) return;
  const MeasuredRule& then = *rule.measured;
  const MeasuredRule& now = *splits.rule.measured;
  const DataDifference found = difference(then, now, path);
  const std::string& differs = split == Split::kTest ? found.of_test : found.of_training;
  if (differs.empty()) return;
  const bool own_split = then.splits.contains("validation") != now.splits.contains("validation");
  const bool picks_others = holds_out(now) || (holds_out(then) && now.validation > 0) || own_split;
  if (split != Split::kTest && use == SampleUse::kFigure && picks_others) {
    throw DataError(differs +
                    "; other samples would be held out of these than were held out in training");
  }
  notes.push_back(differs);
}

// A figure is of some samples.
void check_any(const Dataset& samples, const DataConfig& config, Split split,
               const std::string& path) {
  if (samples.size() > 0) return;
  const bool holds_none = split == Split::kValidation && config.validation == 0;
  throw ConfigError(
      fmt::format("'{}': the {} split of data set '{}' has no samples{}; name another with --split",
                  path, to_string(split), config.name,
                  holds_none ? ", since data.validation=0 holds none out of training" : ""));
}

// Whether the data has a validation split of its own is known when it is open. Of a file that does
// not say how its run held samples out, that was asked before.
void refuse_idle_split(const NetworkOrigin& origin, const DataConfig& base,
                       const DataConfig& config, const DataSplits& splits) {
  if (!splits.found.validation || (origin.config_yaml.empty() && !origin.rule.measured)) return;
  for (const std::string& key : idle_split_keys(config, base)) {
    throw ConfigError(fmt::format("{}: {}", key, kIdleSplit));
  }
}

std::string steps_of(const InputRule& rule) {
  std::string names;
  for (const InputStep& step : rule.steps) {
    // How JPEGs are decoded and turned are settings of their own, and so are the numbers of steps;
    // means may stand in the graph.
    if (std::holds_alternative<DecodeStep>(step) || std::holds_alternative<OrientStep>(step))
      continue;
    if (std::holds_alternative<StandardiseStep>(step)) continue;
    names += (names.empty() ? "" : ", ") + std::string(name_of(step));
  }
  return names.empty() ? "no steps" : names;
}

// "rows 801 to 1,000 are forecast, the test split of the 1,000 at hand (700 train, 100 validate,
// 200 test)"
std::string rows_text(const SeriesRows& rows, Split split) {
  const std::int64_t begin = split == Split::kTrain        ? 0
                             : split == Split::kValidation ? rows.train
                                                           : rows.train + rows.validation;
  const std::int64_t count = split == Split::kTrain        ? rows.train
                             : split == Split::kValidation ? rows.validation
                                                           : rows.test;
  const auto text = [](std::int64_t row) { return grouped(static_cast<std::uint64_t>(row)); };
  return fmt::format(
      "rows {} to {} are forecast, the {} split of the {} at hand ({} train, {} validate, {} test)",
      text(begin + 1), text(begin + count), to_string(split), text(rows.sum()), text(rows.train),
      text(rows.validation), text(rows.test));
}

// What is read for a figure that nothing says the samples of: a table's rows are split anew.
std::string chosen_anew(const NetworkOrigin& origin, const NetworkData& data,
                        const DataSplits& splits, Split split) {
  const bool other = is_other_set(origin, data.config.name);
  if (other || origin.rule.measured) {
    return other && splits.series
               ? "of " + in_quotes(data.config.name) + " " + rows_text(splits.series->rows, split)
               : "";
  }
  return fmt::format("'{}' does not say which samples its figure was measured on: {}", origin.path,
                     splits.series ? rows_text(splits.series->rows, split)
                                   : fmt::format("read now: {} of the {} split of {}",
                                                 counted(data.samples->size(), "sample"),
                                                 to_string(split), in_quotes(data.config.name)));
}

// Each reader makes its inputs in its own way: where that is not the network's, its figure says
// nothing of the network.
void compare_inputs(const NetworkOrigin& origin, const DataSplits& splits, const std::string& data,
                    std::vector<std::string>& notes) {
  if (!origin.rule.input || !splits.rule.input) return;
  const InputRule& rule = *origin.rule.input;
  const InputRule& made = *splits.rule.input;
  if (rule.kind != made.kind) {
    throw DataError(
        fmt::format("'{}' takes inputs of the kind {}, and those of data set '{}' are {}",
                    origin.path, in_quotes(rule.kind), data, in_quotes(made.kind)));
  }
  if (steps_of(rule) == steps_of(made)) return;
  notes.push_back(fmt::format(
      "'{}' was trained on inputs made with {}, and those of data set '{}' are made with "
      "{}: its figure is that of other inputs",
      origin.path, steps_of(rule), data, steps_of(made)));
}

// What is taken for granted where a packed file does not say its inputs and outputs: how the data
// at hand are made into inputs, and their order of classes or columns. Images of files of fixed
// size, of the network's own data set, are what they are.
std::string taken_for_granted(const NetworkOrigin& origin, const DataConfig& config,
                              const DataSplits& splits, const SampleSpec& spec) {
  if (!origin.config_yaml.empty() || origin.rule.input || !splits.rule.input) return {};
  const bool is_fixed = data_kind(config.name) == kStoredImageData;
  if (is_fixed && !is_other_set(origin, config.name)) return {};
  const char* order = spec.task.task == Task::kForecasting ? ", its columns in the table's order"
                      : !origin.rule.output ? ", its classes in the order of the data's"
                                            : "";
  const std::string words = words_of(*splits.rule.input).front();
  return fmt::format(
      "'{}' does not say how its inputs are made: those of {} are made as by default, or as the "
      "command line says ({}){}",
      origin.path, in_quotes(config.name), words.substr(words.find(' ') + 1), order);
}

// What `read` does with the data of `options`. Where they are not found, the message says who named
// the place.
template <class Read>
auto found_or_told(const CommandLine& line, const NetworkOrigin& origin, const DataOptions& options,
                   const Read& read) {
  const bool typed = line.has("root") || says(line, "data.root");
  try {
    return read();
  } catch (const DataNotFound& error) {
    if (typed) throw;
    if (options.root.empty()) {
      throw DataError(
          fmt::format("{}; '{}' does not say where its data are: --root names the place",
                      error.what(), origin.path));
    }
    throw DataError(fmt::format(
        "{}; '{}' recorded data.root='{}', and no other place was looked at: --root names another",
        error.what(), origin.path, options.root.string()));
  }
}

bool by_place(const CommandLine& line, const Rule& rule, const DataConfig& config) {
  const std::string match = line.text("match");
  if (match != "names" && match != "places") {
    throw ConfigError("--match: '" + match + "' is not one of names, places");
  }
  const bool built_in = !find_dataset(config.name).folders_are_classes;
  return match == "places" || (built_in && rule.measured && rule.measured->data == config.name);
}

}  // namespace

DataConfig recorded_data(const CommandLine& line, const NetworkOrigin& origin) {
  return changed(recorded(line, origin), line, kUseEvaluation);
}

void add_match_option(CommandLine& line) {
  line.value("match", "how",
             "names: the data's classes are the network's of the same name; places: of the same "
             "place in the order",
             "names");
}

NetworkData open_network_data(const CommandLine& line, const NetworkOrigin& origin, Split split,
                              SampleUse use) {
  DataConfig base = recorded(line, origin);
  // The settings are judged once, beside what the rule says.
  const DataConfig first = changed(base, line, kUnjudged);
  if (origin.config_yaml.empty() || is_other_set(origin, first.name)) {
    const DataOptions options = data_options(first);
    found_or_told(line, origin, options, [&] { take_sizes(base, origin.graph, options); });
  }
  const bool same_set = origin.rule.measured && origin.rule.measured->data == first.name;
  const bool is_recorded = !origin.config_yaml.empty() && !is_other_set(origin, first.name);
  // Any training samples will do, and no default is held out of few.
  if (use == SampleUse::kCalibration && !same_set && !is_recorded) base.validation = 0;
  const std::vector<RuleSetting> ruled = take_rule(base, origin.rule, same_set);
  // The network's classes say how many there are, and the data may have fewer of them.
  if (origin.rule.output) base.classes = 0;
  NetworkData result{.config = changed(base, line, use_of(split))};
  check_enough(line, origin, result.config, split, use);
  const std::string other = other_samples(origin, result.config, split);
  if (!other.empty()) result.notes.push_back(other);
  for (const RuleSetting& setting : ruled) {
    const std::string now = setting.text(result.config);
    if (now == setting.text(base)) continue;
    result.overridden.push_back(setting.key);
    result.notes.push_back(fmt::format("{}={} instead of the {} that '{}' was measured with",
                                       setting.key, now, setting.text(base), origin.path));
  }
  DataOptions options = data_options(result.config);
  options.series.rule = series_rule(origin.rule, origin.units, same_set);
  DataSplits splits = found_or_told(line, origin, options, [&] {
    return load_data(options, {.train = split != Split::kTest, .test = split == Split::kTest});
  });
  refuse_idle_split(origin, base, result.config, splits);
  compare_samples(origin.rule, splits, split, use, origin.path, result.notes);
  compare_inputs(origin, splits, result.config.name, result.notes);
  if (splits.rule.input) result.input = words_of(*splits.rule.input).front();
  for (std::string& note : splits.notes) result.notes.push_back(std::move(note));
  result.samples = split_of(splits, split);
  check_any(*result.samples, result.config, split, origin.path);
  const std::string granted =
      taken_for_granted(origin, result.config, splits, result.samples->spec());
  if (!granted.empty()) result.notes.push_back(granted);
  const std::string anew = chosen_anew(origin, result, splits, split);
  if (use == SampleUse::kFigure && !anew.empty()) result.notes.push_back(anew);
  if (splits.series && !options.series.rule) {
    result.notes.push_back(
        fmt::format("'{}' does not say by which means and deviations its series was standardised; "
                    "those of the training rows at hand are used",
                    origin.path));
  }
  const SampleSpec& spec = result.samples->spec();
  // Other sizes are another kind of data, of which names say nothing.
  if (origin.graph.input_shape() != spec.input) check_data_fits(origin.graph, spec, origin.path);
  if (!origin.rule.output) return result;
  const ClassMatch match =
      match_classes(*origin.rule.output, spec, by_place(line, origin.rule, result.config),
                    "'" + origin.path + "'", ", or go by their order with --match places");
  if (!match.note.empty()) result.notes.push_back(match.note);
  result.samples = with_classes_of(*origin.rule.output, result.samples, match);
  return result;
}

void print_notes(const CommandLine& line, const std::vector<std::string>& notes) {
  if (line.quiet()) return;
  for (const std::string& note : notes) fmt::print(stderr, "note: {}\n", shown(note));
}

}  // namespace tbn
