// The visitors that write: a resolved configuration, and its reference with comments.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/layers.h"
#include "config/load.h"
#include "config/scalars.h"
#include "config/schema.h"
#include "encodings/encoding.h"

namespace tbn {
namespace {

template <class T>
std::string value_text(const T& value) {
  return yaml_text(value);
}

template <Worded E>
std::string value_text(const E& value) {
  return yaml_text(std::string(word_of(value)));
}

template <class T>
std::string value_text(const std::vector<T>& values) {
  std::string text = "[";
  for (std::size_t i = 0; i < values.size(); ++i)
    text += (i > 0 ? ", " : "") + yaml_text(values[i]);
  return text + "]";
}

// On lines of their own below the key.
std::string value_text(const LayerList& layers) { return layers.empty() ? "[]" : ""; }

std::string value_text(const OptionValue& value) {
  return std::visit([](const auto& v) { return value_text(v); }, value);
}

// "help; limits"
std::string comment_text(std::string_view help, const std::string& limits) {
  return limits.empty() ? std::string(help) : fmt::format("{}; {}", help, limits);
}

std::string option_limits(const OptionSpec& spec) {
  if (!spec.choices.empty()) return fmt::format("{}", fmt::join(spec.choices, " | "));
  const bool is_number =
      !std::holds_alternative<bool>(spec.value) && !std::holds_alternative<std::string>(spec.value);
  return is_number && spec.min < spec.max ? to_text(between(spec.min, spec.max)) : "";
}

// Every option of the family, those not given with their defaults.
OptionMap all_options(const ModelConfig& model) {
  OptionMap options;
  for (const OptionSpec& spec : model_family(model.type).options) {
    const auto given = model.options.find(spec.key);
    options[spec.key] = given != model.options.end() ? given->second : spec.value;
  }
  return options;
}

class Printer {
 public:
  explicit Printer(bool with_comments) : with_comments_(with_comments) {}

  std::string text;

  template <class T>
  void value(const char* key, const T& member, const ValueLimits& limits, const char* help) {
    if (std::ranges::find(hidden_, std::string_view(key)) != hidden_.end()) return;
    line(key, value_text(member), comment_text(help, to_text(limits)));
  }

  template <class S>
  void section(const char* key, const S& member, const char* help) {
    open(key, help);
    if constexpr (std::same_as<S, WeightsConfig>) hide_unused(member);
    describe(*this, member);
    hidden_.clear();
    indent_ -= 2;
  }

  void model(const char* key, const ModelConfig& model, const char* help) {
    open(key, help);
    const ModelFamily& family = model_family(model.type);
    std::vector<std::string> names;
    for (const ModelFamily& each : model_families()) names.push_back(each.name);
    line("type", model.type, comment_text("family", to_text(one_of(names))));
    const OptionMap options = all_options(model);
    for (const OptionSpec& spec : family.options) {
      line(spec.key, value_text(options.at(spec.key)),
           comment_text(spec.help, option_limits(spec)));
      if (const auto* layers = std::get_if<LayerList>(&options.at(spec.key))) {
        text += layers_text(*layers, indent_ + 2);
      }
    }
    if (with_comments_) {
      text +=
          "  # type: custom composes a network of `layers:`, see include/tbn/layers.h and\n"
          "  # configs/fashion_mnist/custom.yaml\n";
    }
    indent_ -= 2;
  }

  template <class T, class P>
  void list(const char* key, const std::vector<T>& elements, const P& parent, const char* help) {
    line(key, elements.empty() ? "[]" : "", help);
    for (const T& element : elements) print_element(element);
    if (with_comments_ && elements.empty()) {
      prefix_ = "# ";
      print_element(T{{"*"}, parent});
      prefix_.clear();
    }
  }

 private:
  void open(const char* key, const char* help) {
    if (with_comments_) text += '\n';
    line(key, "", help);
    indent_ += 2;
  }

  // "  - match: ..." and its other keys below.
  template <class T>
  void print_element(const T& element) {
    indent_ += 4;
    dash_ = true;
    if constexpr (std::same_as<T, WeightRuleConfig>) hide_others(element.fields);
    describe(*this, element);
    indent_ -= 4;
  }

  // Hides the settings of `weights` that have their defaults and that no layer uses unless a rule
  // says so. Those of tiles are the method's, and always printed.
  void hide_unused(const WeightsConfig& weights) {
    if (with_comments_) return;
    const WeightFields standard;
    for (const WeightKey& key : weight_keys()) {
      const auto names_it = [&](const std::string& word) {
        return &encoding_named(word) == key.room;
      };
      if (names_it(standard.encoding) || names_it(weights.fields.encoding) ||
          names_it(weights.small)) {
        continue;
      }
      const auto value = weights.fields.settings.find(key.key);
      if (*value == *standard.settings.find(key.key)) hidden_.emplace_back(key.key);
    }
  }
  // Hides the settings of a rule that mean nothing for its encoding.
  void hide_others(const WeightFields& fields) {
    if (with_comments_) return;
    hidden_.clear();
    for (const WeightKey& key : weight_keys()) {
      if (key.room != &encoding_named(fields.encoding)) hidden_.emplace_back(key.key);
    }
  }

  void line(std::string_view key, const std::string& value, const std::string& comment) {
    constexpr std::size_t kCommentColumn = 28;
    std::string result(static_cast<std::size_t>(dash_ ? indent_ - 2 : indent_), ' ');
    result += prefix_;
    if (dash_) result += "- ";
    dash_ = false;
    result += key;
    result += value.empty() ? ":" : ": " + value;
    if (with_comments_ && !comment.empty()) {
      result.resize(std::max(result.size(), kCommentColumn), ' ');
      result += "  # " + comment;
    }
    text += result + "\n";
  }

  bool with_comments_;
  int indent_ = 0;
  bool dash_ = false;
  std::vector<std::string_view> hidden_;  // keys of `weights` that are left out
  std::string prefix_;
};

}  // namespace

std::string print_config(const Config& config) {
  Printer printer(false);
  describe(printer, config);
  return printer.text;
}

std::string reference_config() {
  Printer printer(true);
  printer.text =
      "# Every setting with its default. A configuration needs to say only what differs, may begin "
      "with\n"
      "# `base: other.yaml` (or a list of files), and takes key.sub=value from the command line on "
      "top.\n"
      "# Made from the tables of src/config/schema.h, which a test compares with this file.\n\n";
  const Config defaults;
  describe(printer, defaults);
  return printer.text;
}

}  // namespace tbn
