// Suggestions for mistyped words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tbn {

// The nearest of `candidates` by edit distance, if near enough to be what was meant; else "".
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// The number of insertions, deletions, replacements and swaps of neighbours between two words.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace tbn
