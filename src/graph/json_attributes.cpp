// Goes by the table of attributes, graph/op_traits.h.
#include "graph/json_attributes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>
#include <vector>

#include "encodings/encoding.h"
#include "graph/op_traits.h"
#include "tbn/error.h"

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

template <class T>
constexpr bool kIsList = false;
template <class T>
constexpr bool kIsList<std::vector<T>> = true;

// Calls v("name", value, value of the other) for each attribute.
template <class V, class OpT>
void visit_pairs(V&& v, const OpT& op, const OpT& other) {
  std::apply([&](const auto&... f) { (v(f.name, op.*f.member, other.*f.member), ...); },
             kOpRow<OpT>.fields);
}

// Tries each alternative of the variant by its name.
template <std::size_t I = 0>
std::optional<Op> find_op(std::string_view name) {
  if constexpr (I < std::variant_size_v<OpVariant>) {
    using OpT = std::variant_alternative_t<I, OpVariant>;
    if (kOpRow<OpT>.traits.name == name) return OpT{};
    return find_op<I + 1>(name);
  } else {
    return std::nullopt;
  }
}

}  // namespace

std::optional<Op> standard_op(std::string_view name) { return find_op(name); }

void encode_attributes(const Op& op, const Op& standard, Json& json) {
  std::visit(
      [&]<class OpT>(const OpT& own) {
        visit_pairs(
            [&](std::string_view name, const auto& value, const auto& usual) {
              if (value != usual) json[name] = encode(value);
            },
            own, std::get<OpT>(standard));
      },
      op);
}

Json single_attributes(const Op& op) {
  Json json = Json::object();
  const auto add = [&]<class T>(std::string_view name, const T& value) {
    if constexpr (!kIsList<T>) json[name] = encode(value);
  };
  std::visit([&](const auto& own) { visit_attributes(add, own); }, op);
  return json;
}

void decode_attributes(const Json& json, Op& op) {
  std::size_t known = 0;
  const auto take = [&](std::string_view name, auto& field) {
    const Json* value = json.find(name);
    if (value == nullptr) return;
    ++known;
    try {
      decode(*value, field);
    } catch (const DataError& error) {
      throw DataError("attribute '" + std::string(name) + "': " + error.what());
    }
  };
  std::visit([&](auto& own) { visit_attributes(take, own); }, op);
  for (const char* key : {"op", "name", "inputs"}) known += json.contains(key) ? 1 : 0;
  if (known != json.size()) throw DataError("it has an attribute that its op does not know");
}

bool has_list(const Op& op) {
  bool found = false;
  const auto look = [&]<class T>(std::string_view, const T& value) {
    if constexpr (kIsList<T>) found |= !value.empty();
  };
  std::visit([&](const auto& own) { visit_attributes(look, own); }, op);
  return found;
}

}  // namespace tbn
