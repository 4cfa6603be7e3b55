// Names are compared in lower case, with those that people give to splits and by edit distance.
#include "data/images/split_names.h"

#include <algorithm>
#include <array>
#include <system_error>

#include <fmt/format.h>

#include "base/nearest.h"
#include "base/shown.h"
#include "data/source/reader.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostEntries = 1000;  // of the root that are looked at

struct Meant {
  const std::vector<std::string>* split;
  std::vector<std::string> others;  // what else it is called
};

const std::array<Meant, 3>& splits() {
  static const std::array<Meant, 3> all = {
      Meant{&kTrainNames, {"training", "trn"}},
      Meant{&kValidationNames, {"valid", "validate", "validating", "dev", "eval", "vl"}},
      Meant{&kTestNames, {"testing", "tst"}}};
  return all;
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// The split that a folder of this name is perhaps; null: none.
const std::vector<std::string>* meant_by(const std::string& name) {
  const std::string word = lower(name);
  for (const Meant& each : splits()) {
    if (std::ranges::find(each.others, word) != each.others.end()) return each.split;
    if (!nearest(word, *each.split).empty()) return each.split;
  }
  return nullptr;
}

bool is_read(const std::string& name) {
  return std::ranges::any_of(splits(), [&](const Meant& each) {
    return std::ranges::find(*each.split, name) != each.split->end();
  });
}

}  // namespace

std::string mistaken_splits(const fs::path& root) {
  std::vector<std::string> names;
  std::error_code error;
  std::size_t seen = 0;
  for (fs::directory_iterator at(root, error), end; !error && at != end && seen < kMostEntries;
       at.increment(error), ++seen) {
    std::error_code ignored;
    if (at->is_directory(ignored)) names.push_back(at->path().filename().string());
  }
  std::ranges::sort(names);
  std::string text;
  for (const std::string& name : names) {
    const auto* split = is_read(name) ? nullptr : meant_by(name);
    if (split == nullptr || find_first(root, *split)) continue;
    text += fmt::format("; '{}' is not read: rename it to '{}' if it is that",
                        shown((root / name).string()), split->front());
  }
  return text;
}

}  // namespace tbn
