// The words and limits of a rule's texts, which reading and writing share.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "file/json.h"

namespace tbn {

inline constexpr JsonLimits kRuleLimits{.bytes = 4u << 20, .values = 200'000, .depth = 6};
inline constexpr std::size_t kMostSteps = 16;
inline constexpr std::int64_t kMostShorter = 4096;  // pixels
inline constexpr std::int64_t kMostCount = std::int64_t{1} << 53;

inline constexpr std::string_view kSplitNames[] = {"train", "validation", "test"};

}  // namespace tbn
