// The canonical JSON of a graph, as the packed file and checkpoints hold it, and its strict reader.
//
//   {"name": "mlp", "nodes": [{"name": "input", "op": "input", "shape": [784]},
//    {"inputs": [0], "name": "fc1", "op": "linear", "out_features": 128, ...}], "output": 3}
//
// Attributes with their default value are left out; shapes are inferred again when it is read.
#include <algorithm>
#include <limits>
#include <optional>

#include "encodings/encoding.h"
#include "file/json.h"
#include "graph/op_traits.h"
#include "tbn/error.h"
#include "tbn/graph.h"

namespace tbn {
namespace {

constexpr std::int64_t kMaxInt = std::numeric_limits<std::int32_t>::max();

Json encode(std::int64_t v) { return Json(v); }
Json encode(bool v) { return Json(v); }
Json encode(double v) { return Json(v); }
Json encode(Size2 v) { return Json::array({v.h, v.w}); }
Json encode(const std::vector<std::int64_t>& v) { return Json(v); }
Json encode(const std::vector<float>& v) { return Json(v); }
Json encode(ActivationKind v) { return Json(to_string(v)); }
Json encode(PositionKind v) { return Json(to_string(v)); }
Json encode(PoolKind v) { return Json(to_string(v)); }
Json encode(std::string_view v) { return Json(v); }
Json encode(const WeightEncoding& v) {
  const Encoding& room = encoding_of(v);
  Json json = Json::object();
  json["encoding"] = room.word();
  for (const Field& field : room.fields()) {
    const FieldValue value = field.get(v);
    if (!field.is_main && value == field.get(room.standard())) continue;
    json[field.key] = std::visit([](const auto& own) { return encode(own); }, value);
  }
  return json;
}

void decode(const Json& json, std::int64_t& v) { v = json.as_int(-1, kMaxInt); }
void decode(const Json& json, bool& v) { v = json.as_bool(); }
void decode(const Json& json, double& v) { v = json.as_double(); }
void decode(const Json& json, Size2& v) {
  if (json.as_array().size() != 2) throw DataError("expected two numbers");
  v = {json.at(std::size_t{0}).as_int(-1, kMaxInt), json.at(std::size_t{1}).as_int(-1, kMaxInt)};
}
void decode(const Json& json, std::vector<std::int64_t>& v) {
  v.clear();
  for (const Json& item : json.as_array()) v.push_back(item.as_int(-1, kMaxInt));
}
void decode(const Json& json, std::vector<float>& v) {
  v.clear();
  for (const Json& item : json.as_array()) {
    const double number = item.as_double();
    if (!(std::abs(number) <= std::numeric_limits<float>::max())) {
      throw DataError("a number is beyond single precision");
    }
    v.push_back(static_cast<float>(number));
  }
}

// The enum value whose name the JSON string is.
template <class Enum, std::size_t N>
Enum choice(const Json& json, const Enum (&values)[N]) {
  std::string names;
  for (Enum value : values) {
    if (json.as_string() == to_string(value)) return value;
    names += (names.empty() ? "" : ", ") + std::string(to_string(value));
  }
  throw DataError("expected one of " + names);
}

void decode(const Json& json, ActivationKind& v) {
  using enum ActivationKind;
  v = choice(json, {kNone, kRelu, kGelu, kSilu, kTanh, kSigmoid});
}
void decode(const Json& json, PositionKind& v) {
  v = choice(json, {PositionKind::kLearned, PositionKind::kSinusoidal});
}
void decode(const Json& json, PoolKind& v) { v = choice(json, {PoolKind::kMax, PoolKind::kMean}); }
FieldValue decode(const Json& json, const Field& field) {
  if (field.choices.empty()) return json.as_int(field.min, kMaxInt);
  std::string names;
  for (const std::string_view choice : field.choices) {
    if (json.as_string() == choice) return choice;
    names += (names.empty() ? "" : ", ") + std::string(choice);
  }
  throw DataError("expected one of " + names);
}
void decode(const Json& json, WeightEncoding& v) {
  const Encoding* room = find_encoding(json.at("encoding").as_string());
  if (room == nullptr) throw DataError("unknown weight encoding");
  v = room->standard();
  for (const auto& [key, value] : json.as_object()) {
    if (key == "encoding") continue;
    const auto field = std::ranges::find(room->fields(), key, &Field::key);
    if (field == room->fields().end()) {
      throw DataError("unknown attribute of " + std::string(room->word()) + " weights");
    }
    field->set(v, decode(value, *field));
  }
}

template <class OpT>
void encode_attributes(const OpT& op, Json& json) {
  const OpT standard{};
  visit_attributes(
      [&](std::string_view name, const auto& value) {
        bool is_standard = false;
        visit_attributes(
            [&](std::string_view other, const auto& its) {
              if constexpr (std::is_same_v<decltype(its), decltype(value)>) {
                is_standard = is_standard || (name == other && value == its);
              }
            },
            standard);
        if (!is_standard) json[name] = encode(value);
      },
      op);
}

template <class OpT>
Op decode_attributes(const Json& json) {
  OpT op{};
  std::size_t known = 0;
  visit_attributes(
      [&](std::string_view name, auto& field) {
        const Json* value = json.find(name);
        if (value == nullptr) return;
        ++known;
        try {
          decode(*value, field);
        } catch (const DataError& error) {
          throw DataError("attribute '" + std::string(name) + "': " + error.what());
        }
      },
      op);
  for (const char* key : {"op", "name", "inputs"}) known += json.contains(key) ? 1 : 0;
  if (known != json.size()) throw DataError("it has an attribute that its op does not know");
  return op;
}

// Tries each alternative of the variant by its name.
template <std::size_t I = 0>
std::optional<Op> decode_op(std::string_view name, const Json& json) {
  if constexpr (I < std::variant_size_v<Op>) {
    using OpT = std::variant_alternative_t<I, Op>;
    if (op_name(Op(OpT{})) == name) return decode_attributes<OpT>(json);
    return decode_op<I + 1>(name, json);
  } else {
    return std::nullopt;
  }
}

Node decode_node(const Json& json, const Graph& graph) {
  Node node;
  node.name = json.at("name").as_string();
  const std::string& name = json.at("op").as_string();
  std::optional<Op> op = decode_op(name, json);
  if (!op) {
    throw DataError("its op is unknown to this version of tbn; it may come from a newer one");
  }
  node.op = std::move(*op);
  std::vector<Shape> shapes;
  if (const Json* inputs = json.find("inputs")) {
    const auto earlier = static_cast<std::int64_t>(graph.nodes.size());
    for (const Json& input : inputs->as_array()) {
      node.inputs.push_back(static_cast<NodeId>(input.as_int(0, earlier - 1)));
      shapes.push_back(graph.node(node.inputs.back()).shape);
    }
  }
  node.shape = infer_shape(node.op, node.name, shapes);
  return node;
}

}  // namespace

std::string to_json(const Graph& graph) {
  Json nodes = Json::array();
  for (const Node& node : graph.nodes) {
    Json json = Json::object();
    json["name"] = node.name;
    json["op"] = op_name(node.op);
    if (!node.inputs.empty()) {
      json["inputs"] = std::vector<std::int64_t>(node.inputs.begin(), node.inputs.end());
    }
    std::visit([&](const auto& op) { encode_attributes(op, json); }, node.op);
    nodes.push_back(std::move(json));
  }
  Json root = Json::object();
  root["name"] = graph.name;
  root["nodes"] = std::move(nodes);
  root["output"] = static_cast<std::int64_t>(graph.output);
  return root.canonical();
}

Graph graph_from_json(std::string_view text, const std::string& where) {
  Graph graph;
  std::string place = "the graph";
  try {
    const Json root = parse_json(text, "graph");
    graph.name = root.at("name").as_string();
    const Json::Array& nodes = root.at("nodes").as_array();
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      place = "node " + std::to_string(i) + " of the graph";
      graph.nodes.push_back(decode_node(nodes[i], graph));
    }
    place = "the graph";
    graph.output = static_cast<NodeId>(
        root.at("output").as_int(0, static_cast<std::int64_t>(nodes.size()) - 1));
    if (root.size() != 3) throw DataError("it has a member that is not name, nodes or output");
    validate(graph);
  } catch (const Error& error) {
    throw DataError(where + ": " + place + ": " + error.what());
  }
  return graph;
}

}  // namespace tbn
