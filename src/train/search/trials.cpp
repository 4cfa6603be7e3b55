// Rows of search.csv, written and read.
#include "train/search/trials.h"

#include <charconv>
#include <cmath>
#include <fstream>
#include <limits>
#include <vector>

#include <fmt/format.h>

#include "tbn/error.h"

namespace tbn {
namespace {

const std::vector<std::string> kColumns = {"trial", "stage", "images", "choices", "bytes",
                                           "bits",  "macs",  "score",  "loss",    "seconds"};
constexpr std::size_t kImages = 2;
constexpr std::size_t kChoices = 3;
constexpr std::size_t kScore = 7;
constexpr std::size_t kLoss = 8;

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t comma = std::min(line.find(',', begin), line.size());
    cells.push_back(line.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return cells;
}

double number_of(const std::string& cell, const std::string& where) {
  double value = 0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error == std::errc() && end == cell.data() + cell.size()) return value;
  throw DataError(fmt::format("{}: '{}' is no number", where, cell));
}

}  // namespace

Trials::Trials(const std::filesystem::path& path, const SearchSpace& space)
    : space_(space),
      csv_(CsvLog::resume(path, kColumns, kColumns.front(),
                          std::numeric_limits<std::int64_t>::max())) {
  take_rows(path);
}

void Trials::take_rows(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  for (std::int64_t number = 2; std::getline(in, line); ++number) {
    const std::string where = fmt::format("'{}' line {}", path.string(), number);
    const std::vector<std::string> cells = cells_of(line);
    if (cells.size() != kColumns.size()) {
      throw DataError(
          fmt::format("{}: has {} cells, and a row has {}", where, cells.size(), kColumns.size()));
    }
    found_.emplace(std::pair(cells[kImages], pick_of(space_, cells[kChoices], where)),
                   Measured{number_of(cells[kScore], where), number_of(cells[kLoss], where)});
  }
}

std::optional<Measured> Trials::find(const Pick& pick, Images images) const {
  const auto found = found_.find({std::string(word_of(images)), pick});
  if (found == found_.end()) return std::nullopt;
  return found->second;
}

void Trials::add(const std::string& stage, const Pick& pick, Images images, const Costs& costs,
                 const Measured& measured, double seconds) {
  const std::string set(word_of(images));
  found_.emplace(std::pair(set, pick), measured);
  csv_.write({count(), stage, set, pick_text(space_, pick), costs[CostKind::kFile],
              costs[CostKind::kBits], costs[CostKind::kMacs], measured.score, measured.loss,
              std::round(seconds * 100) / 100});
}

}  // namespace tbn
