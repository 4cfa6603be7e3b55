// Suggestions for mistyped words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tbn {

// The nearest of `candidates` by edit distance, if near enough to be what was meant; else "". Words
// that differ in case alone are near.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);
// The same of a pattern, in which '*' stands for any run of characters and '?' for one.
std::string nearest_match(std::string_view glob, const std::vector<std::string>& candidates);
// " (did you mean 'x'?)", or nothing where `guess` is empty.
std::string did_you_mean(std::string_view guess);

// The number of insertions, deletions, replacements and swaps of neighbours between two words.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace tbn
