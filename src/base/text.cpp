// Small helpers for the sentences of error messages.
#include "base/text.h"

namespace tbn {

std::string grouped(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t end = text.size(); end > 3; end -= 3) text.insert(end - 3, ",");
  return text;
}

std::string in_quotes(std::string_view name) {
  constexpr std::size_t kLimit = 80;
  std::string text = "'";
  for (const char c : name.substr(0, kLimit)) text += (c >= 0x20 && c < 0x7f) ? c : '?';
  if (name.size() > kLimit) text += "...";
  return text + "'";
}

}  // namespace tbn
