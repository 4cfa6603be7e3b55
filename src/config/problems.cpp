// Collects, orders and words the problems of a configuration.
#include "config/problems.h"

#include <algorithm>
#include <numeric>
#include <tuple>

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

void Problems::throw_if_any() const {
  if (problems_.empty()) return;
  std::vector<Problem> ordered = problems_;
  std::stable_sort(ordered.begin(), ordered.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.source, a.line, a.column) < std::tie(b.source, b.line, b.column);
  });
  std::string text;
  for (const Problem& problem : ordered) text += (text.empty() ? "" : "\n") + problem.text;
  if (left_out_ > 0) text += "\nand " + std::to_string(left_out_) + " more problems";
  throw ConfigError(text);
}

std::string printable(std::string_view text) {
  constexpr std::size_t kLimit = 200;
  std::string result;
  for (const char c : text.substr(0, kLimit)) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    result += control ? '?' : c;
  }
  if (text.size() > kLimit) result += "...";
  return result;
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  if (word.size() > 100) return "";
  const auto leaf = [](std::string_view key) { return key.substr(key.rfind('.') + 1); };
  std::size_t best = std::min(std::max<std::size_t>(word.size() / 4, 1), std::size_t{3}) + 1;
  std::string found;
  for (const std::string& candidate : candidates) {
    std::size_t distance = edit_distance(word, candidate);
    // The right key in the wrong section is a likely mistake, however unlike the sections are.
    if (leaf(word) == leaf(candidate)) distance = std::min(distance, std::size_t{1});
    if (distance < best) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

}  // namespace tbn
