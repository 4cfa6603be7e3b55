// Small helpers for the sentences of error messages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace tbn {

// "1,234,567"
std::string grouped(std::uint64_t value);

// 'name' as shown() (base/shown.h), cut at 80 characters: names from a hostile file must not reach
// a terminal as they are.
std::string in_quotes(std::string_view name);

}  // namespace tbn
