// Makes text from outside safe to print on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace tbn {

// The text as a terminal may have it: control characters, line ends among them, marks that turn the
// direction of writing, and bytes that are no UTF-8 are shown as '?'. Names of files and what
// stands in files come from outside, and reach nobody's terminal as they are.
std::string shown(std::string_view text);

// Whether one UTF-8 sequence (base/utf8.h) is none of those. What is not lies below U+10000.
bool is_shown(std::string_view sequence);

}  // namespace tbn
