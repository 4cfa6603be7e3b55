// A rule as the texts of a file's metadata.
#include <cmath>

#include "prepare/rule_text.h"
#include "tbn/error.h"
#include "tbn/rule.h"

namespace tbn {
namespace {

std::string hex(std::uint32_t value) {
  std::string text(8, '0');
  for (std::size_t i = text.size(); i-- > 0; value >>= 4) text[i] = "0123456789abcdef"[value & 15];
  return text;
}

struct Members {
  Json& json;
  void operator()(const DecodeStep& step) const { json["reduce"] = step.reduce; }
  void operator()(const ResizeStep& step) const { json["shorter"] = step.shorter; }
  void operator()(const FirstStep& step) const { json["most"] = step.most; }
  void operator()(const ChooseStep& step) const { json["how"] = step.drawn ? "drawn" : "first"; }
  void operator()(const StandardiseStep& step) const {
    json["mean"] = step.mean;
    json["deviation"] = step.deviation;
  }
  template <class Step>
  void operator()(const Step&) const {}
};

// Without a fraction where there is none.
Json number(double value) {
  const bool whole = std::floor(value) == value && std::abs(value) < 1e15;
  return whole ? Json(static_cast<std::int64_t>(value)) : Json(value);
}

Json step_json(const InputStep& step) {
  Json json = Json::object();
  json["do"] = name_of(step);
  std::visit(Members{json}, step);
  return json;
}

Json to_json_value(const InputRule& rule) {
  Json json = Json::object();
  json["kind"] = rule.kind;
  json["steps"] = Json::array();
  for (const InputStep& step : rule.steps) json["steps"].push_back(step_json(step));
  if (!rule.columns.empty()) json["columns"] = rule.columns;
  if (!rule.up.empty()) json["up"] = rule.up;
  if (rule.seconds > 0) json["seconds"] = number(rule.seconds);
  if (rule.units_in_graph) json["units"] = "graph";
  if (rule.check) json["check"] = hex(*rule.check);
  return json;
}

Json to_json_value(const OutputRule& rule) {
  Json json = Json::object();
  json["kind"] = rule.kind;
  if (!rule.classes.empty()) json["classes"] = rule.classes;
  if (!rule.folders.empty()) json["folders"] = rule.folders;
  for (const LabelRange& range : rule.categories) {
    json["categories"].push_back(Json::array({range.name, range.first, range.count}));
  }
  return json;
}

Json split_json(const MeasuredRule& rule) {
  Json json = Json::object();
  json["validation"] = rule.validation;
  json["seed"] = rule.seed;
  if (rule.train_limit > 0) json["train_limit"] = rule.train_limit;
  if (rule.test_limit > 0) json["test_limit"] = rule.test_limit;
  if (!rule.limits.empty()) json["limits"] = rule.limits;
  if (!rule.on_error.empty()) json["on_error"] = rule.on_error;
  if (rule.skip_most > 0) json["skip_most"] = number(rule.skip_most);
  if (!rule.test_folder.empty()) json["test"] = rule.test_folder;
  return json;
}

Json to_json_value(const MeasuredRule& rule) {
  Json json = Json::object();
  json["data"] = rule.data;
  json["split"] = split_json(rule);
  for (const auto& [name, split] : rule.splits) {
    json["count"][name] = split.count;
    if (split.listing) json["listing"][name] = hex(*split.listing);
  }
  if (!rule.rows.empty()) json["rows"] = rule.rows;
  if (rule.chosen_columns) json["columns"] = "chosen";
  return json;
}

}  // namespace

std::map<std::string, std::string> metadata_of(const Rule& rule) {
  std::map<std::string, std::string> metadata;
  const auto add = [&](std::string_view key, const auto& part) {
    if (part) metadata.emplace(key, to_json_value(*part).canonical());
  };
  try {
    add(kInputRuleKey, rule.input);
    add(kOutputRuleKey, rule.output);
    add(kMeasuredRuleKey, rule.measured);
    const bool same = rule_from(metadata, "a rule") == rule;
    TBN_CHECK(same, "a rule does not read back as it was");
  } catch (const DataError& error) {
    TBN_CHECK(false, std::string("a rule that cannot be written: ") + error.what());
  }
  return metadata;
}

}  // namespace tbn
