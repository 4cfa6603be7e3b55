// What a key may hold: a range for numbers, choices for texts.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace tbn {

struct ValueLimits {
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  bool open_min = false;  // min itself is not allowed
  bool open_max = false;
  std::vector<std::string> choices;
};

inline ValueLimits any() { return {}; }
inline ValueLimits at_least(double min) { return {.min = min}; }
inline ValueLimits above(double min) { return {.min = min, .open_min = true}; }
inline ValueLimits between(double min, double max) { return {.min = min, .max = max}; }
inline ValueLimits half_open(double min, double max) {  // [min, max)
  return {.min = min, .max = max, .open_max = true};
}
inline ValueLimits one_of(std::vector<std::string> choices) {
  return {.choices = std::move(choices)};
}

// What is wrong ("must be at least 1, is 0"), or "".
std::string check_limits(const ValueLimits& limits, double value);
std::string check_limits(const ValueLimits& limits, const std::string& value);

// ">= 1", "[0, 1)", "sgd | adam | adamw", or "".
std::string to_text(const ValueLimits& limits);

// "a", "a or b", "a, b or c"
std::string join_choices(const std::vector<std::string>& choices);

}  // namespace tbn
