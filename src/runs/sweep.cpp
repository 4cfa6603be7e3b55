// Lists to runs.
#include "runs/sweep.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::uint64_t kMostOfRange = 1000;
constexpr std::size_t kMostRuns = 10000;

// The parts between commas that lie in no brackets, braces or quotes.
std::vector<std::string> parts_of(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  char quote = 0;
  for (const char c : text) {
    if (quote != 0) {
      if (c == quote) quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (c == '[' || c == '{') {
      ++depth;
    } else if (c == ']' || c == '}') {
      --depth;
    } else if (c == ',' && depth == 0) {
      parts.emplace_back();
      continue;
    }
    parts.back() += c;
  }
  return parts;
}

bool whole_number(std::string_view text, std::int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return !text.empty() && error == std::errc{} && end == text.data() + text.size();
}

// "1..3" as 1, 2, 3; anything else as it is.
void add_values(const std::string& part, const std::string& key, std::vector<std::string>& values) {
  const std::size_t dots = part.find("..");
  std::int64_t first = 0;
  std::int64_t last = 0;
  if (dots == std::string::npos || !whole_number(std::string_view(part).substr(0, dots), first) ||
      !whole_number(std::string_view(part).substr(dots + 2), last)) {
    values.push_back(part);
    return;
  }
  const auto span = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first);
  if (last < first || span >= kMostOfRange) {
    throw ConfigError(
        fmt::format("{}={}: a range runs up, over {} values at most", key, part, kMostOfRange));
  }
  for (std::uint64_t i = 0; i <= span; ++i) {
    values.push_back(std::to_string(first + static_cast<std::int64_t>(i)));
  }
}

// What of a text may stand in a folder's name.
std::string name_part(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '-' || c == '+';
    if (plain) {
      out += c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

}  // namespace

SweepAxis sweep_axis(const std::string& setting) {
  const std::size_t equals = setting.find('=');
  SweepAxis axis{.key = setting.substr(0, equals), .values = {}};
  for (const std::string& part : parts_of(std::string_view(setting).substr(equals + 1))) {
    add_values(part, axis.key, axis.values);
  }
  for (std::size_t i = 0; i < axis.values.size(); ++i) {
    const bool empty = axis.values[i].empty() && axis.values.size() > 1;
    const auto before = axis.values.begin() + static_cast<std::ptrdiff_t>(i);
    if (!empty && std::find(axis.values.begin(), before, axis.values[i]) == before) continue;
    throw ConfigError(
        fmt::format("{}: {}", setting,
                    empty ? "a value between commas is missing"
                          : "the value " + in_quotes(axis.values[i]) + " is there twice"));
  }
  return axis;
}

std::vector<SweepRun> sweep_runs(const std::string& name, const std::vector<SweepAxis>& axes) {
  std::vector<SweepRun> runs = {{.name = name, .settings = {}}};
  for (const SweepAxis& axis : axes) {
    if (runs.size() * axis.values.size() > kMostRuns) {
      throw ConfigError(fmt::format("a sweep of more than {} runs", kMostRuns));
    }
    const std::string word = axis.key.substr(axis.key.rfind('.') + 1);
    std::vector<SweepRun> more;
    for (const SweepRun& run : runs) {
      for (const std::string& value : axis.values) {
        SweepRun next = run;
        next.settings.push_back(axis.key + "=" + value);
        if (axis.values.size() > 1) next.name += "_" + name_part(word) + name_part(value);
        more.push_back(std::move(next));
      }
    }
    runs = std::move(more);
  }
  std::set<std::string> names;
  for (const SweepRun& run : runs) {
    if (names.insert(run.name).second) continue;
    throw ConfigError("two runs of the sweep would be called " + in_quotes(run.name) +
                      "; give them values that differ in letters and digits");
  }
  return runs;
}

}  // namespace tbn
