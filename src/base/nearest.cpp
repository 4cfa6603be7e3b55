// The edit distance of Damerau and Levenshtein, restricted to swaps of neighbours.
#include "base/nearest.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace tbn {

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
