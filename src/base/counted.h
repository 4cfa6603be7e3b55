// Counts with their nouns in sentences: "1 image", "2 images".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tbn {

// "1 sample", "2 samples", "1,234 samples". `one` is the noun in the singular; the plural adds an
// "s".
std::string counted(std::int64_t count, std::string_view one);
// Nouns of another form: "1 entry", "2 entries".
std::string counted(std::int64_t count, std::string_view one, std::string_view more);

}  // namespace tbn
