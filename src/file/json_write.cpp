// The JSON writers: compact, canonical and pretty are one walk with three settings.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/shown.h"
#include "base/utf8.h"
#include "file/json.h"
#include "tbn/error.h"

namespace tbn {
namespace {

enum class Style { kCompact, kCanonical, kPretty };

void append_unit(std::string& out, char32_t unit) {
  constexpr char kHex[] = "0123456789abcdef";
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[unit >> shift & 15];
}

// Beyond U+FFFF as a pair of surrogates.
void append_code(std::string& out, char32_t code) {
  if (code < 0x10000) return append_unit(out, code);
  append_unit(out, 0xd800 + ((code - 0x10000) >> 10));
  append_unit(out, 0xdc00 + ((code - 0x10000) & 0x3ff));
}

// What people read (`shows`) has escapes also for what a terminal must not have as it is.
void append_escaped(std::string& out, std::string_view text, bool shows) {
  out += '"';
  each_character(text, [&](std::string_view character, bool is_shown) {
    if (utf8_sequence(character) == 0) {
      throw DataError("text that is not valid UTF-8 cannot be written as JSON");
    }
    switch (character[0]) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(character[0]) < 0x20 || (shows && !is_shown)) {
          append_code(out, code_point(character));
        } else {
          out.append(character);
        }
    }
  });
  out += '"';
}

void append_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    throw DataError("a number that is not finite cannot be written as JSON");
  }
  char digits[32];
  const std::string_view text(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  out += text;
  // A double stays a double when it is read back.
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

class Writer {
 public:
  explicit Writer(Style style) : style_(style) {}

  std::string write(const Json& json) {
    append(json, 0);
    if (style_ == Style::kPretty) out_ += '\n';
    return std::move(out_);
  }

 private:
  void append(const Json& json, int depth) {
    switch (json.kind()) {
      case Json::Kind::kNull:
        out_ += "null";
        return;
      case Json::Kind::kBool:
        out_ += json.as_bool() ? "true" : "false";
        return;
      case Json::Kind::kInt:
        out_ += std::to_string(json.as_int());
        return;
      case Json::Kind::kDouble:
        append_double(out_, json.as_double());
        return;
      case Json::Kind::kString:
        append_text(json.as_string());
        return;
      case Json::Kind::kArray:
        append_array(json.as_array(), depth);
        return;
      case Json::Kind::kObject:
        append_object(json.as_object(), depth);
        return;
    }
  }

  void append_text(std::string_view text) { append_escaped(out_, text, style_ == Style::kPretty); }

  void append_array(const Json::Array& values, int depth) {
    // A shape reads best on one line: only arrays that hold arrays or objects are broken up.
    const bool nested = std::ranges::any_of(
        values, [](const Json& value) { return value.is_array() || value.is_object(); });
    out_ += '[';
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out_ += style_ == Style::kPretty && !nested ? ", " : ",";
      if (nested) break_line(depth + 1);
      append(values[i], depth + 1);
    }
    if (nested) break_line(depth);
    out_ += ']';
  }

  void append_object(const Json::Object& members, int depth) {
    std::vector<const Json::Member*> ordered;
    ordered.reserve(members.size());
    for (const Json::Member& member : members) ordered.push_back(&member);
    if (style_ == Style::kCanonical) {
      std::ranges::sort(ordered, {}, [](const auto* m) -> std::string_view { return m->key; });
    }
    out_ += '{';
    for (std::size_t i = 0; i < ordered.size(); ++i) {
      if (i > 0) out_ += ',';
      break_line(depth + 1);
      append_text(ordered[i]->key);
      out_ += style_ == Style::kPretty ? ": " : ":";
      append(ordered[i]->value, depth + 1);
    }
    if (!ordered.empty()) break_line(depth);
    out_ += '}';
  }

  void break_line(int depth) {
    if (style_ != Style::kPretty) return;
    out_ += '\n';
    out_.append(2 * static_cast<std::size_t>(depth), ' ');
  }

  Style style_;
  std::string out_;
};

}  // namespace

std::string Json::compact() const { return Writer(Style::kCompact).write(*this); }
std::string Json::canonical() const { return Writer(Style::kCanonical).write(*this); }
std::string Json::pretty() const { return Writer(Style::kPretty).write(*this); }

}  // namespace tbn
