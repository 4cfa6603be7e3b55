// The text form of a graph: one line per node, for people and for golden tests. Attributes that
// have their default value are left out.
#include <charconv>

#include "encodings/encoding.h"
#include "graph/op_traits.h"
#include "tbn/graph.h"

namespace tbn {
namespace {

class AttributeText {
 public:
  explicit AttributeText(std::string& out) : out_(out) {}

  template <class T>
  void operator()(std::string_view name, const T& value, const T& standard) {
    if (value == standard) return;
    out_ += "  ";
    out_ += name;
    out_ += '=';
    write(value);
  }

 private:
  void write(std::int64_t v) { out_ += std::to_string(v); }
  void write(bool v) { out_ += v ? "true" : "false"; }
  void write(double v) { number(v); }
  void write(Size2 v) {
    out_ += std::to_string(v.h);
    if (v.h != v.w) out_ += "x" + std::to_string(v.w);
  }
  void write(const Shape& v) { out_ += to_string(v); }
  void write(const std::vector<float>& values) {
    out_ += '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out_ += ", ";
      number(values[i]);
    }
    out_ += ']';
  }
  void write(ActivationKind v) { out_ += to_string(v); }
  void write(PositionKind v) { out_ += to_string(v); }
  void write(PoolKind v) { out_ += to_string(v); }
  void write(const WeightEncoding& v) {
    out_ += to_string(v);
    const Encoding& room = encoding_of(v);
    for (const Field& field : room.fields()) {
      const FieldValue value = field.get(v);
      if (field.is_main || value == field.get(room.standard())) continue;
      out_ += ' ';
      out_ += field.key;
      out_ += ':';
      std::visit([&](const auto& own) { write(own); }, value);
    }
  }
  void write(std::string_view v) { out_ += v; }
  template <class T>
  void number(T v) {
    char buffer[64];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, v).ptr;
    out_.append(buffer, end);
  }

  std::string& out_;
};

// Walks an op's attributes together with those of a default op.
template <class OpT>
void write_attributes(const OpT& op, std::string& out) {
  AttributeText text(out);
  const OpT standard{};
  visit_attributes(
      [&](std::string_view name, const auto& value) {
        visit_attributes(
            [&](std::string_view other, const auto& its) {
              if constexpr (std::is_same_v<decltype(its), decltype(value)>) {
                if (name == other) text(name, value, its);
              }
            },
            standard);
      },
      op);
}

}  // namespace

std::string to_text(const Graph& graph) {
  std::string out = "graph " + graph.name + "\n";
  for (const Node& node : graph.nodes) {
    out += node.name + ": " + std::string(op_name(node.op)) + "(";
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      out += (i > 0 ? ", " : "") + graph.node(node.inputs[i]).name;
    }
    out += ") -> " + to_string(node.shape);
    std::visit([&](const auto& op) { write_attributes(op, out); }, node.op);
    out += '\n';
  }
  out += "output " + graph.node(graph.output).name + "\n";
  return out;
}

}  // namespace tbn
