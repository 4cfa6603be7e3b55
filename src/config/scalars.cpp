// Strict reading and writing of YAML scalars.
#include "config/scalars.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/shown.h"
#include "base/utf8.h"
#include "config/number_advice.h"

namespace tbn {
namespace {

constexpr std::string_view kNumber = "a number";
constexpr std::string_view kWholeNumber = "a whole number";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_special(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  constexpr std::array kNames{".inf", ".nan", "inf", "nan", "infinity"};
  return std::find(kNames.begin(), kNames.end(), lower) != kNames.end();
}

// The plain text of a scalar that must be `kind`, or what is wrong with the node.
std::string plain_text(const YamlNode& node, std::string_view kind, std::string_view& text) {
  if (node.kind == YamlNode::Kind::kNull) return fmt::format("has no value, must be {}", kind);
  if (node.kind != YamlNode::Kind::kScalar || node.quoted) {
    return fmt::format("must be {}, is {}{}", kind, node.quoted ? "the text " : "",
                       kind_name(node));
  }
  text = node.text;
  return "";
}

// A finite double in the strict syntax, or what is wrong.
std::string parse_number(std::string_view text, std::string_view kind, double& value) {
  const std::string shown = printable(text);
  if (is_special(text)) return fmt::format("must be finite, is {}", shown);
  if (!looks_like_number(text)) {
    const std::string advice = number_advice(text, kind == kWholeNumber);
    if (!advice.empty()) return fmt::format("must be {}, is '{}' (write {})", kind, shown, advice);
    const char* one =
        kind == kWholeNumber ? " (one value)" : " (one value, decimals after a point)";
    return fmt::format("must be {}, is '{}'{}", kind, shown,
                       text.find(',') != std::string_view::npos ? one : "");
  }
  const bool has_sign = text[0] == '-' || text[0] == '+';
  const std::string_view digits = text.substr(has_sign ? 1 : 0);
  if (digits.size() > 1 && digits[0] == '0' && is_digit(digits[1])) {
    return fmt::format("'{}' is ambiguous (octal to some readers of YAML); leave out the zero",
                       shown);
  }
  const char* begin = text.data() + (text[0] == '+' ? 1 : 0);
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
  if (error != std::errc{} || !std::isfinite(value)) {
    return fmt::format("{} is beyond the range of a double", shown);
  }
  return "";
}

// Whether `text` unquoted is read back as this text by us and by other readers of YAML.
bool is_plain(const std::string& text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (text.empty() || !(is_letter(text[0]) || text[0] == '/')) return false;
  for (const char c : text) {
    if (!is_letter(c) && !is_digit(c) && c != '_' && c != '-' && c != '.' && c != '/') return false;
  }
  std::string lower = text;
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  constexpr std::array kReserved{"true", "false", "yes", "no", "on", "off", "y", "n", "null"};
  return std::find(kReserved.begin(), kReserved.end(), lower) == kReserved.end();
}

// What no terminal should have as it is; a configuration is printed on one.
std::string escaped(std::string_view character) {
  const auto code = static_cast<std::uint32_t>(code_point(character));
  if (character.size() == 1) return fmt::format("\\x{:02x}", code);
  return code < 0x10000 ? fmt::format("\\u{:04x}", code) : fmt::format("\\U{:08x}", code);
}

}  // namespace

std::string read_value(const YamlNode& node, bool& value) {
  constexpr std::string_view kKind = "true or false";
  std::string_view text;
  if (std::string wrong = plain_text(node, kKind, text); !wrong.empty()) return wrong;
  if (text != "true" && text != "false") {
    return fmt::format("must be {}, is '{}'", kKind, printable(text));
  }
  value = text == "true";
  return "";
}

std::string read_value(const YamlNode& node, double& value) {
  std::string_view text;
  if (std::string wrong = plain_text(node, kNumber, text); !wrong.empty()) return wrong;
  double number = 0;
  std::string wrong = parse_number(text, kNumber, number);
  if (wrong.empty()) value = number;
  return wrong;
}

std::string read_value(const YamlNode& node, std::int64_t& value) {
  std::string_view text;
  if (std::string wrong = plain_text(node, kWholeNumber, text); !wrong.empty()) return wrong;
  double number = 0;
  if (std::string wrong = parse_number(text, kWholeNumber, number); !wrong.empty()) return wrong;
  if (text[0] == '+') text.remove_prefix(1);
  std::int64_t exact = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), exact);
  if (end == text.data() + text.size()) {  // digits only
    if (error != std::errc{}) return fmt::format("{} does not fit into 64 bits", printable(text));
    value = exact;
    return "";
  }
  if (number != std::floor(number) || std::abs(number) >= 9007199254740992.0) {
    return fmt::format("must be {}, is {}", kWholeNumber, printable(text));
  }
  value = static_cast<std::int64_t>(number);
  return "";
}

std::string read_value(const YamlNode& node, std::string& value) {
  if (node.kind == YamlNode::Kind::kNull) return "has no value, must be text ('' for none)";
  if (node.kind != YamlNode::Kind::kScalar) return "must be text, is " + kind_name(node);
  if (node.text.size() > 4096) return "is longer than 4,096 bytes";
  value = node.text;
  return "";
}

std::string yaml_text(bool value) { return value ? "true" : "false"; }
std::string yaml_text(std::int64_t value) { return std::to_string(value); }
std::string yaml_text(double value) { return fmt::format("{}", value); }

std::string yaml_text(const std::string& value) {
  if (is_plain(value)) return value;
  std::string text = "\"";
  each_character(value, [&](std::string_view character, bool is_shown) {
    if (character == "\"" || character == "\\") text += '\\';
    // A byte that is no UTF-8 has no escape: check_storable refuses it by the key.
    const bool stays = is_shown || utf8_sequence(character) == 0;
    text += stays ? std::string(character) : escaped(character);
  });
  return text + "\"";
}

}  // namespace tbn
