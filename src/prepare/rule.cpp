// Names of steps, names in rules, and whether a rule is one for a network.
#include "tbn/rule.h"

#include <algorithm>

#include "base/counted.h"
#include "base/text.h"
#include "base/utf8.h"
#include "prepare/rule_text.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::size_t kMostNameBytes = 256;

struct NameOf {
  std::string_view operator()(const DecodeStep&) const { return "decode"; }
  std::string_view operator()(const OrientStep&) const { return "orient"; }
  std::string_view operator()(const ResizeStep&) const { return "resize"; }
  std::string_view operator()(const CropStep&) const { return "crop"; }
  std::string_view operator()(const FirstStep&) const { return "first"; }
  std::string_view operator()(const CentreStep&) const { return "centre"; }
  std::string_view operator()(const ScaleStep&) const { return "scale"; }
  std::string_view operator()(const ChooseStep&) const { return "choose"; }
  std::string_view operator()(const StandardiseStep&) const { return "standardise"; }
  std::string_view operator()(const UnknownStep& step) const { return step.name; }
};

// Both sets of control characters: U+0000 to U+001F and U+007F to U+009F.
bool is_control(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return byte(0) < 0x20 || byte(0) == 0x7f;
  return sequence.size() == 2 && byte(0) == 0xc2 && byte(1) < 0xa0;
}

[[noreturn]] void misfit(const std::string& where, std::string_view key, const std::string& what) {
  throw DataError(where + ": " + std::string(key) + ": " + what +
                  "; the file is damaged, or was put together by hand");
}

void check_image(const InputRule& rule, const Shape& input, const std::string& where) {
  if (input.size() != 3) {
    misfit(where, kInputRuleKey, "it is of images, and the network takes " + to_string(input));
  }
  for (const InputStep& step : rule.steps) {
    const auto* resize = std::get_if<ResizeStep>(&step);
    if (resize == nullptr || resize->shorter >= std::max(input[1], input[2])) continue;
    misfit(where, kInputRuleKey,
           "the shorter side becomes " + std::to_string(resize->shorter) +
               " pixels, fewer than the network takes, " + to_string(input));
  }
}

// A class for each point, or one for all of them.
void check_points(const Rule& rule, const Shape& input, const Shape& output,
                  const std::string& where) {
  const std::size_t categories = rule.output ? rule.output->categories.size() : 0;
  if (input[1] < 3 + static_cast<std::int64_t>(categories)) {
    misfit(where, kInputRuleKey,
           "points have three coordinates" +
               (categories == 0 ? "" : " before " + std::to_string(categories) + " categories") +
               ", and the network takes " + to_string(input));
  }
  if (output.size() == 2 && output[0] != input[0]) {
    misfit(
        where, kInputRuleKey,
        "it is of points, and the network gives " + to_string(output) + " of " + to_string(input));
  }
}

// Of points and series: one name per value of a row, and the one-hot category after them.
void check_columns(const Rule& rule, const Shape& input, const std::string& where) {
  if (input.size() != 2) {
    misfit(where, kInputRuleKey,
           "it is of " + rule.input->kind + ", and the network takes " + to_string(input));
  }
  const std::size_t categories = rule.output ? rule.output->categories.size() : 0;
  const auto row = static_cast<std::size_t>(input[1]);
  const std::size_t named = rule.input->columns.size();
  if (named != 0 && named + categories != row) {
    misfit(where, kInputRuleKey,
           counted(static_cast<std::int64_t>(named), "column") + " and " +
               counted(static_cast<std::int64_t>(categories), "category", "categories") +
               ", and the network takes " + to_string(input));
  }
  for (const InputStep& step : rule.input->steps) {
    const auto* standardise = std::get_if<StandardiseStep>(&step);
    if (standardise == nullptr || standardise->mean.size() == row) continue;
    misfit(where, kInputRuleKey,
           "means of " + counted(std::ssize(standardise->mean), "column") +
               ", and the network takes " + to_string(input));
  }
}

void check_classes(const OutputRule& rule, const Shape& output, const std::string& where) {
  const bool names = rule.kind == "class" || rule.kind == "point_class";
  const std::size_t rank = rule.kind == "class" ? 1 : 2;
  if ((names || rule.kind == "forecast") && output.size() != rank) {
    misfit(where, kOutputRuleKey,
           "it is of the kind '" + rule.kind + "', and the network gives " + to_string(output));
  }
  const std::int64_t logits = output.empty() ? 0 : output.back();
  if (names && static_cast<std::int64_t>(rule.classes.size()) != logits) {
    misfit(where, kOutputRuleKey,
           counted(std::ssize(rule.classes), "class", "classes") + ", and the network gives " +
               to_string(output));
  }
  for (const LabelRange& range : rule.categories) {
    if (range.first + range.count <= logits) continue;
    misfit(where, kOutputRuleKey,
           "category " + in_quotes(range.name) + " ends at label " +
               std::to_string(range.first + range.count) + ", and the network gives " +
               to_string(output));
  }
}

// Of a series: each split's samples are the windows whose targets lie in its rows.
void check_rows(const MeasuredRule& rule, const Shape& input, const Shape& output,
                const std::string& where) {
  if (rule.rows.size() != 3 || input.size() != 2 || output.size() != 2) return;
  const std::int64_t window = input[0];
  const std::int64_t horizon = output[0];
  std::int64_t first = 0;
  for (std::size_t part = 0; part < rule.rows.size(); ++part) {
    const std::int64_t before = std::min(first, window);  // rows that inputs may reach back to
    const std::int64_t samples =
        std::max<std::int64_t>(0, before + rule.rows[part] - window - horizon + 1);
    first += rule.rows[part];
    const auto found = rule.splits.find(std::string(kSplitNames[part]));
    if (found == rule.splits.end() || found->second.count == samples) continue;
    misfit(where, kMeasuredRuleKey,
           "'rows' has " + std::to_string(rule.rows[part]) + " of " + found->first +
               ", which are " + std::to_string(samples) +
               " samples of the network, and 'count' says " + std::to_string(found->second.count));
  }
}

}  // namespace

bool is_rule_key(std::string_view key) {
  return std::ranges::find(kRuleKeys, key) != std::end(kRuleKeys);
}

std::string_view name_of(const InputStep& step) { return std::visit(NameOf{}, step); }

bool is_rule_name(std::string_view name) {
  if (name.empty() || name.size() > kMostNameBytes) return false;
  while (!name.empty()) {
    const std::size_t length = utf8_sequence(name);
    if (length == 0 || is_control(name.substr(0, length))) return false;
    name.remove_prefix(length);
  }
  return true;
}

void check_rule_fits(const Rule& rule, const Shape& input, const Shape& output,
                     const std::string& where) {
  if (rule.input && rule.input->kind == "image") check_image(*rule.input, input, where);
  if (rule.input && (rule.input->kind == "points" || rule.input->kind == "series")) {
    check_columns(rule, input, where);
  }
  if (rule.input && rule.input->kind == "points") check_points(rule, input, output, where);
  if (rule.output) check_classes(*rule.output, output, where);
  if (rule.measured) check_rows(*rule.measured, input, output, where);
}

}  // namespace tbn
