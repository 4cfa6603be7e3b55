// Reads the lists of layers of a custom network.
#include "config/layers.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "config/layer_fields.h"
#include "config/scalars.h"
#include "config/value_limits.h"
#include "graph/op_traits.h"

namespace tbn {
namespace {

std::string place_text(const Place& place) {
  if (place.source == nullptr) return "";
  return place.line > 0 ? fmt::format("{}:{}:{}", *place.source, place.line, place.column)
                        : *place.source;
}

// Ops of more than one input; attention may also have one.
bool takes_branches(const Op& op) {
  return std::holds_alternative<Add>(op) || std::holds_alternative<Subtract>(op) ||
         std::holds_alternative<Multiply>(op) || std::holds_alternative<MatMul>(op) ||
         std::holds_alternative<Concat>(op) || std::holds_alternative<Attention>(op);
}

class LayerReader {
 public:
  explicit LayerReader(Problems& problems) : problems_(problems) {}

  enum class Empty { kAllowed, kRefused };

  LayerList list(const YamlNode& node, const std::string& path, int depth, Empty empty) {
    LayerList layers;
    if (node.kind != YamlNode::Kind::kList) {
      problems_.add(node.place, path, "must be a list of layers, is " + kind_name(node));
    } else if (depth > kMaxLayerDepth) {
      problems_.add(node.place, path,
                    fmt::format("layers are nested deeper than {} levels", kMaxLayerDepth));
    } else {
      if (node.items.empty() && empty == Empty::kRefused) {
        problems_.add(node.place, path, "must name at least one layer, is empty");
      }
      for (std::size_t i = 0; i < node.items.size(); ++i) {
        auto layer = one(node.items[i], fmt::format("{}[{}]", path, i), depth);
        if (layer) layers.push_back(std::move(*layer));
      }
    }
    return layers;
  }

 private:
  // "relu", or a map with one key, the layer's name.
  std::optional<LayerSpec> one(const YamlNode& node, const std::string& path, int depth) {
    static const YamlNode kNothing;
    if (node.kind == YamlNode::Kind::kScalar) {
      return named(node.text, node.place, kNothing, path, depth);
    }
    if (node.kind == YamlNode::Kind::kMap && node.entries.size() == 1) {
      const YamlEntry& entry = node.entries.front();
      return named(entry.key, entry.place, entry.value, path, depth);
    }
    if (node.kind == YamlNode::Kind::kMap && !node.entries.empty()) {
      const std::string first = printable(node.entries[0].key);
      problems_.add(node.place, path,
                    fmt::format("must be one layer, has {} keys; write {}: {{{}: ...}}, or indent "
                                "what belongs to {}",
                                node.entries.size(), first, printable(node.entries[1].key), first));
      return std::nullopt;
    }
    problems_.add(node.place, path,
                  "must be a layer such as relu or conv2d: {...}, is " + kind_name(node));
    return std::nullopt;
  }

  std::optional<LayerSpec> named(const std::string& name, const Place& place, const YamlNode& node,
                                 const std::string& path, int depth) {
    std::optional<LayerSpec> layer = find_layer(name);
    if (!layer) {
      problems_.add(place, path, unknown(name));
      return std::nullopt;
    }
    const std::string here = path + "." + name;
    if (node.kind != YamlNode::Kind::kMap && node.kind != YamlNode::Kind::kNull) {
      problems_.add(node.place, here, "must be a map of attributes, is " + kind_name(node));
      return std::nullopt;
    }
    layer->place = place_text(place);
    const std::size_t before = problems_.count();
    const bool is_short = std::holds_alternative<Activation>(layer->op) && name != "activation";
    Keys keys{node, place, here, {}, {}};
    read(keys, "name", layer->name, [](const YamlNode& value, std::string& text) {
      const std::string wrong = read_value(value, text);
      return wrong.empty() ? check_layer_name(text) : wrong;
    });
    if (layer->kind != LayerKind::kOp) {
      read_group(keys, *layer, depth);
    } else {
      if (!is_short) read_attributes(keys, layer->op);
      if (takes_branches(layer->op)) read_branches(keys, *layer, depth);
    }
    report_unknown(keys);
    return problems_.count() > before ? std::nullopt : layer;
  }

  // The attributes of one layer.
  struct Keys {
    const YamlNode& node;
    const Place& place;  // of the layer's name
    const std::string& path;
    std::vector<std::string> known;
    std::vector<std::string> refused;  // reported already
  };

  const YamlNode* take(Keys& keys, std::string_view key) {
    keys.known.emplace_back(key);
    return keys.node.find(key);
  }

  template <class T, class Read>
  void read(Keys& keys, std::string_view key, T& member, const Read& read_it) {
    const YamlNode* value = take(keys, key);
    if (value == nullptr) return;
    const std::string wrong = read_it(*value, member);
    if (!wrong.empty()) problems_.add(value->place, keys.path + "." + std::string(key), wrong);
  }

  void missing(const Keys& keys, std::string_view key, const char* why = "") {
    problems_.add(keys.place, keys.path + "." + std::string(key), fmt::format("is missing{}", why));
  }

  void read_attributes(Keys& keys, Op& op) {
    const std::string_view op_text = op_name(op);
    std::visit(
        [&](auto& typed) {
          visit_attributes(
              [&](std::string_view key, auto& field) { attribute(keys, op_text, key, field); },
              typed);
        },
        op);
  }

  template <class T>
  void attribute(Keys& keys, std::string_view op, std::string_view key, T& field) {
    const std::string_view refusal = refused_attribute(key);
    if constexpr (kIsWritten<T>) {
      if (refusal.empty()) {
        if (is_required(op, key) && keys.node.find(key) == nullptr) missing(keys, key);
        read(keys, key, field, [&](const YamlNode& value, T& member) {
          return read_written(value, member, op, key);
        });
        return;
      }
    }
    const auto entry = std::find_if(keys.node.entries.begin(), keys.node.entries.end(),
                                    [&](const YamlEntry& e) { return e.key == key; });
    if (entry == keys.node.entries.end()) return;
    keys.refused.push_back(entry->key);
    problems_.add(entry->place, keys.path + "." + std::string(key), refusal);
  }

  template <class T>
  static std::string read_written(const YamlNode& value, T& member, std::string_view op,
                                  std::string_view key) {
    if constexpr (requires { read_field(value, member, std::int64_t{}); }) {
      return read_field(value, member, least_of(op, key));
    } else {
      return read_field(value, member);
    }
  }

  void read_group(Keys& keys, LayerSpec& layer, int depth) {
    if (layer.kind == LayerKind::kRepeat) {
      if (keys.node.find("times") == nullptr) missing(keys, "times");
      read(keys, "times", layer.times, [](const YamlNode& value, std::int64_t& times) {
        const std::string wrong = read_value(value, times);
        return wrong.empty() ? check_limits(between(1, static_cast<double>(kMaxLayerNodes)),
                                            static_cast<double>(times))
                             : wrong;
      });
    }
    if (const YamlNode* layers = take(keys, "layers")) {
      layer.branches[0] = list(*layers, keys.path + ".layers", depth + 1, Empty::kRefused);
    } else {
      missing(keys, "layers");
    }
    if (layer.kind != LayerKind::kResidual) return;
    if (const YamlNode* shortcut = take(keys, "shortcut")) {
      layer.branches[1] = list(*shortcut, keys.path + ".shortcut", depth + 1, Empty::kAllowed);
    }
  }

  void read_branches(Keys& keys, LayerSpec& layer, int depth) {
    const YamlNode* branches = take(keys, "branches");
    if (branches == nullptr) {
      if (!std::holds_alternative<Attention>(layer.op)) {
        missing(keys, "branches", ": the layer joins what two lists of layers give");
      }
      return;
    }
    const std::string path = keys.path + ".branches";
    if (branches->kind != YamlNode::Kind::kList || branches->items.empty()) {
      problems_.add(branches->place, path,
                    "must be a list of lists of layers, is " +
                        (branches->items.empty() && branches->kind == YamlNode::Kind::kList
                             ? std::string("empty")
                             : kind_name(*branches)));
      return;
    }
    for (std::size_t i = 0; i < branches->items.size(); ++i) {
      layer.branches.push_back(
          list(branches->items[i], fmt::format("{}[{}]", path, i), depth + 1, Empty::kAllowed));
    }
  }

  void report_unknown(const Keys& keys) {
    for (const YamlEntry& entry : keys.node.entries) {
      const bool is_known =
          std::find(keys.known.begin(), keys.known.end(), entry.key) != keys.known.end() ||
          std::find(keys.refused.begin(), keys.refused.end(), entry.key) != keys.refused.end();
      if (is_known) continue;
      const std::string guess = problems_.is_long() ? "" : nearest(entry.key, keys.known);
      problems_.add(entry.place, keys.path + "." + entry.key,
                    guess.empty()
                        ? fmt::format("unknown key; there are {}", fmt::join(keys.known, ", "))
                        : fmt::format("unknown key (did you mean {}?)", guess));
    }
  }

  std::string unknown(const std::string& name) const {
    const std::string_view refusal = refused_op(name);
    if (!refusal.empty()) return fmt::format("'{}' {}", name, refusal);
    const std::string shown = printable(name);
    if (problems_.is_long()) return fmt::format("'{}' is no layer", shown);
    std::string guess = nearest(name, layer_names());
    if (find_layer(name + "2d")) guess = name + "2d";
    if (!guess.empty()) return fmt::format("'{}' is no layer (did you mean {}?)", shown, guess);
    return fmt::format("'{}' is no layer; there are {}", shown, fmt::join(layer_names(), ", "));
  }

  Problems& problems_;
};

}  // namespace

LayerList read_layers(const YamlNode& node, const std::string& path, Problems& problems) {
  return LayerReader(problems).list(node, path, 1, LayerReader::Empty::kRefused);
}

}  // namespace tbn
