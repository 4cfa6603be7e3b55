// What the three kinds of input share: their rule, and their error messages.
#pragma once

#include <cstdint>
#include <string_view>

#include "tbn/rule.h"

namespace tbn {

// The input rule, if it is of this kind and all its steps are known; else throws ConfigError, in
// which `what` stands for what the inputs are made of ("pictures").
const InputRule& input_of(const Rule& rule, std::string_view kind, std::string_view what);

// Throws ConfigError where an input does not have as many values as its shape.
void check_input_size(std::size_t found, const Shape& shape);

[[noreturn]] void refuse_step(const InputStep& step, std::string_view kind);

// Values per point of a cloud before its category is added.
std::int64_t point_columns(const Rule& rule, const Shape& shape);

}  // namespace tbn
