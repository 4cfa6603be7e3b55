// Readings of decimal commas, of separators between thousands, and of numbers of other bases.
#include "config/number_advice.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <vector>

namespace tbn {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Takes digits from the front of `text`; returns how many.
std::size_t take_digits(std::string_view& text) {
  std::size_t count = 0;
  while (count < text.size() && is_digit(text[count])) ++count;
  text.remove_prefix(count);
  return count;
}

bool is_digits(std::string_view text) { return take_digits(text) > 0 && text.empty(); }

std::vector<std::string_view> parts_of(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// "1" and "000" of "1,000": one to three digits that do not begin with 0, then groups of three.
bool are_thousands(const std::vector<std::string_view>& parts) {
  if (parts.size() < 2 || parts[0].empty() || parts[0].size() > 3 || parts[0][0] == '0') {
    return false;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (!is_digits(parts[i]) || (i > 0 && parts[i].size() != 3)) return false;
  }
  return true;
}

std::string joined(const std::vector<std::string_view>& parts) {
  std::string text;
  for (const std::string_view part : parts) text += part;
  return text;
}

// Digits with points and commas among them: what the number is in our syntax, or "".
std::string decimal(std::string_view digits, bool whole) {
  const std::size_t comma = digits.rfind(',');
  const std::size_t point = digits.rfind('.');
  const bool has_both = comma != std::string_view::npos && point != std::string_view::npos;
  if (has_both) {  // the last one is the decimal sign, the others stand between thousands
    const std::size_t sign = comma > point ? comma : point;
    const auto groups = parts_of(digits.substr(0, sign), comma > point ? '.' : ',');
    const std::string_view rest = digits.substr(sign + 1);
    if (whole || !are_thousands(groups) || !is_digits(rest)) return "";
    return joined(groups) + "." + std::string(rest);
  }
  const auto parts = parts_of(digits, point == std::string_view::npos ? ',' : '.');
  const bool thousands = are_thousands(parts);
  if (parts.size() != 2 || point != std::string_view::npos) return thousands ? joined(parts) : "";
  if (whole) return thousands ? joined(parts) : "";
  if (!is_digits(parts[0]) || !is_digits(parts[1])) return "";
  const std::string real = std::string(parts[0]) + "." + std::string(parts[1]);
  return thousands ? joined(parts) + " or " + real : real;
}

// 0x10, 0o20 and 0b10000 in decimal.
std::string from_other_base(std::string_view text) {
  if (text.size() < 3 || text[0] != '0') return "";
  const char letter = text[1];
  const int base = letter == 'x' || letter == 'X'   ? 16
                   : letter == 'o' || letter == 'O' ? 8
                   : letter == 'b' || letter == 'B' ? 2
                                                    : 0;
  if (base == 0) return "";
  std::int64_t value = 0;
  const char* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + 2, last, value, base);
  return end == last && error == std::errc{} && value >= 0 ? std::to_string(value) : "";
}

}  // namespace

bool looks_like_number(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  std::size_t digits = take_digits(text);
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    digits += take_digits(text);
  }
  if (digits == 0) return false;
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E')) {
    text.remove_prefix(1);
    if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
    if (take_digits(text) == 0) return false;
  }
  return text.empty();
}

std::string number_advice(std::string_view text, bool whole) {
  std::string sign;
  constexpr std::string_view kMinus = "\xe2\x88\x92";  // the minus of typesetters
  if (text.starts_with(kMinus)) {
    text.remove_prefix(kMinus.size());
    sign = "-";
  } else if (text.starts_with('-') || text.starts_with('+')) {
    if (text[0] == '-') sign = "-";
    text.remove_prefix(1);
  }
  if (const std::string value = from_other_base(text); !value.empty()) return sign + value;

  std::string digits;  // without what some languages put between thousands
  for (const char c : text) {
    if (c != '_' && c != '\'' && c != ' ') digits += c;
  }
  const std::size_t exponent = std::min(digits.find_first_of("eE"), digits.size());
  const std::string mantissa = digits.substr(0, exponent);
  const std::string power = digits.substr(exponent);
  const bool is_mixed =
      mantissa.find(',') != std::string::npos || mantissa.find('.') != mantissa.rfind('.');
  const std::string number = is_mixed ? decimal(mantissa, whole) : mantissa;
  const bool has_two_readings = number.find(' ') != std::string::npos;
  if (has_two_readings) return sign.empty() && power.empty() ? number : "";
  const bool has_leading_zero = number.size() > 1 && number[0] == '0' && is_digit(number[1]);
  if (has_leading_zero || !looks_like_number(number + power)) return "";
  return sign + number + power;
}

}  // namespace tbn
