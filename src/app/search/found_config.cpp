// Rules by names from the choices of layers, and what differs from a base file as YAML.
#include "app/search/found_config.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <system_error>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/shown.h"
#include "config/load.h"
#include "config/scalars.h"
#include "config/weight_keys.h"
#include "encodings/encoding.h"
#include "file/atomic_write.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

namespace fs = std::filesystem;

// `fields` with the setting that the choice is named by.
WeightFields with_choice(WeightFields fields, const WeightEncoding& choice) {
  const Encoding& room = encoding_of(choice);
  fields.encoding = room.words().back();
  for (const Field& field : room.fields()) {
    if (field.is_main) fields.settings.find(field.key)->second = main_setting(choice);
  }
  settle(fields);
  return fields;
}

// "name: x\n" and "weights:\n  encoding: ...\n", by their keys, in order.
std::vector<std::pair<std::string, std::string>> sections_of(const std::string& yaml) {
  std::vector<std::pair<std::string, std::string>> sections;
  std::istringstream in(yaml);
  for (std::string line; std::getline(in, line);) {
    const bool opens = !line.empty() && line.front() != ' ' && line.front() != '-';
    if (opens) sections.emplace_back(line.substr(0, line.find(':')), "");
    if (!sections.empty()) sections.back().second += line + "\n";
  }
  return sections;
}

// The settings of a rule that `weights` says otherwise.
std::string rule_text(const WeightRuleConfig& rule, const WeightFields& weights) {
  std::vector<std::string> names;
  names.reserve(rule.match.size());
  for (const std::string& name : rule.match) names.push_back(yaml_text(name));
  std::string text = fmt::format("    - match: [{}]\n      encoding: {}\n", fmt::join(names, ", "),
                                 rule.fields.encoding);
  for (const Field& field : encoding_named(rule.fields.encoding).fields()) {
    if (field.is_main && rule.fields.encoding == "binary") continue;  // says it
    const WeightSetting& value = rule.fields.settings.find(field.key)->second;
    if (!field.is_main && value == weights.settings.find(field.key)->second) continue;
    const std::string written = std::visit([](const auto& each) { return yaml_text(each); }, value);
    text += fmt::format("      {}: {}\n", field.key, written);
  }
  return text;
}

std::string weights_text(const WeightsConfig& base, const WeightsConfig& found,
                         const std::string& whole) {
  WeightsConfig as_base = found;
  as_base.rules = base.rules;
  if (as_base != base) return whole;
  std::string text = "weights:\n  rules:\n";
  for (const WeightRuleConfig& rule : found.rules) text += rule_text(rule, found.fields);
  return text;
}

// As the file at `path` names it.
std::string base_text(const fs::path& file, const fs::path& path) {
  std::error_code error;
  const fs::path from = fs::weakly_canonical(fs::absolute(path), error).parent_path();
  const fs::path to = fs::weakly_canonical(fs::absolute(file), error);
  const fs::path relative = to.lexically_relative(from);
  return yaml_text(relative.empty() ? to.string() : relative.string());
}

}  // namespace

WeightFields fields_of_layer(const WeightsConfig& weights, const std::string& name,
                             std::int64_t size) {
  for (const WeightRuleConfig& rule : weights.rules) {
    const auto matches = [&](const std::string& glob) { return glob_match(glob, name); };
    if (std::ranges::any_of(rule.match, matches)) return rule.fields;
  }
  WeightFields fields = weights.fields;
  if (size < weights.min_size && fields.encoding != "float") {
    fields.encoding = weights.small;
    settle(fields);
  }
  return fields;
}

SearchSpace space_of(const Config& config, const Graph& graph, const SampleSpec& samples,
                     const ChoiceLimits& limits, const std::vector<std::string>& fixed) {
  StepsAhead steps;
  if (samples.task.task == Task::kForecasting) {
    steps = {.horizon = samples.task.output.front(), .season = samples.season};
  }
  const SettleChoice settle = [&](const Node& node, const LayerDims& dims, WeightEncoding& choice) {
    const WeightFields fields =
        fields_of_layer(config.weights, node.name, dims.outputs * dims.inputs);
    choice = weight_encoding(with_choice(fields, choice));
    if (is_open(with_choice(fields, choice))) encoding_of(choice).fit_steps(choice, dims, steps);
  };
  return search_space(graph, limits, fixed, settle);
}

Config config_of_pick(const Config& config, const SearchSpace& space, const Pick& pick) {
  std::map<std::string, WeightEncoding> choices;
  for (std::size_t i = 0; i < pick.size(); ++i) {
    const SearchLayer& layer = space.layers[i];
    choices.emplace(layer.name, layer.choices.at(static_cast<std::size_t>(pick[i])));
  }
  Config found = config;
  found.weights.rules.clear();
  for (const Node& node : space.graph.nodes) {
    if (weights_of(node.op) == nullptr) continue;
    const WeightShape shape = weight_shape(space.graph, node);
    WeightFields fields = fields_of_layer(config.weights, node.name, shape.outputs * shape.inputs);
    const auto choice = choices.find(node.name);
    if (choice != choices.end()) fields = with_choice(std::move(fields), choice->second);
    const auto same = std::ranges::find(found.weights.rules, fields, &WeightRuleConfig::fields);
    if (same != found.weights.rules.end()) {
      same->match.push_back(node.name);
    } else {
      found.weights.rules.push_back({.match = {node.name}, .fields = std::move(fields)});
    }
  }
  return found;
}

std::string config_text(const std::vector<std::string>& comment, const fs::path& file,
                        const fs::path& path, const Config& base, const Config& found) {
  std::string text;
  for (const std::string& line : comment) text += "# " + shown(line) + "\n";
  text += fmt::format("base: {}\n", base_text(file, path));
  const auto before = sections_of(print_config(base));
  for (const auto& [key, section] : sections_of(print_config(found))) {
    // A name that is not said is that of the file.
    const bool is_said = std::ranges::find(before, std::pair(key, section)) != before.end();
    if (is_said && key != "name") continue;
    text += key == "weights" ? weights_text(base.weights, found.weights, section) : section;
  }
  return text;
}

void write_config(const fs::path& path, const std::string& text, const Config& found) {
  AtomicFile file(path);
  file.write(text);
  file.commit([&] {
    // Settings that mean nothing for a layer's encoding are not written.
    TBN_CHECK(load_config(file.aside()) == parse_config(print_config(found), path.string()),
              "'" + path.string() + "' does not say what was found");
  });
}

}  // namespace tbn::app
