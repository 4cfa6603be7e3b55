// A rule from the texts of a file's metadata. A file is an outside input: every member is checked
// before it is used, and whatever is wrong is one sentence that names the key and the place in it.
#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/counted.h"
#include "base/text.h"
#include "prepare/rule_grammar.h"
#include "prepare/rule_text.h"
#include "tbn/error.h"
#include "tbn/rule.h"

namespace tbn {
namespace {

// One of the three texts, whose errors begin with the file and the key.
class Part {
 public:
  Part(std::string_view key, const std::string& text, const std::string& where)
      : where_(where + ": " + std::string(key)), json_(parse_json(text, where_, kRuleLimits)) {
    if (!json_.is_object()) fail("is no JSON object");
  }

  const Json& json() const { return json_; }
  [[noreturn]] void fail(const std::string& what) const { throw DataError(where_ + ": " + what); }

  // What JSON itself finds wrong ("byte 17: expected a string") begins with the place as well.
  template <class Read>
  auto read(const Read& read_members) const {
    try {
      return read_members();
    } catch (const DataError& error) {
      const std::string what = error.what();
      if (what.starts_with(where_)) throw;
      fail(what);
    }
  }

  // A member that is an object where it is there at all.
  const Json* object(const Json& json, const char* key) const {
    const Json* found = json.find(key);
    if (found != nullptr && !found->is_object())
      fail("'" + std::string(key) + "' is no JSON object");
    return found;
  }

  std::string name(const Json& json, const char* what) const {
    if (is_rule_name(json.as_string())) return json.as_string();
    fail(std::string(what) + " " + in_quotes(json.as_string()) +
         " is no name; it must be 1 to 256 bytes of UTF-8 without control characters");
  }

  std::vector<std::string> names(const Json& object, const char* key) const {
    std::vector<std::string> all;
    const Json* found = object.find(key);
    if (found == nullptr) return all;
    for (const Json& each : found->as_array()) all.push_back(name(each, key));
    return all;
  }

  std::string word(const Json& object, const char* key,
                   std::initializer_list<std::string_view> known) const {
    const Json* found = object.find(key);
    if (found == nullptr) return {};
    const std::string& text = found->as_string();
    if (std::find(known.begin(), known.end(), text) != known.end()) return text;
    std::string list;
    for (const std::string_view each : known)
      list += (list.empty() ? "" : ", ") + std::string(each);
    fail("'" + std::string(key) + "' is " + in_quotes(text) + "; this tbn knows " + list);
  }

  std::optional<std::uint32_t> crc(const Json& json) const {
    const std::string& text = json.as_string();
    std::uint32_t value = 0;
    for (const char c : text) {
      const std::size_t digit = std::string_view("0123456789abcdef").find(c);
      if (text.size() != 8 || digit == std::string_view::npos) {
        fail(in_quotes(text) + " is no checksum of eight lower-case hexadecimal digits");
      }
      value = (value << 4) | static_cast<std::uint32_t>(digit);
    }
    if (text.empty()) fail("a checksum is empty; it must be eight lower-case hexadecimal digits");
    return value;
  }

  double finite(const Json& json, const char* what, bool above_zero) const {
    const double value = json.as_double();
    if (!std::isfinite(value) || (above_zero && value <= 0)) {
      fail(std::string(what) + " " + std::to_string(value) + " is not " +
           (above_zero ? "above 0" : "finite"));
    }
    return value;
  }

 private:
  std::string where_;
  Json json_;
};

StandardiseStep read_standardise(const Part& part, const Json& json) {
  StandardiseStep step;
  for (const Json& mean : json.at("mean").as_array()) {
    step.mean.push_back(part.finite(mean, "mean", false));
  }
  for (const Json& deviation : json.at("deviation").as_array()) {
    step.deviation.push_back(part.finite(deviation, "deviation", true));
  }
  if (step.mean.size() == step.deviation.size() && !step.mean.empty()) return step;
  part.fail(counted(std::ssize(step.mean), "mean") + " and " +
            counted(std::ssize(step.deviation), "deviation") +
            "; there must be one of each for every column");
}

DecodeStep read_decode(const Part& part, const Json& json) {
  const std::int64_t reduce = json.at("reduce").as_int();
  if (reduce == 2 || reduce == 4 || reduce == 8) return {reduce};
  part.fail("reduce " + std::to_string(reduce) + " is not one of 2, 4, 8");
}

InputStep read_step(const Part& part, const Json& json) {
  const std::string name = part.name(json.at("do"), "do");
  if (name == "decode") return read_decode(part, json);
  if (name == "orient") return OrientStep{};
  if (name == "resize") return ResizeStep{json.at("shorter").as_int(1, kMostShorter)};
  if (name == "crop") return CropStep{};
  if (name == "first") return FirstStep{json.at("most").as_int(1, kMostCount)};
  if (name == "centre") return CentreStep{};
  if (name == "scale") return ScaleStep{};
  if (name == "choose") {
    const std::string how = part.word(json, "how", {"first", "drawn"});
    if (how.empty()) part.fail("a step 'choose' does not say how");
    return ChooseStep{how == "drawn"};
  }
  if (name == "standardise") return read_standardise(part, json);
  return UnknownStep{name};
}

InputRule read_input(const Part& part) {
  const Json& json = part.json();
  InputRule rule;
  rule.kind = part.name(json.at("kind"), "kind");
  const Json::Array& steps = json.at("steps").as_array();
  if (steps.size() > kMostSteps) {
    part.fail(std::to_string(steps.size()) + " steps; there may be " + std::to_string(kMostSteps));
  }
  for (const Json& step : steps) rule.steps.push_back(read_step(part, step));
  rule.columns = part.names(json, "columns");
  rule.up = part.word(json, "up", {"x", "y", "z"});
  if (const Json* seconds = json.find("seconds")) {
    rule.seconds = part.finite(*seconds, "seconds", true);
  }
  rule.units_in_graph = !part.word(json, "units", {"graph"}).empty();
  if (const Json* check = json.find("check")) rule.check = part.crc(*check);
  return rule;
}

LabelRange read_category(const Part& part, const Json& json) {
  const Json::Array& parts = json.as_array();
  if (parts.size() != 3) part.fail("a category is not [name, first label, labels]");
  return {.name = part.name(parts[0], "category"),
          .first = parts[1].as_int(0, kMostCount),
          .count = parts[2].as_int(1, kMostCount)};
}

OutputRule read_output(const Part& part) {
  const Json& json = part.json();
  OutputRule rule;
  rule.kind = part.name(json.at("kind"), "kind");
  rule.classes = part.names(json, "classes");
  rule.folders = part.names(json, "folders");
  if (!rule.folders.empty() && rule.folders.size() != rule.classes.size()) {
    part.fail(counted(std::ssize(rule.folders), "folder") + " for " +
              counted(std::ssize(rule.classes), "class", "classes"));
  }
  if (const Json* categories = json.find("categories")) {
    for (const Json& each : categories->as_array()) {
      rule.categories.push_back(read_category(part, each));
    }
  }
  return rule;
}

void read_split(const Part& part, const Json& json, MeasuredRule& rule) {
  const auto number = [&](const char* key) {
    const Json* found = json.find(key);
    return found == nullptr ? 0 : found->as_int(0, kMostCount);
  };
  rule.validation = number("validation");
  if (const Json* seed = json.find("seed")) {
    rule.seed = seed->as_int(0, std::numeric_limits<std::int64_t>::max());
  }
  rule.train_limit = number("train_limit");
  rule.test_limit = number("test_limit");
  rule.limits = part.word(json, "limits", {"first", "class"});
  rule.on_error = part.word(json, "on_error", {"skip"});
  if (const Json* most = json.find("skip_most")) {
    rule.skip_most = part.finite(*most, "skip_most", true);
    if (rule.skip_most > 1)
      part.fail("skip_most " + std::to_string(rule.skip_most) + " is above 1");
  }
  if (const Json* test = json.find("test")) rule.test_folder = part.name(*test, "test");
}

MeasuredRule read_measured(const Part& part) {
  const Json& json = part.json();
  MeasuredRule rule;
  rule.data = part.name(json.at("data"), "data");
  if (const Json* split = part.object(json, "split")) read_split(part, *split, rule);
  const Json* counts = part.object(json, "count");
  const Json* listings = part.object(json, "listing");
  for (const std::string_view name : kSplitNames) {
    const Json* count = counts == nullptr ? nullptr : counts->find(name);
    if (count == nullptr) continue;
    MeasuredSplit& split = rule.splits[std::string(name)];
    split.count = count->as_int(0, kMostCount);
    const Json* listing = listings == nullptr ? nullptr : listings->find(name);
    if (listing != nullptr) split.listing = part.crc(*listing);
  }
  rule.chosen_columns = !part.word(json, "columns", {"chosen"}).empty();
  const Json* rows = json.find("rows");
  if (rows == nullptr) return rule;
  for (const Json& each : rows->as_array()) rule.rows.push_back(each.as_int(0, kMostCount));
  if (rule.rows.size() != 3) part.fail("'rows' is not [training, validation, test rows]");
  return rule;
}

}  // namespace

Rule rule_from(const std::map<std::string, std::string>& metadata, const std::string& where) {
  Rule rule;
  const auto refuse = [&](const std::string& fault, std::string_view key) {
    if (!fault.empty()) throw DataError(where + ": " + std::string(key) + ": " + fault);
  };
  const auto read = [&](std::string_view key, auto& into, auto read_part) {
    const auto found = metadata.find(std::string(key));
    if (found == metadata.end()) return;
    const Part part(key, found->second, where);
    into = part.read([&] { return read_part(part); });
    refuse(fault_of(*into), key);
  };
  read(kInputRuleKey, rule.input, read_input);
  read(kOutputRuleKey, rule.output, read_output);
  read(kMeasuredRuleKey, rule.measured, read_measured);
  if (rule.input && rule.output) {
    refuse(fault_between(*rule.input, *rule.output), kOutputRuleKey);
  }
  if (rule.input && rule.measured) {
    refuse(fault_between(*rule.input, *rule.measured), kMeasuredRuleKey);
  }
  return rule;
}

}  // namespace tbn
