// Words of each step, and of the parts.
#include "prepare/rule_words.h"

#include <charconv>

#include "base/counted.h"
#include "prepare/rule_text.h"

namespace tbn {
namespace {

std::string number(double value) {
  char buffer[32];
  return {buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr};
}

struct WordsOf {
  std::string operator()(const DecodeStep& step) const {
    return "JPEGs may be decoded at down to 1/" + std::to_string(step.reduce) + " of their size";
  }
  std::string operator()(const OrientStep&) const {
    return "turned upright by the EXIF orientation";
  }
  std::string operator()(const ResizeStep& step) const {
    return "resized bilinearly (as Pillow) to a shorter side of " + std::to_string(step.shorter) +
           " pixels";
  }
  std::string operator()(const CropStep&) const { return "the centre cut out"; }
  std::string operator()(const FirstStep& step) const {
    return "the first " + counted(step.most, "point") + " of a file at most";
  }
  std::string operator()(const CentreStep&) const {
    return "the mean of the coordinates moved to 0";
  }
  std::string operator()(const ScaleStep&) const { return "the farthest point at distance 1"; }
  std::string operator()(const ChooseStep& step) const {
    return step.drawn ? "as many points as the network takes, drawn by a fixed seed"
                      : "the first points, as many as the network takes";
  }
  std::string operator()(const StandardiseStep&) const {
    return "each column minus its mean, over its deviation";
  }
  std::string operator()(const UnknownStep& step) const {
    return "'" + step.name + "', which this tbn does not know";
  }
};

template <class T, class Text>
std::string joined(const std::vector<T>& values, const Text& text) {
  std::string list;
  for (const T& value : values) list += (list.empty() ? "" : ", ") + text(value);
  return list;
}

std::string joined(const std::vector<std::string>& names) {
  return joined(names, [](const std::string& name) { return name; });
}

std::string steps_text(const InputRule& rule) {
  std::string steps =
      joined(rule.steps, [](const InputStep& step) { return std::visit(WordsOf{}, step); });
  if (!steps.empty()) return steps;
  return rule.units_in_graph ? "in original units, which the network standardises itself"
                             : "as they are stored";
}

}  // namespace

std::vector<std::string> words_of(const InputRule& rule) {
  std::vector<std::string> lines = {"input: " + rule.kind + ", " + steps_text(rule)};
  if (!rule.columns.empty()) lines.push_back("columns: " + joined(rule.columns));
  for (const InputStep& step : rule.steps) {
    const auto* standardise = std::get_if<StandardiseStep>(&step);
    if (standardise == nullptr) continue;
    lines.push_back("means: " + joined(standardise->mean, number));
    lines.push_back("deviations: " + joined(standardise->deviation, number));
  }
  if (!rule.up.empty()) lines.push_back("up: " + rule.up);
  if (rule.seconds > 0) lines.push_back("seconds from row to row: " + number(rule.seconds));
  return lines;
}

std::vector<std::string> words_of(const OutputRule& rule) {
  std::vector<std::string> lines = {"output: " + rule.kind};
  if (!rule.classes.empty()) {
    lines.push_back(counted(std::ssize(rule.classes), "class", "classes") + ": " +
                    joined(rule.classes));
  }
  if (!rule.folders.empty()) lines.push_back("their folders: " + joined(rule.folders));
  if (!rule.categories.empty()) {
    lines.push_back("categories: " + joined(rule.categories, [](const LabelRange& range) {
                      return range.name + " (labels " + std::to_string(range.first) + " to " +
                             std::to_string(range.first + range.count - 1) + ")";
                    }));
  }
  return lines;
}

std::vector<std::string> words_of(const MeasuredRule& rule) {
  std::string how = "measured on: " + rule.data;
  const auto add = [&](const char* key, const std::string& value) {
    how += ", " + std::string(key) + " " + value;
  };
  // A series is split by its rows, and nothing is held out of it at random.
  if (rule.rows.empty()) {
    add("validation", std::to_string(rule.validation));
    add("split_seed", std::to_string(rule.seed));
  }
  if (rule.train_limit > 0) add("train_limit", std::to_string(rule.train_limit));
  if (rule.test_limit > 0) add("test_limit", std::to_string(rule.test_limit));
  if (!rule.limits.empty() && rule.rows.empty()) add("limits", rule.limits);
  if (!rule.on_error.empty()) add("on_error", rule.on_error);
  if (!rule.test_folder.empty()) add("test folder", rule.test_folder);
  std::vector<std::string> lines = {how};
  std::string found;
  for (const std::string_view name : kSplitNames) {
    const auto split = rule.splits.find(std::string(name));
    if (split == rule.splits.end()) continue;
    found += (found.empty() ? "" : ", ") + std::to_string(split->second.count) + " " + split->first;
  }
  if (!found.empty()) lines.push_back("samples found: " + found);
  if (!rule.rows.empty()) {
    lines.push_back("rows of training, validation and test: " +
                    joined(rule.rows, [](std::int64_t count) { return std::to_string(count); }));
  }
  return lines;
}

std::vector<std::string> words_of(const Rule& rule) {
  std::vector<std::string> all;
  const auto add = [&](const auto& part) {
    if (!part) return;
    for (std::string& line : words_of(*part)) all.push_back(std::move(line));
  };
  add(rule.input);
  add(rule.output);
  add(rule.measured);
  return all;
}

}  // namespace tbn
