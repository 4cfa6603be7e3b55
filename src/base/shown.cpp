// Goes over the characters of UTF-8.
#include "base/shown.h"

#include <algorithm>
#include <array>

#include "base/utf8.h"

namespace tbn {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Controls, separators of lines, marks that turn the direction of writing, and what Unicode calls
// ignorable by default: characters of no width, which make two names look alike.
constexpr std::array<Range, 20> kHidden = {
    {{0x00, 0x1f},       {0x7f, 0x9f},       {0xad, 0xad},       {0x34f, 0x34f},
     {0x61c, 0x61c},     {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180e, 0x180e},
     {0x200b, 0x200b},   {0x200e, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},
     {0x3164, 0x3164},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},
     {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe00ff}, {0xe01f0, 0xe0fff}}};

// Of no width too, but part of how many scripts and pictures are written: joiners, and selectors of
// a variant of the character before them.
constexpr std::array<Range, 5> kShaping = {
    {{0x180b, 0x180d}, {0x180f, 0x180f}, {0x200c, 0x200d}, {0xfe00, 0xfe0f}, {0xe0100, 0xe01ef}}};
// Latin, Greek, Cyrillic and Armenian, which come before it, are not written with them.
constexpr char32_t kFirstShaped = 0x590;

template <std::size_t N>
bool is_in(const std::array<Range, N>& ranges, char32_t code) {
  return std::ranges::any_of(
      ranges, [&](const Range& range) { return range.first <= code && code <= range.last; });
}

}  // namespace

void each_character(std::string_view text,
                    FunctionRef<void(std::string_view character, bool is_shown)> visit) {
  char32_t before = 0;
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    const std::string_view character = text.substr(0, std::max<std::size_t>(1, length));
    const char32_t code = length > 0 ? code_point(character) : 0;
    const bool is_shown =
        !is_in(kHidden, code) && (before >= kFirstShaped || !is_in(kShaping, code));
    visit(character, is_shown);
    before = is_shown ? code : 0;
    text.remove_prefix(character.size());
  }
}

std::string shown(std::string_view text) {
  std::string result;
  each_character(text, [&](std::string_view character, bool is_shown) {
    result += is_shown ? character : "?";
  });
  return result;
}

}  // namespace tbn
