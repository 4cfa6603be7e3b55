// search.csv: every network that a search measured. What it holds is measured no second time, so
// that a search that goes on makes the same choices as one that was not stopped.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "log/csv.h"
#include "search/evolution.h"
#include "train/search/judge.h"

namespace tbn {

class Trials {
 public:
  // Begins the file, or takes over its whole rows. Throws DataError for a damaged one and
  // SystemError.
  Trials(const std::filesystem::path& path, const SearchSpace& space);

  std::optional<Measured> find(const Pick& pick, Images images) const;
  // Appends a row: what the search was about, the network, its costs and what was measured.
  void add(const std::string& stage, const Pick& pick, Images images, const Costs& costs,
           const Measured& measured, double seconds);
  std::int64_t count() const { return std::ssize(found_); }

 private:
  void take_rows(const std::filesystem::path& path);

  const SearchSpace& space_;
  CsvLog csv_;
  std::map<std::pair<std::string, Pick>, Measured> found_;
};

}  // namespace tbn
