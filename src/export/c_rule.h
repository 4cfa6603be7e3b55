// What a packed file's rule says of inputs and outputs, in the header of exported C: words in a
// comment, and names as macros, which take no byte of a firmware that does not use them.
#pragma once

#include <string>
#include <string_view>

#include "export/c_source.h"
#include "tbn/rule.h"

namespace tbn {

// "text" as a string literal: quotes, backslashes, question marks and whatever is not printable
// ASCII are octal escapes of three digits, so that every compiler reads the same bytes.
std::string c_string(std::string_view text);

// Puts the rule into the header of `source`, whose symbols begin with `name`: the macros
// <NAME>_CLASS_NAMES and <NAME>_COLUMN_NAMES, each an initialiser of an array of strings.
void add_rule(CSource& source, std::string_view name, const Rule& rule);

}  // namespace tbn
