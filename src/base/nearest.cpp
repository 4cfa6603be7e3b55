// The edit distance of Damerau and Levenshtein, restricted to swaps of neighbours.
#include "base/nearest.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/text.h"

namespace tbn {
namespace {

constexpr std::size_t kLongest = 100;  // bytes of what is compared

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return result;
}

// The candidate of the least distance, if that is a quarter of `length` or less (or 1), 3 at most,
// and leaves something that is alike.
template <class Distance>
std::string nearest_by(std::size_t length, const std::vector<std::string>& candidates,
                       const Distance& distance_to) {
  std::size_t best = std::min(std::max<std::size_t>(length / 4, 1), std::size_t{3}) + 1;
  std::string found;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = distance_to(candidate);
    if (distance >= best || (distance > 0 && distance >= length)) continue;
    best = distance;
    found = candidate;
  }
  return found;
}

// Insertions, deletions and replacements until the glob matches.
std::size_t glob_distance(std::string_view glob, std::string_view name) {
  std::vector<std::size_t> last(name.size() + 1);
  std::vector<std::size_t> row(name.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (const char c : glob) {
    row[0] = last[0] + (c == '*' ? 0 : 1);
    for (std::size_t j = 1; j <= name.size(); ++j) {
      const std::size_t replace = last[j - 1] + (c == '?' || c == name[j - 1] ? 0 : 1);
      row[j] = c == '*' ? std::min(last[j], row[j - 1])
                        : std::min({replace, last[j] + 1, row[j - 1] + 1});
    }
    std::swap(last, row);
  }
  return last[name.size()];
}

}  // namespace

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
  if (word.size() > kLongest) return "";
  const auto leaf = [](std::string_view key) { return key.substr(key.rfind('.') + 1); };
  return nearest_by(word.size(), candidates, [&](const std::string& candidate) {
    if (lower(word) == lower(candidate)) return std::size_t{0};
    const std::size_t distance = edit_distance(word, candidate);
    // The right key in the wrong section is a likely mistake, however unlike the sections are.
    return leaf(word) == leaf(candidate) ? std::min(distance, std::size_t{1}) : distance;
  });
}

std::string nearest_match(std::string_view glob, const std::vector<std::string>& candidates) {
  if (glob.size() > kLongest) return "";
  if (glob.find_first_of("*?") == std::string_view::npos) return nearest(glob, candidates);
  const auto letters = glob.size() - static_cast<std::size_t>(std::ranges::count(glob, '*'));
  return nearest_by(letters, candidates, [&](const std::string& candidate) {
    return glob_distance(lower(glob), lower(candidate));
  });
}

std::string did_you_mean(std::string_view guess) {
  return guess.empty() ? "" : " (did you mean " + in_quotes(guess) + "?)";
}

}  // namespace tbn
