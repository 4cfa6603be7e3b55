// Words the limits of a key, for messages and for the reference.
#include "config/value_limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "config/problems.h"

namespace tbn {
namespace {

// 1000000 rather than 1e+06
std::string number_text(double value) {
  return std::abs(value) < 1e15 && value == std::floor(value)
             ? fmt::format("{}", static_cast<long long>(value))
             : fmt::format("{}", value);
}

// "between 0 and 1 (1 excluded)", "at least 1"
std::string range_text(const ValueLimits& limits) {
  const std::string min = number_text(limits.min);
  if (!std::isfinite(limits.max)) {
    return fmt::format("{} {}", limits.open_min ? "above" : "at least", min);
  }
  const std::string max = number_text(limits.max);
  std::string text = fmt::format("between {} and {}", min, max);
  if (limits.open_min) text += fmt::format(" ({} excluded)", min);
  if (limits.open_max) text += fmt::format(" ({} excluded)", max);
  return text;
}

}  // namespace

std::string check_limits(const ValueLimits& limits, double value) {
  const bool low = value < limits.min || (limits.open_min && value == limits.min);
  const bool high = value > limits.max || (limits.open_max && value == limits.max);
  if (!low && !high) return "";
  return fmt::format("must be {}, is {}", range_text(limits), value);
}

std::string check_limits(const ValueLimits& limits, const std::string& value) {
  const auto& choices = limits.choices;
  if (choices.empty() || std::find(choices.begin(), choices.end(), value) != choices.end())
    return "";
  const std::string guess = nearest(value, choices);
  return fmt::format("must be {}, is '{}'{}", join_choices(choices), printable(value),
                     guess.empty() ? "" : " (did you mean " + guess + "?)");
}

std::string to_text(const ValueLimits& limits) {
  if (!limits.choices.empty()) return fmt::format("{}", fmt::join(limits.choices, " | "));
  if (std::isfinite(limits.min) && std::isfinite(limits.max)) {
    return fmt::format("{}{}, {}{}", limits.open_min ? '(' : '[', number_text(limits.min),
                       number_text(limits.max), limits.open_max ? ')' : ']');
  }
  if (!std::isfinite(limits.min)) return "";
  return fmt::format("{} {}", limits.open_min ? ">" : ">=", number_text(limits.min));
}

std::string join_choices(const std::vector<std::string>& choices) {
  std::string text;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (i > 0) text += i + 1 == choices.size() ? " or " : ", ";
    text += choices[i];
  }
  return text;
}

}  // namespace tbn
