// Pieces of C source.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tbn {

// Formatters of the project that the files are copied to leave them as they are.
inline constexpr std::string_view kAsWritten = "/* clang-format off */\n";

std::string c_number(std::int64_t value);
std::string c_float(double value);  // the shortest that reads back as the same float: "0.5f"
// A name from a network in a comment: nothing in it can end the comment.
std::string c_comment(std::string_view name);
std::string c_macro(std::string_view name);  // in capitals

// Letters, digits and '_', not first a digit, at most 40.
bool is_c_name(std::string_view name);

// Why a model's files and symbols cannot begin with that name: no name for C, one that is reserved
// or makes such ('_' first or last, or two of them), a keyword, a header of the standard library or
// of POSIX, one of tbn's own files, or main, in whatever case (some file systems know none). Goes
// on after the name; empty where there is nothing to say.
std::string c_name_problem(std::string_view name);

// Whether a file that begins so was written by tbn-export.
bool is_exported_c(std::string_view beginning);

}  // namespace tbn
