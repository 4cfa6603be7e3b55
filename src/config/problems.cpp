// Collects, orders and words the problems of a configuration.
#include "config/problems.h"

#include <algorithm>
#include <tuple>

#include "base/shown.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::size_t kShown = 50;

}  // namespace

void Problems::add(const Place& place, std::string_view key, std::string_view message) {
  keys_.emplace(key);
  if (problems_.size() >= kShown) {
    ++left_out_;
    return;
  }
  const std::string name = place.source ? printable(*place.source) : "configuration";
  const auto known = std::find(sources_.begin(), sources_.end(), name);
  Problem problem{static_cast<std::size_t>(known - sources_.begin()), place.line, place.column,
                  name};
  if (known == sources_.end()) sources_.push_back(name);
  if (place.line > 0) {
    problem.text += ":" + std::to_string(place.line) + ":" + std::to_string(place.column);
  }
  problem.text += ": ";
  if (!key.empty()) problem.text += printable(key) + ": ";
  problem.text += message;
  problems_.push_back(std::move(problem));
}

bool Problems::has(std::string_view key) const {
  if (keys_.contains(key)) return true;
  const std::string element = std::string(key) + "[";
  const auto first = keys_.lower_bound(element);
  return first != keys_.end() && first->starts_with(element);
}

void Problems::throw_if_any() const {
  if (problems_.empty()) return;
  std::vector<Problem> ordered = problems_;
  std::stable_sort(ordered.begin(), ordered.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.source, a.line, a.column) < std::tie(b.source, b.line, b.column);
  });
  std::string text;
  for (const Problem& problem : ordered) text += (text.empty() ? "" : "\n") + shown(problem.text);
  if (left_out_ > 0) text += "\nand " + std::to_string(left_out_) + " more problems";
  throw ConfigProblems(text);
}

std::string printable(std::string_view text) {
  constexpr std::size_t kLimit = 200;
  std::size_t end = std::min(text.size(), kLimit);
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
  return shown(text.substr(0, end)) + (end < text.size() ? "..." : "");
}

}  // namespace tbn
