// Strict UTF-8, shared by all that reads or writes text.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tbn {

// The length in bytes (1 to 4) of the UTF-8 sequence that opens `text`, or 0 when it is none:
// empty, truncated, overlong, a surrogate, or beyond U+10FFFF.
std::size_t utf8_sequence(std::string_view text);

// The code point of one such sequence.
char32_t code_point(std::string_view sequence);

// Whether all of `text` is UTF-8.
bool is_utf8(std::string_view text);

// The text with U+FFFD in the place of each byte that is not UTF-8.
std::string made_utf8(std::string_view text);

// Appends a code point, which must be a Unicode scalar value.
void append_utf8(std::string& text, char32_t code);

}  // namespace tbn
