// The JSON value: building, access and equality.
#include "file/json.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/text.h"
#include "tbn/error.h"

namespace tbn {
namespace {

const char* name_of(Json::Kind kind) {
  switch (kind) {
    case Json::Kind::kNull:
      return "null";
    case Json::Kind::kBool:
      return "a boolean";
    case Json::Kind::kInt:
      return "an integer";
    case Json::Kind::kDouble:
      return "a fractional number";
    case Json::Kind::kString:
      return "a string";
    case Json::Kind::kArray:
      return "an array";
    case Json::Kind::kObject:
      return "an object";
  }
  return "an unknown value";
}

std::string place(std::size_t offset) { return "byte " + grouped(offset) + ": "; }

}  // namespace

Json::Json() noexcept = default;
Json::Json(std::nullptr_t) noexcept {}
Json::Json(const Json& other) = default;
Json::Json(Json&& other) noexcept = default;
Json& Json::operator=(const Json& other) = default;
Json& Json::operator=(Json&& other) noexcept = default;
Json::~Json() = default;

Json::Json(double value) : value_(value) {}
Json::Json(const char* value) : value_(std::string(value)) {}
Json::Json(std::string_view value) : value_(std::string(value)) {}
Json::Json(std::string value) : value_(std::move(value)) {}

Json::Json(float value) {
  // float -> shortest decimal -> double, so that 0.1f is written as 0.1.
  double wide = value;
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  double parsed = 0;
  if (std::from_chars(text, end, parsed).ec == std::errc()) wide = parsed;
  value_ = wide;
}

Json Json::object() {
  Json json;
  json.value_ = Object();
  return json;
}

Json Json::object(std::initializer_list<Member> members) {
  Json json = object();
  for (const Member& member : members) json.set(member.key, member.value);
  return json;
}

Json Json::object(Object members) {
  Json json;
  json.value_ = std::move(members);
  return json;
}

Json Json::array() {
  Json json;
  json.value_ = Array();
  return json;
}

Json Json::array(std::initializer_list<Json> values) {
  Json json;
  json.value_ = Array(values);
  return json;
}

Json Json::array(Array values) {
  Json json;
  json.value_ = std::move(values);
  return json;
}

void Json::check_fits(std::uint64_t value) {
  TBN_CHECK(value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()),
            "JSON integer " + std::to_string(value) + " does not fit 64 signed bits");
}

void Json::fail_kind(const char* expected) const {
  throw DataError(place(offset_) + "expected " + expected + ", found " + name_of(kind()));
}

bool Json::as_bool() const {
  if (const auto* value = std::get_if<bool>(&value_)) return *value;
  fail_kind("a boolean");
}

std::int64_t Json::as_int() const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
  fail_kind("an integer");
}

std::int64_t Json::as_int(std::int64_t min, std::int64_t max) const {
  const std::int64_t value = as_int();
  if (value < min || value > max) {
    throw DataError(place(offset_) + std::to_string(value) + " is not between " +
                    std::to_string(min) + " and " + std::to_string(max));
  }
  return value;
}

double Json::as_double() const {
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
  fail_kind("a number");
}

const std::string& Json::as_string() const {
  if (const auto* value = std::get_if<std::string>(&value_)) return *value;
  fail_kind("a string");
}

const Json::Array& Json::as_array() const {
  if (const auto* value = std::get_if<Array>(&value_)) return *value;
  fail_kind("an array");
}

const Json::Object& Json::as_object() const {
  if (const auto* value = std::get_if<Object>(&value_)) return *value;
  fail_kind("an object");
}

std::size_t Json::size() const {
  if (is_null()) return 0;
  if (is_object()) return as_object().size();
  return as_array().size();
}

const Json* Json::find(std::string_view key) const {
  const auto* members = std::get_if<Object>(&value_);
  if (members == nullptr) return nullptr;
  return members->find(key);
}

const Json& Json::at(std::string_view key) const {
  as_object();
  if (const Json* value = find(key)) return *value;
  throw DataError(place(offset_) + "the object has no key " + in_quotes(key));
}

const Json& Json::at(std::size_t index) const {
  const Array& values = as_array();
  if (index < values.size()) return values[index];
  throw DataError(place(offset_) + "the array has " + grouped(values.size()) +
                  " elements, number " + grouped(index) + " (from 0) is missing");
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) value_ = Object();
  TBN_CHECK(is_object(), "a JSON key is set on " + std::string(name_of(kind())));
  Object& members = std::get<Object>(value_);
  if (Json* found = members.find(key)) return *found;
  members.append(std::string(key), Json());
  return *members.find(key);
}

Json& Json::set(std::string_view key, Json value) {
  (*this)[key] = std::move(value);
  return *this;
}

Json& Json::push_back(Json value) {
  if (is_null()) value_ = Array();
  TBN_CHECK(is_array(), "a JSON element is appended to " + std::string(name_of(kind())));
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

bool Json::operator==(const Json& other) const {
  if (kind() != other.kind()) return false;
  if (is_array()) return std::ranges::equal(as_array(), other.as_array());
  if (is_object()) {
    return size() == other.size() && std::ranges::all_of(as_object(), [&](const Member& member) {
             const Json* match = other.find(member.key);
             return match != nullptr && *match == member.value;
           });
  }
  if (is_string()) return as_string() == other.as_string();
  if (is_bool()) return as_bool() == other.as_bool();
  if (is_int()) return as_int() == other.as_int();
  return is_null() || as_double() == other.as_double();
}

}  // namespace tbn
