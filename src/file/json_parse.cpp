// The strict JSON parser: one pass, bounded in depth, size and number of values.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "base/utf8.h"
#include "file/json.h"
#include "tbn/error.h"

namespace tbn {

class JsonParser {
 public:
  JsonParser(std::string_view text, const std::string& where, const JsonLimits& limits)
      : text_(text), where_(where), limits_(limits) {}

  Json parse() {
    if (text_.size() > limits_.bytes) {
      fail(0, "the text has " + grouped(text_.size()) + " bytes, more than the limit of " +
                  grouped(limits_.bytes));
    }
    skip_space();
    Json json = parse_value(0);
    skip_space();
    if (at_ < text_.size()) fail(at_, "unexpected text after the value");
    return json;
  }

 private:
  [[noreturn]] void fail(std::size_t at, const std::string& problem) const {
    throw DataError(where_ + ": JSON error at byte " + grouped(at) + ": " + problem);
  }

  // The next character, or NUL (which no JSON token contains) at the end.
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  void expect(char c, const char* after) {
    if (take(c)) return;
    fail(at_, at_ == text_.size() ? "the text ends too early"
                                  : std::string("expected '") + c + "' " + after);
  }

  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  Json parse_value(int depth) {
    const std::size_t start = at_;
    if (depth > limits_.depth) {
      fail(start, "nested deeper than " + std::to_string(limits_.depth) + " levels");
    }
    if (++values_ > limits_.values) fail(start, "more than " + grouped(limits_.values) + " values");
    Json json = parse_kind(depth);
    json.offset_ = start;
    return json;
  }

  Json parse_kind(int depth) {
    if (at_ == text_.size()) fail(at_, "the text ends too early");
    switch (peek()) {
      case '{':
        return parse_object(depth);
      case '[':
        return parse_array(depth);
      case '"':
        return parse_string();
      case 't':
        return parse_word("true", true);
      case 'f':
        return parse_word("false", false);
      case 'n':
        return parse_word("null", nullptr);
      default:
        return parse_number();
    }
  }

  Json parse_word(std::string_view word, Json value) {
    if (text_.substr(at_, word.size()) != word) fail(at_, "expected a value");
    at_ += word.size();
    return value;
  }

  Json parse_array(int depth) {
    Json json = Json::array();
    auto& values = std::get<Json::Array>(json.value_);
    expect('[', "");
    skip_space();
    if (take(']')) return json;
    while (true) {
      values.push_back(parse_value(depth + 1));
      skip_space();
      if (take(']')) return json;
      expect(',', "or ']' after an array element");
      skip_space();
    }
  }

  Json parse_object(int depth) {
    Json json = Json::object();
    auto& members = std::get<Json::Object>(json.value_);
    expect('{', "");
    skip_space();
    if (take('}')) return json;
    while (true) {
      if (peek() != '"') fail(at_, "expected a key in quotes");
      std::string key = parse_string();
      skip_space();
      expect(':', "after a key");
      skip_space();
      const std::size_t value_at = at_;
      Json value = parse_value(depth + 1);
      if (members.find(key) != nullptr) {
        fail(value_at, "the key " + in_quotes(key) + " appears twice");
      }
      members.append(std::move(key), std::move(value));
      skip_space();
      if (take('}')) break;
      expect(',', "or '}' after an object member");
      skip_space();
    }
    return json;
  }

  std::string parse_string() {
    std::string value;
    expect('"', "");
    while (true) {
      if (at_ == text_.size()) fail(at_, "the text ends inside a string");
      const auto c = static_cast<unsigned char>(text_[at_]);
      if (c == '"') {
        ++at_;
        return value;
      }
      if (c < 0x20) fail(at_, "a control character in a string must be escaped");
      if (c == '\\') {
        parse_escape(value);
        continue;
      }
      const std::size_t length = utf8_sequence(text_.substr(at_, 4));
      if (length == 0) fail(at_, "invalid UTF-8");
      value.append(text_.substr(at_, length));
      at_ += length;
    }
  }

  void parse_escape(std::string& value) {
    const std::size_t start = at_++;  // the backslash
    const char c = peek();
    if (at_ < text_.size()) ++at_;
    switch (c) {
      case '"':
      case '\\':
      case '/':
        value += c;
        return;
      case 'b':
        value += '\b';
        return;
      case 'f':
        value += '\f';
        return;
      case 'n':
        value += '\n';
        return;
      case 'r':
        value += '\r';
        return;
      case 't':
        value += '\t';
        return;
      case 'u':
        append_utf8(value, parse_code_point(start));
        return;
      default:
        fail(start, "unknown escape in a string");
    }
  }

  // What follows "\u": four hexadecimal digits, or a surrogate pair's two times four.
  char32_t parse_code_point(std::size_t start) {
    const char32_t high = parse_hex4(start);
    if (high < 0xd800 || high > 0xdfff) return high;
    if (high > 0xdbff || !take('\\') || !take('u')) fail(start, "a lone surrogate");
    const char32_t low = parse_hex4(start);
    if (low < 0xdc00 || low > 0xdfff) fail(start, "a lone surrogate");
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
  }

  char32_t parse_hex4(std::size_t start) {
    const std::string_view digits = text_.substr(at_, 4);
    unsigned value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 4 || error != std::errc() || end != digits.data() + 4) {
      fail(start, "\\u needs four hexadecimal digits");
    }
    at_ += 4;
    return value;
  }

  bool skip_digits() {
    const std::size_t start = at_;
    while (peek() >= '0' && peek() <= '9') ++at_;
    return at_ > start;
  }

  Json parse_number() {
    const std::size_t start = at_;
    take('-');
    const bool zero = take('0');
    if (!zero && !skip_digits()) fail(start, "expected a value");
    if (zero && skip_digits()) fail(start, "a number must not start with 0");
    bool integer = true;
    if (take('.')) {
      integer = false;
      if (!skip_digits()) fail(start, "a digit must follow the decimal point");
    }
    if (take('e') || take('E')) {
      integer = false;
      if (!take('+')) take('-');
      if (!skip_digits()) fail(start, "a digit must follow the exponent's e");
    }
    if (integer) return convert<std::int64_t>(start, "an integer beyond 64 bits");
    return convert<double>(start, "a number beyond the range of a double");
  }

  template <class T>
  Json convert(std::size_t start, const char* problem) const {
    T value = 0;
    const char* end = text_.data() + at_;
    const auto result = std::from_chars(text_.data() + start, end, value);
    if (result.ec != std::errc() || result.ptr != end) fail(start, problem);
    return value;
  }

  std::string_view text_;
  const std::string& where_;
  JsonLimits limits_;
  std::size_t at_ = 0;
  std::size_t values_ = 0;
};

Json parse_json(std::string_view text, const std::string& where, const JsonLimits& limits) {
  return JsonParser(text, where, limits).parse();
}

}  // namespace tbn
