// Reading and writing the attributes of ops, one function per type.
#include "config/layer_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "config/scalars.h"
#include "config/value_limits.h"

namespace tbn {
namespace {

constexpr std::int64_t kMaxInt = std::numeric_limits<std::int32_t>::max();
constexpr std::size_t kMaxDimensions = 4;

using OpAttribute = std::pair<std::string_view, std::string_view>;

// The value whose name the node's text is.
template <class Enum>
std::string read_choice(const YamlNode& node, Enum& field, const std::vector<Enum>& values) {
  std::string text;
  std::vector<std::string> names;
  if (std::string wrong = read_value(node, text); !wrong.empty()) return wrong;
  for (const Enum value : values) {
    if (to_string(value) == text) field = value;
    names.emplace_back(to_string(value));
  }
  return check_limits(one_of(names), text);
}

}  // namespace

std::string read_field(const YamlNode& node, std::int64_t& field, std::int64_t least) {
  if (node.kind == YamlNode::Kind::kScalar && !node.quoted && !node.text.empty()) {
    if (const auto word = find_task_word(node.text)) {
      field = *word;
      return "";
    }
    const char first = node.text.front();
    if ((first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z')) {
      return fmt::format("must be a whole number, {}, is '{}'", join_choices(task_words()),
                         printable(node.text));
    }
  }
  std::int64_t value = 0;
  std::string wrong = read_value(node, value);
  if (wrong.empty())
    wrong = check_limits(between(static_cast<double>(least), kMaxInt), static_cast<double>(value));
  if (wrong.empty()) field = value;
  return wrong;
}

std::string read_field(const YamlNode& node, bool& field) { return read_value(node, field); }
std::string read_field(const YamlNode& node, double& field) { return read_value(node, field); }

std::string read_field(const YamlNode& node, Size2& field, std::int64_t least) {
  if (node.kind == YamlNode::Kind::kList) {
    if (node.items.size() != 2) {
      return fmt::format("must be one number or [height, width], is a list of {}",
                         node.items.size());
    }
    std::string wrong = read_field(node.items[0], field.h, least);
    return wrong.empty() ? read_field(node.items[1], field.w, least) : wrong;
  }
  std::string wrong = read_field(node, field.h, least);
  field.w = field.h;
  return wrong;
}

std::string read_field(const YamlNode& node, Shape& field, std::int64_t least) {
  if (node.kind != YamlNode::Kind::kList) return "must be a list, is " + kind_name(node);
  if (node.items.empty() || node.items.size() > kMaxDimensions) {
    return fmt::format("must have 1 to {} dimensions, has {}", kMaxDimensions, node.items.size());
  }
  Shape shape(node.items.size());
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (std::string wrong = read_field(node.items[i], shape[i], least); !wrong.empty())
      return wrong;
  }
  field = std::move(shape);
  return "";
}

std::string read_field(const YamlNode& node, ActivationKind& field) {
  using enum ActivationKind;
  return read_choice(node, field, {kRelu, kGelu, kSilu, kTanh, kSigmoid});
}
std::string read_field(const YamlNode& node, PositionKind& field) {
  return read_choice(node, field, {PositionKind::kLearned, PositionKind::kSinusoidal});
}
std::string read_field(const YamlNode& node, PoolKind& field) {
  return read_choice(node, field, {PoolKind::kMax, PoolKind::kMean});
}

std::string field_text(std::int64_t field) {
  const std::string_view word = word_of(field);
  return word.empty() ? yaml_text(field) : std::string(word);
}
std::string field_text(bool field) { return yaml_text(field); }
std::string field_text(double field) { return yaml_text(field); }
std::string field_text(Size2 field) {
  if (field.h == field.w) return field_text(field.h);
  return "[" + field_text(field.h) + ", " + field_text(field.w) + "]";
}
std::string field_text(const Shape& field) {
  std::string text;
  for (const std::int64_t d : field) text += (text.empty() ? "" : ", ") + field_text(d);
  return "[" + text + "]";
}
std::string field_text(ActivationKind field) { return std::string(to_string(field)); }
std::string field_text(PositionKind field) { return std::string(to_string(field)); }
std::string field_text(PoolKind field) { return std::string(to_string(field)); }

bool is_required(std::string_view op, std::string_view attribute) {
  constexpr std::array<OpAttribute, 6> kRequired = {{{"conv2d", "out_channels"},
                                                     {"linear", "out_features"},
                                                     {"reshape", "shape"},
                                                     {"activation", "kind"},
                                                     {"slice", "length"},
                                                     {"expand", "count"}}};
  return std::ranges::find(kRequired, OpAttribute(op, attribute)) != kRequired.end();
}

std::int64_t least_of(std::string_view op, std::string_view attribute) {
  // The padding that keeps the size; the dimension that takes what is left.
  constexpr std::array<OpAttribute, 2> kMinusOne = {{{"conv2d", "padding"}, {"reshape", "shape"}}};
  // Nothing, the first, or another attribute's value.
  constexpr std::array<OpAttribute, 13> kZero = {{{"max_pool2d", "stride"},
                                                  {"max_pool2d", "padding"},
                                                  {"avg_pool2d", "stride"},
                                                  {"pad2d", "top"},
                                                  {"pad2d", "bottom"},
                                                  {"pad2d", "left"},
                                                  {"pad2d", "right"},
                                                  {"attention", "grid"},
                                                  {"attention", "window"},
                                                  {"attention", "shift"},
                                                  {"concat", "axis"},
                                                  {"slice", "axis"},
                                                  {"slice", "begin"}}};
  const OpAttribute one(op, attribute);
  if (std::ranges::find(kMinusOne, one) != kMinusOne.end()) return -1;
  return std::ranges::find(kZero, one) != kZero.end() ? 0 : 1;
}

}  // namespace tbn
