// Goes over the characters of UTF-8.
#include "base/shown.h"

#include "base/utf8.h"

namespace tbn {

// None of U+0000 to U+001F, U+007F to U+009F, U+061C, U+200E, U+200F, U+2028 to U+202E and U+2066
// to U+2069.
bool is_shown(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]); };
  if (sequence.size() == 1) return byte(0) >= 0x20 && byte(0) != 0x7f;
  if (sequence.size() == 2) return (byte(0) != 0xc2 || byte(1) >= 0xa0) && sequence != "\u061c";
  if (sequence.size() != 3 || byte(0) != 0xe2) return true;
  const unsigned char last = byte(2);
  if (byte(1) == 0x80) return last < 0x8e || (last > 0x8f && last < 0xa8) || last > 0xae;
  return byte(1) != 0x81 || last < 0xa6 || last > 0xa9;
}

std::string shown(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    if (length > 0 && is_shown(text.substr(0, length))) {
      result += text.substr(0, length);
    } else {
      result += '?';
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return result;
}

}  // namespace tbn
