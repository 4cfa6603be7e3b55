// A small strict JSON value, its parser and its writers: headers of tensor files, checkpoint
// metadata, packed graphs, and what the tools print under --json.
//
//   Json j = Json::object();
//   j["name"] = "mlp";
//   j["shape"] = Json::array({784, 128, 10});
//   for (const Json& n : parse_json(text, "net.json").at("shape").as_array()) use(n.as_int());
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tbn {

class Json {
 public:
  enum class Kind { kNull, kBool, kInt, kDouble, kString, kArray, kObject };
  struct Member;
  using Array = std::vector<Json>;

  // Members in the order of insertion, each key once. Where there are many, finding one takes a
  // time that grows with the logarithm of their number: files decide how many there are.
  class Object {
   public:
    using Iterator = std::vector<Member>::const_iterator;

    Object() noexcept;
    Object(const Object& other);
    Object(Object&& other) noexcept;
    Object& operator=(const Object& other);
    Object& operator=(Object&& other) noexcept;
    ~Object();

    std::size_t size() const;
    Iterator begin() const;
    Iterator end() const;
    const Member& at(std::size_t index) const;
    // Null where the key is not there.
    const Json* find(std::string_view key) const;
    Json* find(std::string_view key);
    // Whether the key was not there and is now.
    bool append(std::string key, Json value);

   private:
    struct Index;
    std::optional<std::size_t> place_of(std::string_view key) const;

    std::vector<Member> members_;
    std::unique_ptr<Index> index_;  // from a number of members on that is not worth a search
  };

  Json() noexcept;  // null
  Json(std::nullptr_t) noexcept;
  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();
  template <class T>
  requires std::same_as<T, bool> Json(T value);
  template <std::integral T>
  requires(!std::same_as<T, bool>) Json(T value);
  Json(double value);
  Json(float value);  // the shortest decimal number that reads back as the same float
  Json(const char* value);
  Json(std::string_view value);
  Json(std::string value);
  template <class T>
  Json(const std::vector<T>& values);  // an array

  static Json object();
  static Json object(std::initializer_list<Member> members);
  static Json object(Object members);
  static Json array();
  static Json array(std::initializer_list<Json> values);
  static Json array(Array values);

  Kind kind() const { return static_cast<Kind>(value_.index()); }
  bool is_null() const { return kind() == Kind::kNull; }
  bool is_bool() const { return kind() == Kind::kBool; }
  bool is_int() const { return kind() == Kind::kInt; }
  bool is_number() const { return is_int() || kind() == Kind::kDouble; }
  bool is_string() const { return kind() == Kind::kString; }
  bool is_array() const { return kind() == Kind::kArray; }
  bool is_object() const { return kind() == Kind::kObject; }

  // The value as its type, or a DataError: "byte 17: expected an integer, found a string".
  bool as_bool() const;
  std::int64_t as_int() const;
  std::int64_t as_int(std::int64_t min, std::int64_t max) const;  // also checks min <= value <= max
  double as_double() const;                                       // an integer is taken too
  const std::string& as_string() const;
  const Array& as_array() const;
  const Object& as_object() const;

  // Elements of an array or an object (0 for null).
  std::size_t size() const;
  bool contains(std::string_view key) const { return find(key) != nullptr; }
  // Null when this is no object or has no such key.
  const Json* find(std::string_view key) const;
  // Throws a DataError when the key or the index is missing.
  const Json& at(std::string_view key) const;
  const Json& at(std::size_t index) const;

  // Building. A null becomes an object or an array at its first element.
  Json& operator[](std::string_view key);       // appends the key when it is missing
  Json& set(std::string_view key, Json value);  // the same, returns *this
  Json& push_back(Json value);                  // returns *this

  // The three texts. All throw a DataError for a number that is not finite and for text that is
  // not UTF-8. Doubles are the shortest that round-trip and always show that they are no integers.
  std::string compact() const;    // no spaces, keys in the order of insertion
  std::string canonical() const;  // no spaces, keys sorted by their bytes: equal values, equal text
  // Indented by 2, keys in the order of insertion; ends with '\n'. For people's eyes: what shown()
  // (base/shown.h) would not show is escaped.
  std::string pretty() const;

  // Equal kinds and values; the order of keys does not matter.
  bool operator==(const Json& other) const;

  // Where the parser found this value, in bytes from the start of the text (0 if built by hand).
  std::size_t offset() const { return offset_; }

 private:
  friend class JsonParser;

  template <std::integral T>
  static std::int64_t to_int64(T value) {
    if constexpr (sizeof(T) == 8 && !std::is_signed_v<T>) check_fits(value);
    return static_cast<std::int64_t>(value);
  }
  static void check_fits(std::uint64_t value);
  [[noreturn]] void fail_kind(const char* expected) const;

  std::variant<std::nullptr_t, bool, std::int64_t, double, std::string, Array, Object> value_;
  std::size_t offset_ = 0;
};

struct Json::Member {
  std::string key;
  Json value;
};

template <class T>
requires std::same_as<T, bool> Json::Json(T value) : value_(value) {}
template <std::integral T>
requires(!std::same_as<T, bool>) Json::Json(T value) : value_(to_int64(value)) {}
template <class T>
Json::Json(const std::vector<T>& values) : value_(Array(values.begin(), values.end())) {}

// What a text may hold; what exceeds it is refused, so memory stays within a small multiple of it.
struct JsonLimits {
  std::size_t bytes = 100'000'000;
  std::size_t values = 2'000'000;
  int depth = 64;
};

// Parses one JSON text (RFC 8259, UTF-8, no byte order mark). Refuses, with a DataError that opens
// with `where` and the byte offset: duplicate keys, lone surrogates, integers beyond 64 bits,
// numbers beyond a double, anything after the value.
Json parse_json(std::string_view text, const std::string& where, const JsonLimits& limits = {});

}  // namespace tbn
