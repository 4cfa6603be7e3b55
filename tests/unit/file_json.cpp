// The JSON value, its strict parser and its writers, against RFC 8259.
#include "file/json.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include "support/catch.h"
#include "support/errors.h"
#include "support/growth.h"
#include "tbn/error.h"

using tbn::DataError;
using tbn::Json;
using tbn::JsonLimits;
using tbn::test::growth_of;
using tbn::test::kMostGrowth;
using tbn::test::message_of;
using tbn::test::says;

namespace {

Json parse(std::string_view text) { return tbn::parse_json(text, "t.json"); }

std::string parse_error(std::string_view text) {
  return message_of<DataError>([&] { parse(text); });
}

}  // namespace

TEST_CASE("the parser reads every kind of value", "[json]") {
  const Json json = parse(R"( {"a": [1, -2.5, true, false, null], "b": {"c": "d"}, "e": 1E3} )");
  const Json& a = json.at("a");
  CHECK(a.size() == 5);
  CHECK(a.at(0).as_int() == 1);
  CHECK(a.at(1).as_double() == -2.5);
  CHECK(a.at(2).as_bool());
  CHECK_FALSE(a.at(3).as_bool());
  CHECK(a.at(4).is_null());
  CHECK(json.at("b").at("c").as_string() == "d");
  CHECK(json.at("e").as_double() == 1000.0);
  CHECK_FALSE(json.at("e").is_int());
  CHECK(json.contains("e"));
  CHECK(json.find("x") == nullptr);
  CHECK(json.as_object().at(1).key == "b");
}

TEST_CASE("64-bit integers are exact to both ends and refused beyond", "[json]") {
  CHECK(parse("9223372036854775807").as_int() == std::numeric_limits<std::int64_t>::max());
  CHECK(parse("-9223372036854775808").as_int() == std::numeric_limits<std::int64_t>::min());
  CHECK(says(parse_error("[9223372036854775808]"), {"t.json", "byte 1", "beyond 64 bits"}));
  CHECK(says(parse_error("1e400"), {"beyond the range of a double"}));
  CHECK(says(parse_error("-1e400"), {"beyond the range of a double"}));
}

TEST_CASE("strings decode escapes and surrogate pairs", "[json]") {
  CHECK(parse(R"("\"\\\/\b\f\n\r\t")").as_string() == "\"\\/\b\f\n\r\t");
  CHECK(parse(R"("\u0041\u00e9\u20AC\ud83d\ude00")").as_string() == "A\u00e9\u20ac\U0001F600");
  CHECK(parse(R"("\u0000")").as_string() == std::string(1, '\0'));
  CHECK(parse("\"\u00e9\u20ac\U0001F600\"").as_string() == "\u00e9\u20ac\U0001F600");
}

TEST_CASE("malformed JSON is refused with its byte", "[json]") {
  const auto [text, byte, problem] = GENERATE(table<std::string, int, std::string>({
      {"", 0, "ends too early"},
      {"  ", 2, "ends too early"},
      {"{", 1, "expected a key"},
      {"[1,]", 3, "expected a value"},
      {"[1 2]", 3, "expected ','"},
      {"{\"a\":1,}", 7, "expected a key"},
      {"{\"a\" 1}", 5, "expected ':'"},
      {"{a:1}", 1, "expected a key"},
      {"1 2", 2, "unexpected text"},
      {"\xef\xbb\xbf{}", 0, "expected a value"},
      {"tru", 0, "expected a value"},
      {"nan", 0, "expected a value"},
      {"Infinity", 0, "expected a value"},
      {"+1", 0, "expected a value"},
      {".5", 0, "expected a value"},
      {"-", 0, "expected a value"},
      {"01", 0, "must not start with 0"},
      {"-012", 0, "must not start with 0"},
      {"1.", 0, "must follow the decimal point"},
      {"1e", 0, "must follow the exponent"},
      {"1e+-2", 0, "must follow the exponent"},
      {"0x10", 1, "unexpected text"},
      {"\"abc", 4, "ends inside a string"},
      {"\"a\nb\"", 2, "control character"},
      {"\"\\x\"", 1, "unknown escape"},
      {"\"\\", 1, "unknown escape"},
      {"\"\\u12g4\"", 1, "four hexadecimal digits"},
      {"\"\\u+123\"", 1, "four hexadecimal digits"},
      {"\"\\u12", 1, "four hexadecimal digits"},
      {"\"\\ud800\"", 1, "lone surrogate"},
      {"\"\\udc00\"", 1, "lone surrogate"},
      {"\"\\ud800\\u0041\"", 1, "lone surrogate"},
      {"{\"a\":1,\"b\":2,\"a\":3}", 17, "the key 'a' appears twice"},
      {"{\"a\":1,\"\\u0061\":3}", 16, "the key 'a' appears twice"},
      {"/* no */ 1", 0, "expected a value"},
      {std::string("\0", 1), 0, "expected a value"},
  }));
  CAPTURE(text);
  CHECK(says(parse_error(text),
             {"t.json: JSON error at byte " + std::to_string(byte) + ":", problem}));
}

TEST_CASE("ill-formed UTF-8 is refused", "[json]") {
  const std::string bytes =
      GENERATE(as<std::string>(), "\x80", "\xc0\xaf", "\xc1\xbf", "\xc3", "\xe0\x9f\xbf",
               "\xed\xa0\x80", "\xe2\x82", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
               "\xf5\x80\x80\x80", "\xff", "\xf0\x9f\x98");
  CHECK(says(parse_error("\"a" + bytes + "\""), {"byte 2", "invalid UTF-8"}));
  CHECK_THROWS_AS(Json(bytes).compact(), DataError);
}

TEST_CASE("depth, size and the number of values are bounded", "[json]") {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  CHECK_NOTHROW(parse(nested(65)));  // 64 levels below the outermost
  CHECK(says(parse_error(nested(66)), {"byte 65", "deeper than 64"}));
  CHECK(says(parse_error(std::string(1'000'000, '[')), {"deeper than 64"}));
  const JsonLimits limits = {.bytes = 10, .values = 3, .depth = 64};
  CHECK_NOTHROW(tbn::parse_json("[1,2]     ", "t", limits));
  CHECK(says(message_of<DataError>([&] { tbn::parse_json("[1,2]      ", "t", limits); }),
             {"11 bytes", "limit of 10"}));
  CHECK(says(message_of<DataError>([&] { tbn::parse_json("[1,2,3]", "t", limits); }),
             {"more than 3 values"}));
}

TEST_CASE("accessors name the place, what was expected and what was found", "[json]") {
  const Json json = parse(R"({"a": "x", "n": 5})");
  CHECK(says(message_of<DataError>([&] { json.at("a").as_int(); }),
             {"byte 6: expected an integer, found a string"}));
  CHECK(says(message_of<DataError>([&] { json.at("b"); }), {"no key 'b'"}));
  CHECK(says(message_of<DataError>([&] { json.at(0); }), {"expected an array, found an object"}));
  CHECK(says(message_of<DataError>([&] { json.at("n").as_int(0, 4); }), {"5", "0 and 4"}));
  CHECK(says(message_of<DataError>([&] { parse("[1]").at(1); }), {"1 elements", "number 1"}));
  CHECK_THROWS_AS(parse("1.0").as_int(), DataError);
  CHECK(json.at("n").as_double() == 5.0);
}

TEST_CASE("the canonical form sorts keys, the compact form keeps their order", "[json]") {
  const Json json = Json::object({{"b", 1}, {"a", Json::array({1, 2.0, "x", nullptr, true})}});
  CHECK(json.compact() == R"({"b":1,"a":[1,2.0,"x",null,true]})");
  CHECK(json.canonical() == R"({"a":[1,2.0,"x",null,true],"b":1})");
  CHECK(json == parse(json.canonical()));
  CHECK_FALSE(Json(1) == Json(1.0));
  CHECK(Json("\x01\x1f\"\\\n\x7f/").compact() == "\"\\u0001\\u001f\\\"\\\\\\n\x7f/\"");
}

TEST_CASE("the pretty form indents and keeps plain arrays on one line", "[json]") {
  Json json;
  json["name"] = "mlp";
  json["shape"] = std::vector<int>{784, 10};
  json["layers"].push_back(Json::object({{"p", 4}}));
  json["none"] = Json::object();
  CHECK(json.pretty() == R"({
  "name": "mlp",
  "shape": [784, 10],
  "layers": [
    {
      "p": 4
    }
  ],
  "none": {}
}
)");
}

TEST_CASE(
    "the pretty form has an escape for all that commands a terminal, and reads back the same") {
  const std::string hostile = "a\x7f\u009b2J\u061c\u200b\u202e\u2066\u2028\U000e0041\x1b";
  Json json = Json::object();
  json[hostile] = hostile + "r\u00e9d \u96ea \U0001F600";
  CHECK(json.pretty() ==
        "{\n  \"a\\u007f\\u009b2J\\u061c\\u200b\\u202e\\u2066\\u2028\\udb40\\udc41\\u001b\": "
        "\"a\\u007f\\u009b2J\\u061c\\u200b\\u202e\\u2066\\u2028\\udb40\\udc41\\u001br\u00e9d "
        "\u96ea \U0001F600\"\n}\n");
  CHECK(tbn::parse_json(json.pretty(), "t") == json);
  // What is a part of files stays as it is.
  CHECK(json.compact().find("\u202e") != std::string::npos);
  CHECK(json.canonical() == json.compact());
}

TEST_CASE("doubles round-trip in their shortest form", "[json]") {
  CHECK(Json(0.1).compact() == "0.1");
  CHECK(Json(0.1F).compact() == "0.1");
  CHECK(Json(1.0).compact() == "1.0");
  CHECK(Json(-0.0).compact() == "-0.0");
  CHECK(Json(1e300).compact() == "1e+300");
  CHECK(Json(5e-324).compact() == "5e-324");
  CHECK_THROWS_AS(Json(std::nan("")).compact(), DataError);
  CHECK_THROWS_AS(Json(INFINITY).pretty(), DataError);
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t bits = random();
    double value = 0;
    static_assert(sizeof value == sizeof bits);
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    const Json back = parse(Json(value).compact());
    REQUIRE_FALSE(back.is_int());
    REQUIRE(back.as_double() == value);
  }
}

TEST_CASE("time grows with the number of keys, not with its square", "[json]") {
  const auto key = [](std::size_t i) { return "k" + std::to_string(i * 7919 % 1'000'003); };
  const auto built = [&](std::size_t count) {
    Json json = Json::object();
    for (std::size_t i = 0; i < count; ++i) json[key(i)] = i;
    return json;
  };
  CHECK(growth_of([&](std::size_t count) { built(count); }, 5'000) < kMostGrowth);
  const auto round_trip = [&](std::size_t count) {
    const Json json = built(count);
    for (const std::string& text : {json.compact(), json.canonical(), json.pretty()}) {
      const Json back = parse(text);
      CHECK(back == json);
      CHECK(back.at(key(count / 2)).as_int() == static_cast<std::int64_t>(count / 2));
    }
  };
  CHECK(growth_of(round_trip, 2'000) < kMostGrowth);
}

TEST_CASE("many keys are found, replaced, copied and moved as few are", "[json]") {
  for (const std::size_t count : {3u, 16u, 17u, 18u, 200u}) {
    Json json = Json::object();
    for (std::size_t i = 0; i < count; ++i) json.set(std::to_string(i), i);
    json.set("1", "one");
    CHECK(json.size() == count);
    Json copy = json;
    copy.set("new", 1);
    CHECK(copy.size() == count + 1);
    CHECK_FALSE(json.contains("new"));
    const Json moved = std::move(copy);
    copy = json;
    CHECK(copy == json);
    CHECK(moved.at("1").as_string() == "one");
    CHECK(moved.at(std::to_string(count - 1)).as_int() == static_cast<std::int64_t>(count - 1));
    CHECK(json.as_object().at(0).key == "0");
    std::string twice = json.compact();
    twice.insert(twice.size() - 1, ",\"0\":1");
    CHECK(says(parse_error(twice), {"the key '0' appears twice"}));
  }
}
