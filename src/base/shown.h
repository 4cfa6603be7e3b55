// Makes text from outside safe to print on a terminal.
#pragma once

#include <string>
#include <string_view>

#include "base/function_ref.h"

namespace tbn {

// The text as a terminal may have it: control characters, line ends among them, marks that turn the
// direction of writing, characters of no width, and bytes that are no UTF-8 are shown as '?'. Names
// of files and what stands in files come from outside, and reach nobody's terminal as they are.
// Joiners and selectors of variants are shown where the character before them is of a script that
// is written with them.
std::string shown(std::string_view text);

// Calls `visit` for each character of `text` in order, and says whether it is none of those. A byte
// that is no UTF-8 is a character of its own.
void each_character(std::string_view text,
                    FunctionRef<void(std::string_view character, bool is_shown)> visit);

}  // namespace tbn
