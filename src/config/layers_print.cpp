// Writes the lists of layers of a custom network as they are read.
#include <algorithm>

#include "config/layer_fields.h"
#include "config/layers.h"
#include "config/scalars.h"
#include "graph/op_traits.h"

namespace tbn {
namespace {

class LayerPrinter {
 public:
  std::string text;

  void list(const LayerList& layers, int indent) {
    for (const LayerSpec& layer : layers) print(layer, indent);
  }

 private:
  using Attributes = std::vector<std::pair<std::string, std::string>>;

  void line(int indent, const std::string& content) {
    text += std::string(static_cast<std::size_t>(indent), ' ') + content + "\n";
  }

  void print(const LayerSpec& layer, int indent) {
    const Attributes attributes = attributes_of(layer);
    const std::string name = layer_name(layer);
    if (layer.branches.empty()) {
      std::string flow;
      for (const auto& [key, value] : attributes) {
        flow += (flow.empty() ? "" : ", ") + key + ": " + value;
      }
      line(indent, "- " + name + (flow.empty() ? "" : ": {" + flow + "}"));
      return;
    }
    line(indent, "- " + name + ":");
    for (const auto& [key, value] : attributes) line(indent + 4, key + ": " + value);
    if (layer.kind == LayerKind::kOp) {
      print_branches(layer.branches, indent + 4);
      return;
    }
    line(indent + 4, "layers:");
    list(layer.branches[0], indent + 6);
    if (layer.kind == LayerKind::kResidual && !layer.branches[1].empty()) {
      line(indent + 4, "shortcut:");
      list(layer.branches[1], indent + 6);
    }
  }

  void print_branches(const std::vector<LayerList>& branches, int indent) {
    line(indent, "branches:");
    for (const LayerList& branch : branches) {
      line(indent + 2, branch.empty() ? "- []" : "-");
      list(branch, indent + 4);
    }
  }

  static Attributes attributes_of(const LayerSpec& layer) {
    Attributes attributes;
    if (layer.kind == LayerKind::kRepeat) attributes.emplace_back("times", yaml_text(layer.times));
    if (layer.kind == LayerKind::kOp && !std::holds_alternative<Activation>(layer.op)) {
      std::visit([&](const auto& op) { add_attributes(op, attributes); }, layer.op);
    }
    if (!layer.name.empty()) attributes.emplace_back("name", yaml_text(layer.name));
    return attributes;
  }

  template <class OpT>
  static void add_attributes(const OpT& op, Attributes& attributes) {
    Attributes standard;
    const OpT default_op{};
    visit_attributes([&](std::string_view key, const auto& field) { add(key, field, standard); },
                     default_op);
    visit_attributes([&](std::string_view key, const auto& field) { add(key, field, attributes); },
                     op);
    std::erase_if(attributes, [&](const auto& attribute) {
      return !is_required(op_name(Op(op)), attribute.first) &&
             std::find(standard.begin(), standard.end(), attribute) != standard.end();
    });
  }

  template <class T>
  static void add(std::string_view key, const T& field, Attributes& attributes) {
    if constexpr (kIsWritten<T>) attributes.emplace_back(key, field_text(field));
  }
};

}  // namespace

std::string layers_text(const LayerList& layers, int indent) {
  LayerPrinter printer;
  printer.list(layers, indent);
  return printer.text;
}

}  // namespace tbn
