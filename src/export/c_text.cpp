// Numbers and names as C has them.
#include "export/c_text.h"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace tbn {

std::string c_number(std::int64_t value) { return std::to_string(value); }

std::string c_float(double value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, static_cast<float>(value)).ptr;
  std::string text(buffer, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text + "f";
}

std::string c_comment(std::string_view name) {
  std::string text;
  for (const char c : name.substr(0, 80)) {
    const bool plain =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.' || c == '-';
    text += plain ? c : '_';
  }
  return text;
}

std::string c_macro(std::string_view name) {
  std::string text;
  for (const char c : name) {
    text += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return text;
}

bool is_c_name(std::string_view name) {
  const auto allowed = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  return !name.empty() && name.size() <= 40 &&
         std::isdigit(static_cast<unsigned char>(name.front())) == 0 &&
         std::all_of(name.begin(), name.end(), allowed);
}

}  // namespace tbn
