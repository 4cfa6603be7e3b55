// The visitor that reads: each key of a table is looked up in the map, what is left over is
// unknown.
#include "config/reader.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/layers.h"
#include "config/load.h"
#include "config/scalars.h"
#include "config/schema.h"
#include "encodings/encoding.h"

namespace tbn {
namespace {

std::string joined(const std::string& path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

// What is wrong with a list, a map or nothing in place of one of a few words.
std::string no_word(const YamlNode& node, const ValueLimits& limits) {
  const std::string words = join_choices(limits.choices);
  if (node.kind == YamlNode::Kind::kNull) return fmt::format("has no value, must be {}", words);
  return fmt::format("must be {}, is {}", words, kind_name(node));
}

const ModelFamily* find_family(const std::string& name) {
  for (const ModelFamily& family : model_families()) {
    if (family.name == name) return &family;
  }
  return nullptr;
}

struct Shared {
  Problems& problems;
  std::string model_type;  // for suggestions
};

// Reads one map. Nested maps get readers of their own.
class MapReader {
 public:
  MapReader(const YamlNode& node, std::string path, Shared& shared)
      : node_(node), path_(std::move(path)), shared_(shared) {
    if (node.kind == YamlNode::Kind::kScalar || node.kind == YamlNode::Kind::kList) {
      shared.problems.add(node.place, path_, "must be a map of keys, is " + kind_name(node));
    }
  }

  bool has(std::string_view key) const { return node_.find(key) != nullptr; }

  template <class T>
  void value(const char* key, T& member, const ValueLimits& limits, const char* /*help*/) {
    if (const YamlNode* node = take(key)) read(*node, joined(path_, key), member, limits);
  }

  template <class S>
  void section(const char* key, S& member, const char* /*help*/) {
    const YamlNode* node = take(key);
    if (node == nullptr) return;
    MapReader reader(*node, joined(path_, key), shared_);
    describe(reader, member);
    reader.report_unknown();
  }

  template <class T, class P>
  void list(const char* key, std::vector<T>& elements, P& parent, const char* /*help*/) {
    if constexpr (std::same_as<P, WeightFields>) settle(parent);
    const YamlNode* node = take(key);
    if (node == nullptr) return;
    const std::string path = joined(path_, key);
    if (node->kind != YamlNode::Kind::kList) {
      problem(*node, path, "must be a list, is " + kind_name(*node) + " (write [] for none)");
      return;
    }
    elements.clear();
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      T element{{}, parent};
      MapReader reader(node->items[i], fmt::format("{}[{}]", path, i), shared_);
      describe(reader, element);
      reader.finish(element, parent);
      reader.report_unknown();
      elements.push_back(std::move(element));
    }
  }

  void model(const char* key, ModelConfig& model, const char* /*help*/) {
    static const YamlNode kNothing;
    const YamlNode* node = take(key);
    MapReader reader(node != nullptr ? *node : kNothing, joined(path_, key), shared_);
    std::vector<std::string> names;
    for (const ModelFamily& family : model_families()) names.push_back(family.name);
    reader.value("type", model.type, one_of(names), "");
    if (shared_.problems.has(joined(reader.path_, "type"))) return;  // which options are right?
    const ModelFamily* family = find_family(model.type);
    if (family == nullptr) return;
    model.options.clear();
    for (const OptionSpec& spec : family->options) model.options[spec.key] = reader.option(spec);
    reader.report_unknown();
  }

  void report_unknown() const {
    for (const YamlEntry& entry : node_.entries) {
      if (std::find(taken_.begin(), taken_.end(), entry.key) != taken_.end()) continue;
      const std::string path = joined(path_, entry.key);
      const std::string last = entry.key.substr(entry.key.rfind('.') + 1);
      if (entry.key.find('.') != std::string::npos) {
        shared_.problems.add(entry.place, path,
                             "dotted keys are for the command line; in a file, indent '" +
                                 printable(last) + ":' under its section");
        continue;
      }
      const std::string guess = shared_.problems.is_long() ? "" : suggestion(path);
      shared_.problems.add(
          entry.place, path,
          guess.empty() ? "unknown key" : "unknown key (did you mean " + guess + "?)");
    }
  }

 private:
  const YamlNode* take(std::string_view key) {
    taken_.emplace_back(key);
    return node_.find(key);
  }

  void problem(const YamlNode& node, const std::string& path, const std::string& message) {
    shared_.problems.add(node.place, path, message);
  }

  template <class T>
  void read(const YamlNode& node, const std::string& path, T& member, const ValueLimits& limits) {
    T value{};
    std::string wrong = read_value(node, value);
    if constexpr (std::same_as<T, std::string>) {
      if (wrong.empty()) {
        wrong = check_limits(limits, value);
      } else if (!limits.choices.empty() && node.kind != YamlNode::Kind::kScalar) {
        wrong = no_word(node, limits);
      }
    } else if constexpr (!std::same_as<T, bool>) {
      if (wrong.empty()) wrong = check_limits(limits, static_cast<double>(value));
    }
    if (wrong.empty()) {
      member = std::move(value);
    } else {
      problem(node, path, wrong);
    }
  }

  template <Worded E>
  void read(const YamlNode& node, const std::string& path, E& member, const ValueLimits& limits) {
    std::string word(word_of(member));
    read(node, path, word, limits);
    member = value_of<E>(word).value_or(member);
  }

  template <class T>
  void read(const YamlNode& node, const std::string& path, std::vector<T>& member,
            const ValueLimits& limits) {
    const bool single = std::same_as<T, std::string> && node.kind == YamlNode::Kind::kScalar;
    if (node.kind != YamlNode::Kind::kList && !single) {
      const bool has_items = node.kind == YamlNode::Kind::kScalar && !node.quoted &&
                             node.text.find_first_of("0123456789") == 0;
      problem(node, path,
              "must be a list, is " + kind_name(node) +
                  (has_items ? " (write [" + printable(node.text) + "])" : ""));
      return;
    }
    std::vector<T> values(single ? 1 : node.items.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      T& value = values[i];
      read(single ? node : node.items[i], fmt::format("{}[{}]", path, i), value, limits);
    }
    member = std::move(values);
  }

  void read(const YamlNode& node, const std::string& path, LayerList& member, const ValueLimits&) {
    member = read_layers(node, path, shared_.problems);
  }

  OptionValue option(const OptionSpec& spec) {
    const YamlNode* node = take(spec.key);
    if (node == nullptr) return spec.value;
    const std::string path = joined(path_, spec.key);
    return std::visit(
        [&](auto value) -> OptionValue {
          const std::size_t before = shared_.problems.count();
          read(*node, path, value, any());
          if (shared_.problems.count() > before) return spec.value;
          const std::string wrong = check_option(spec, value);
          if (!wrong.empty()) problem(*node, path, wrong);
          return wrong.empty() ? OptionValue(value) : spec.value;
        },
        spec.value);
  }

  void require_match(const std::vector<std::string>& match) {
    const YamlNode* node = node_.find("match");
    const std::string path = joined(path_, "match");
    if (node == nullptr) {
      problem(node_, path, "is missing: say which names this is for");
    } else if (match.empty() || std::find(match.begin(), match.end(), "") != match.end()) {
      if (!shared_.problems.has(path)) problem(*node, path, "must name something, is empty");
    }
  }

  void finish(WeightRuleConfig& rule, const WeightFields& /*parent*/) {
    require_match(rule.match);
    WeightFields& fields = rule.fields;
    for (const Encoding* room : encodings()) {
      for (const Field& field : room->fields()) {
        if (field.is_main && has(field.key) && !has("encoding")) fields.encoding = room->word();
      }
    }
    const Encoding& room = encoding_named(fields.encoding);
    for (const WeightKey& key : weight_keys()) {
      const YamlNode* node = node_.find(key.key);
      if (key.room == &room || node == nullptr) continue;
      problem(*node, joined(path_, key.key),
              fmt::format("has no meaning for {} weights; leave it out", fields.encoding));
    }
    const WeightFields said = fields;
    settle(fields);
    for (const Field& field : room.fields()) {
      if (field.is_main) check_main(field, said, fields);
    }
  }

  // A word and the number that goes with it: both may be said, and then agree.
  void check_main(const Field& field, const WeightFields& said, const WeightFields& settled) {
    const YamlNode* node = node_.find(field.key);
    const std::string path = joined(path_, field.key);
    const std::int64_t number = settled.number(field.key);
    if (node != nullptr && said.number(field.key) != number) {
      problem(*node, path,
              fmt::format("{} weights have {} = {}, is {}; write encoding: {}", said.encoding,
                          field.key, number, said.number(field.key),
                          encoding_named(said.encoding).word()));
    } else if (node == nullptr && has("encoding") && said.encoding != settled.encoding) {
      problem(node_, path,
              fmt::format("is missing: weights.{} is {}, so say {}", field.key, number,
                          field.question));
    }
  }

  void finish(OptimGroup& group, const OptimFields& parent) {
    require_match(group.match);
    if (group.fields.type != parent.type && !has("lr")) {
      problem(node_, joined(path_, "lr"),
              fmt::format("is missing: {} needs a learning rate of its own beside {}",
                          word_of(group.fields.type), word_of(parent.type)));
    }
  }

  // The nearest known key, with the indices of `path`.
  std::string suggestion(const std::string& path) const {
    std::string pattern;
    bool inside = false;
    for (const char c : path) {
      if (c == ']') inside = false;
      if (!inside) pattern += c;
      if (c == '[') inside = true;
    }
    const std::string guess = nearest(pattern, config_keys(shared_.model_type));
    const std::size_t dot = pattern.rfind('.');
    const bool same_section = dot != std::string::npos && guess.rfind('.') == dot &&
                              guess.compare(0, dot, pattern, 0, dot) == 0;
    return same_section ? path.substr(0, path.rfind('.')) + guess.substr(dot) : guess;
  }

  const YamlNode& node_;
  std::string path_;
  Shared& shared_;
  std::vector<std::string> taken_;
};

}  // namespace

void read_config(const YamlNode& root, Config& config, Problems& problems) {
  Shared shared{problems, config.model.type};
  if (const YamlNode* model = root.find("model")) {
    const YamlNode* type = model->find("type");
    if (type != nullptr && find_family(type->text) != nullptr) shared.model_type = type->text;
  }
  MapReader reader(root, "", shared);
  describe(reader, config);
  reader.report_unknown();
}

}  // namespace tbn
