// The words of the layer language: names of layers, numbers that the task knows, what is refused.
#include "tbn/layers.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::int64_t kFirstWord = -(std::int64_t{1} << 40);  // below every number of an attribute

constexpr std::array kActivations = {ActivationKind::kRelu, ActivationKind::kGelu,
                                     ActivationKind::kSilu, ActivationKind::kTanh,
                                     ActivationKind::kSigmoid};

// Calls f(op) for a default op of each kind, until it returns true.
template <class F, std::size_t I = 0>
void find_op(const F& f) {
  if constexpr (I < std::variant_size_v<OpVariant>) {
    if (!f(Op(std::in_place_index<I>))) find_op<F, I + 1>(f);
  }
}

std::string_view group_name(LayerKind kind) {
  switch (kind) {
    case LayerKind::kOp:
      return "";
    case LayerKind::kBlock:
      return "block";
    case LayerKind::kRepeat:
      return "repeat";
    case LayerKind::kResidual:
      return "residual";
  }
  return "";
}

constexpr std::array kGroups = {LayerKind::kBlock, LayerKind::kRepeat, LayerKind::kResidual};

std::vector<std::string> all_names() {
  std::vector<std::string> names;
  find_op([&](const Op& op) {
    if (refused_op(op_name(op)).empty()) names.emplace_back(op_name(op));
    return false;
  });
  for (const ActivationKind kind : kActivations) names.emplace_back(to_string(kind));
  for (const LayerKind kind : kGroups) names.emplace_back(group_name(kind));
  return names;
}

}  // namespace

const std::vector<std::string>& task_words() {
  static const std::vector<std::string> words = {"classes", "points", "steps", "horizon", "series"};
  return words;
}

std::optional<std::int64_t> find_task_word(std::string_view word) {
  const auto& words = task_words();
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) return std::nullopt;
  return kFirstWord + (found - words.begin());
}

std::int64_t task_word(std::string_view word) {
  const auto number = find_task_word(word);
  if (!number) throw ConfigError(in_quotes(word) + " is no word for a number of the task's");
  return *number;
}

std::string_view word_of(std::int64_t number) {
  const auto& words = task_words();
  const std::int64_t index = number - kFirstWord;
  if (number < kFirstWord || index >= static_cast<std::int64_t>(words.size())) return "";
  return words[static_cast<std::size_t>(index)];
}

const std::vector<std::string>& layer_names() {
  static const std::vector<std::string> names = all_names();
  return names;
}

std::string layer_name(const LayerSpec& layer) {
  if (layer.kind != LayerKind::kOp) return std::string(group_name(layer.kind));
  const auto* activation = std::get_if<Activation>(&layer.op);
  const bool is_short = activation != nullptr && activation->kind != ActivationKind::kNone;
  return std::string(is_short ? to_string(activation->kind) : op_name(layer.op));
}

std::optional<LayerSpec> find_layer(std::string_view name) {
  std::optional<LayerSpec> found;
  for (const LayerKind kind : kGroups) {
    if (group_name(kind) != name) continue;
    const std::size_t lists = kind == LayerKind::kResidual ? 2 : 1;
    found = LayerSpec{.kind = kind, .branches = std::vector<LayerList>(lists)};
  }
  for (const ActivationKind kind : kActivations) {
    if (to_string(kind) == name) found = LayerSpec{.op = Activation{kind}};
  }
  if (found || !refused_op(name).empty()) return found;
  find_op([&](Op op) {
    if (op_name(op) == name) found = LayerSpec{.op = std::move(op)};
    return found.has_value();
  });
  return found;
}

std::string_view refused_op(std::string_view name) {
  if (name == "input") return "comes from the data set; begin with what is done to it";
  if (name == "normalize") return "is added by data.normalize";
  if (name == "affine") return "is made by the export; write batch_norm";
  return "";
}

std::string_view refused_attribute(std::string_view name) {
  if (name == "weights") {
    return "the form of the weights is for the section weights: give the layer a name, and a rule "
           "in weights.rules";
  }
  if (name == "scale") return "is made by the export; write a batch_norm after the layer";
  if (name == "activation") return "is made by the export; write relu (or gelu, ...) as a layer";
  return "";
}

std::string check_layer_name(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '.' || c == '-';
  };
  const bool good = name.size() <= kLongest && std::all_of(name.begin(), name.end(), allowed) &&
                    (name.empty() || (name.front() != '.' && name.back() != '.')) &&
                    name.find("..") == std::string_view::npos;
  if (good) return "";
  return "must be at most " + std::to_string(kLongest) +
         " letters, digits, '_', '-' and single dots, is " + in_quotes(name);
}

}  // namespace tbn
