// Small helpers for the sentences of error messages.
#include "base/text.h"

#include <algorithm>

#include "base/shown.h"
#include "base/utf8.h"

namespace tbn {

std::string grouped(std::uint64_t value) {
  std::string text = std::to_string(value);
  for (std::size_t end = text.size(); end > 3; end -= 3) text.insert(end - 3, ",");
  return text;
}

std::string in_quotes(std::string_view name) {
  constexpr int kLimit = 80;
  std::size_t end = 0;
  for (int i = 0; i < kLimit && end < name.size(); ++i) {
    end += std::max<std::size_t>(1, utf8_sequence(name.substr(end)));
  }
  return "'" + shown(name.substr(0, end)) + (end < name.size() ? "...'" : "'");
}

}  // namespace tbn
