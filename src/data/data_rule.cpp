// Fills in a rule, and compares two.
#include "data/data_rule.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/text.h"
#include "prepare/inputs.h"
#include "prepare/rule_grammar.h"
#include "tbn/error.h"

namespace tbn {
namespace {

OutputRule output_rule(const SampleSpec& spec) {
  OutputRule rule{
      .classes = spec.class_names, .folders = spec.class_folders, .categories = spec.categories};
  rule.kind = spec.task.task == Task::kForecasting    ? "forecast"
              : spec.task.task == Task::kSegmentation ? "point_class"
                                                      : "class";
  return rule;
}

InputRule input_rule(const SeriesRule& series) {
  InputRule rule{.kind = "series",
                 .steps = {StandardiseStep{series.statistics.mean, series.statistics.deviation}},
                 .columns = series.columns,
                 .seconds = series.seconds};
  // Columns whose names cannot be written down are taken by their place.
  if (!std::ranges::all_of(rule.columns, is_rule_name)) rule.columns.clear();
  return rule;
}

MeasuredRule measured_rule(const DataOptions& options, const DataSplits& splits) {
  MeasuredRule rule{.data = options.name,
                    .validation = options.validation,
                    .seed = static_cast<std::int64_t>(options.split_seed),
                    .train_limit = options.train_limit,
                    .test_limit = options.test_limit,
                    .on_error = options.on_error == OnError::kSkip ? "skip" : "",
                    .test_folder = splits.test_folder};
  if (options.on_error == OnError::kSkip) rule.skip_most = options.skip_most;
  if (options.train_limit > 0 || options.test_limit > 0) {
    rule.limits = options.limits == LimitRule::kFirst ? "first" : "class";
  }
  const auto add = [&](const char* name, const std::optional<Listing>& found) {
    if (found) rule.splits[name] = {.count = found->count, .listing = found->crc};
  };
  add("train", splits.found.train);
  add("validation", splits.found.validation);
  add("test", splits.found.test);
  if (splits.series) {
    // Split by its rows: nothing is held out at random.
    rule.validation = rule.seed = 0;
    if (!rule.limits.empty()) rule.limits = "first";
    const SeriesRows& rows = splits.series->rows;
    rule.rows = {rows.train, rows.validation, rows.test};
    rule.chosen_columns = splits.series->chosen;
  } else if (splits.found.validation) {
    // Nothing is held out where the data has a validation split of its own.
    rule.validation = 0;
    if (rule.limits != "class") rule.seed = 0;
  }
  return rule;
}

// What is said of one split; empty where both are the same or one does not know.
std::string difference_of(const std::string& name, const MeasuredRule& then,
                          const MeasuredRule& now, const std::string& where) {
  const auto a = then.splits.find(name);
  const auto b = now.splits.find(name);
  if (a == then.splits.end() || b == now.splits.end()) return {};
  const auto count = [](std::int64_t value) { return grouped(static_cast<std::uint64_t>(value)); };
  if (a->second.count != b->second.count) {
    return fmt::format("'{}' knew {}, and there are {} now", where,
                       counted(a->second.count, name + " sample"), count(b->second.count));
  }
  if (!a->second.listing || !b->second.listing || a->second.listing == b->second.listing) return {};
  return fmt::format(
      "'{}' knew {} (listing {:08x}), and of as many now some have other names, classes "
      "or places (listing {:08x})",
      where, counted(a->second.count, name + " sample"), *a->second.listing, *b->second.listing);
}

// A folder for testing that came later, or went, makes other folders of validation and of test.
std::string other_folder(const MeasuredRule& then, const MeasuredRule& now,
                         const std::string& where) {
  if (then.test_folder.empty() || now.test_folder.empty() || then.test_folder == now.test_folder) {
    return {};
  }
  return fmt::format(
      "'{}' was tested on the folder '{}', and it is '{}' that would be tested on now", where,
      then.test_folder, now.test_folder);
}

// A folder for validation that came later, or went: samples of training were held out, or are now.
std::string other_validation(const MeasuredRule& then, const MeasuredRule& now,
                             const std::string& where) {
  if (then.splits.count("train") == 0 || now.splits.count("train") == 0) return {};
  const bool own = then.splits.count("validation") > 0;
  if (own == (now.splits.count("validation") > 0)) return {};
  return own ? fmt::format(
                   "'{}' was trained beside a validation split of the data's own, and there "
                   "is none now",
                   where)
             : fmt::format(
                   "'{}' held its validation samples out of training, and the data has a "
                   "validation split of its own now",
                   where);
}

// The first name of a list that another does not have; null: it has all.
const std::string* first_missing(const std::vector<std::string>& names,
                                 const std::vector<std::string>& from) {
  const auto found = std::ranges::find_if(
      names, [&](const std::string& name) { return std::ranges::find(from, name) == from.end(); });
  return found == names.end() ? nullptr : &*found;
}

// How two lists of names differ, as a sentence.
std::string names_differ(const std::vector<std::string>& then, const std::vector<std::string>& now,
                         const std::string& what) {
  const std::string* gone = first_missing(then, now);
  const std::string* came = first_missing(now, then);
  const std::string counts = then.size() == now.size()
                                 ? ""
                                 : fmt::format(" ({} now, and {} then)", now.size(), then.size());
  if (gone != nullptr && came != nullptr) {
    return fmt::format("the data has no {} '{}' any more, and has a {} '{}'{}", what, *gone, what,
                       *came, counts);
  }
  if (gone != nullptr)
    return fmt::format("the data has no {} '{}' any more{}", what, *gone, counts);
  if (came != nullptr) {
    return fmt::format("the data has a {} '{}', which it had not{}", what, *came, counts);
  }
  const auto at = std::ranges::mismatch(then, now);
  if (at.in1 == then.end() || at.in2 == now.end())
    return fmt::format("a {} is twice{}", what, counts);
  return fmt::format("'{}' is where the {} '{}' was", *at.in2, what, *at.in1);
}

// Throws DataError where two lists that both are known differ.
void check_same_names(const std::vector<std::string>& then, const std::vector<std::string>& now,
                      const std::string& what, const std::string& way_out,
                      const std::string& where) {
  if (then.empty() || now.empty() || then == now) return;
  throw DataError(fmt::format("{}: {}; a run goes on with what it began with: {}", where,
                              names_differ(then, now, what), way_out));
}

}  // namespace

Rule rule_of(const DataOptions& options, const DataSplits& splits) {
  TBN_CHECK(splits.test || splits.train, "a rule is of a split");
  const Dataset& any = splits.test ? *splits.test : *splits.train;
  Rule rule{.input = splits.series ? input_rule(*splits.series) : any.input_rule(),
            .output = output_rule(any.spec()),
            .measured = measured_rule(options, splits)};
  // Names that cannot be written down are said by nobody, rather than wrongly.
  const OutputRule& output = *rule.output;
  if (!std::ranges::all_of(output.classes, is_rule_name) ||
      !std::ranges::all_of(output.folders, is_rule_name) || !fault_of(output).empty()) {
    rule.output.reset();
  }
  if (rule.input->kind.empty()) {
    rule.input.reset();
  } else {
    rule.input->check = example_check(rule, any.spec().input);
  }
  return rule;
}

bool is_of_series(const Rule& rule) { return rule.input && rule.input->kind == "series"; }

SeriesRule series_of(const Rule& rule, bool same_set) {
  SeriesRule series;
  if (is_of_series(rule)) {
    series.columns = rule.input->columns;
    series.seconds = rule.input->seconds;
    for (const InputStep& step : rule.input->steps) {
      const auto* standardise = std::get_if<StandardiseStep>(&step);
      if (standardise == nullptr) continue;
      series.statistics = {.mean = standardise->mean, .deviation = standardise->deviation};
    }
  }
  if (!rule.measured || !same_set) return series;
  series.chosen = rule.measured->chosen_columns;
  const std::vector<std::int64_t>& rows = rule.measured->rows;
  if (rows.size() == 3) series.rows = {.train = rows[0], .validation = rows[1], .test = rows[2]};
  return series;
}

DataDifference difference(const MeasuredRule& then, const MeasuredRule& now,
                          const std::string& where) {
  DataDifference result;
  if (then.data != now.data) return result;
  const std::string folder = other_folder(then, now, where);
  result.of_test = folder.empty() ? difference_of("test", then, now, where) : folder;
  for (const char* name : {"train", "validation"}) {
    if (result.of_training.empty()) result.of_training = difference_of(name, then, now, where);
  }
  if (result.of_training.empty()) result.of_training = folder;
  if (result.of_training.empty()) result.of_training = other_validation(then, now, where);
  return result;
}

std::vector<std::string> check_same_data(const Rule& then, const Rule& now,
                                         const std::string& where) {
  if (then.output && now.output) {
    check_same_names(then.output->keys(), now.output->keys(), "class",
                     "name the classes as they were, or start another run from its weights with "
                     "name=... init.from=" +
                         where,
                     where);
  }
  if (then.input && now.input) {
    check_same_names(then.input->columns, now.input->columns, "column",
                     "bring them back, or start another run with name=...", where);
  }
  if (!then.measured || !now.measured) return {};
  const DataDifference found = difference(*then.measured, *now.measured, where);
  if (!found.of_training.empty()) {
    throw DataError(
        found.of_training +
        "; a run goes on with the samples that it began with: bring them back, or start "
        "another run with name=...");
  }
  if (found.of_test.empty()) return {};
  return {found.of_test};
}

}  // namespace tbn
