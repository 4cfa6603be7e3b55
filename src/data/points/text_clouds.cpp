// Reads points line by line; every error names the file and the line.
#include "data/points/text_clouds.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <string_view>
#include <utility>

#include "base/counted.h"
#include "base/text.h"
#include "data/source/byte_source.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 64U << 20;  // of one text file
constexpr std::size_t kMostLines = 4U << 20;
constexpr std::size_t kMostNumbers = 7;

// The lines of a file in memory.
class Lines {
 public:
  explicit Lines(const fs::path& path) {
    ByteSource source(path);
    where_ = source.where();
    if (source.compressed()) throw DataError(where_ + "is compressed; unpack it first");
    if (source.stored_bytes() > kMostBytes) {
      throw DataError(fmt::format("{}has {} bytes; the limit is {}", where_, source.stored_bytes(),
                                  kMostBytes));
    }
    bytes_ = source.read_exactly(source.stored_bytes(), "the file");
    left_ = {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  // Of bytes that outlive it.
  Lines(std::span<const std::uint8_t> bytes, std::string where)
      : where_(std::move(where)), left_(reinterpret_cast<const char*>(bytes.data()), bytes.size()) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (left_.starts_with(kByteOrderMark)) left_.remove_prefix(kByteOrderMark.size());
  }

  // The next line that is not empty, without blanks at its ends.
  bool next(std::string_view& line) {
    while (!left_.empty()) {
      const std::size_t end = left_.find('\n');
      line = left_.substr(0, end);
      left_.remove_prefix(end == std::string_view::npos ? left_.size() : end + 1);
      ++number_;
      const std::size_t first = line.find_first_not_of(kBlanks);
      if (first == std::string_view::npos) continue;
      line = line.substr(first, line.find_last_not_of(kBlanks) - first + 1);
      return true;
    }
    return false;
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(fmt::format("{}line {}: {}", where_, number_, what));
  }
  const std::string& where() const { return where_; }

  static constexpr std::string_view kBlanks = " \t\r";

 private:
  std::string where_;
  std::vector<std::uint8_t> bytes_;
  std::string_view left_;
  std::size_t number_ = 0;
};

// The numbers of a line, with commas or blanks between them.
std::size_t parse_numbers(const Lines& lines, std::string_view line, std::span<double> out) {
  std::size_t count = 0;
  while (!line.empty()) {
    const std::size_t end = std::min(line.find_first_of(", \t"), line.size());
    const std::string_view word = line.substr(0, end);
    double value = 0;
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc() || stop != word.data() + word.size()) {
      lines.fail(fmt::format("{} is no number", in_quotes(word)));
    }
    if (!(std::abs(value) <= std::numeric_limits<float>::max())) {
      lines.fail(fmt::format("{} is no finite number", in_quotes(word)));
    }
    if (count < out.size()) out[count] = value;
    ++count;
    const std::size_t next = std::min(line.find_first_not_of(Lines::kBlanks, end), line.size());
    const bool comma = next < line.size() && line[next] == ',';
    line.remove_prefix(
        comma ? std::min(line.find_first_not_of(Lines::kBlanks, next + 1), line.size()) : next);
  }
  return count;
}

// Whether a first line says what the columns are, and is no point.
bool is_heading(std::string_view line) {
  if (line.front() == '#' || line.front() == '/') return true;
  const std::string_view word = line.substr(0, line.find_first_of(", \t"));
  double value = 0;
  return std::from_chars(word.data(), word.data() + word.size(), value).ec != std::errc{};
}

std::int64_t part_label(const Lines& lines, double value, const LabelRange& range) {
  const double first = static_cast<double>(range.first);
  const double end = static_cast<double>(range.first + range.count);
  if (value >= first && value < end && value == std::floor(value)) {
    return static_cast<std::int64_t>(value);
  }
  lines.fail(fmt::format("label {} is out of range; a {} has the labels {} to {}", value,
                         range.name, range.first, range.first + range.count - 1));
}

}  // namespace

TextClouds::TextClouds(std::vector<TextCloud> clouds, bool normals, std::int64_t most_points,
                       std::vector<LabelRange> categories)
    : clouds_(std::move(clouds)),
      normals_(normals),
      most_points_(most_points),
      categories_(std::move(categories)) {}

std::string TextClouds::identity(std::int64_t index) const {
  const fs::path& file = clouds_[static_cast<std::size_t>(index)].file;
  return (file.parent_path().filename() / file.filename()).string();
}

std::int64_t TextClouds::stratum(std::int64_t index) const {
  return clouds_[static_cast<std::size_t>(index)].label;
}

void TextClouds::read(std::int64_t index, PointCloud& out) const {
  const TextCloud& cloud = clouds_[static_cast<std::size_t>(index)];
  const bool parts = !categories_.empty();
  const std::size_t numbers = parts ? 7 : 6;
  out.points.clear();
  out.labels.clear();
  out.category = parts ? cloud.label : 0;
  if (!parts) out.labels.push_back(cloud.label);
  Lines lines(cloud.file);
  std::int64_t points = 0;
  double values[kMostNumbers] = {};
  for (std::string_view line; points < most_points_ && lines.next(line); ++points) {
    const std::size_t count = parse_numbers(lines, line, values);
    if (count != numbers) {
      lines.fail(fmt::format("{} numbers; a point of this set has {}", count, numbers));
    }
    for (std::size_t i = 0; i < (normals_ ? 6U : 3U); ++i) {
      out.points.push_back(static_cast<float>(values[i]));
    }
    if (!parts) continue;
    const LabelRange& range = categories_[static_cast<std::size_t>(cloud.label)];
    out.labels.push_back(part_label(lines, values[6], range));
  }
  if (points < kFewestCloudPoints) {
    throw DataError(fmt::format("{}{}; a cloud needs at least {}", lines.where(),
                                counted(points, "point"), kFewestCloudPoints));
  }
}

bool has_columns(std::int64_t count, std::int64_t columns) {
  if (count == columns) return true;
  return (columns == 3 && (count == 6 || count == 7)) || (columns == 6 && count == 7);
}

std::vector<float> read_points(std::span<const std::uint8_t> bytes, const std::string& where,
                               std::int64_t columns) {
  if (std::ssize(bytes) > static_cast<std::int64_t>(kMostBytes)) {
    throw DataError(
        fmt::format("{}has {} bytes; the limit is {}", where, bytes.size(), kMostBytes));
  }
  const auto wanted = static_cast<std::size_t>(columns);
  Lines lines(bytes, where);
  std::vector<float> points;
  std::vector<double> values(std::max(wanted, kMostNumbers));
  bool first = true;
  for (std::string_view line; lines.next(line); first = false) {
    if (first && is_heading(line)) continue;
    const std::size_t count = parse_numbers(lines, line, values);
    if (!has_columns(static_cast<std::int64_t>(count), columns)) {
      lines.fail(fmt::format("{}; a point of the network has {}",
                             counted(static_cast<std::int64_t>(count), "number"), columns));
    }
    points.insert(points.end(), values.begin(), values.begin() + columns);
  }
  const std::int64_t found = std::ssize(points) / columns;
  if (found < kFewestCloudPoints) {
    throw DataError(fmt::format("{}{}; a cloud needs at least {}", lines.where(),
                                counted(found, "point"), kFewestCloudPoints));
  }
  return points;
}

std::vector<std::string> read_lines(const fs::path& path) {
  Lines lines(path);
  std::vector<std::string> out;
  for (std::string_view line; lines.next(line);) {
    if (out.size() == kMostLines) lines.fail(fmt::format("the limit is {} lines", kMostLines));
    out.emplace_back(line);
  }
  return out;
}

bool plain_name(const std::string& name) {
  if (name.empty() || name.size() > 128 || name[0] == '.') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  });
}

}  // namespace tbn
