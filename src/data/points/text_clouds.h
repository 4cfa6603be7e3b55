// Clouds of points as text, one file per cloud and one point per line: x y z nx ny nz, and for
// parts a label. A file is read when its sample is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/points/point_set.h"

namespace tbn {

struct TextCloud {
  std::filesystem::path file;
  std::int64_t label = 0;  // the class, or the category of an object with parts
};

class TextClouds final : public CloudSource {
 public:
  // Lines have 6 numbers, or 7 with `categories`: then the last is a label of the cloud's category.
  // Of a cloud at most `most_points` are read. Normals are kept where `normals` says so.
  TextClouds(std::vector<TextCloud> clouds, bool normals, std::int64_t most_points,
             std::vector<LabelRange> categories);

  std::int64_t size() const override { return static_cast<std::int64_t>(clouds_.size()); }
  void read(std::int64_t index, PointCloud& out) const override;
  std::string identity(std::int64_t index) const override;
  std::int64_t stratum(std::int64_t index) const override;

 private:
  std::vector<TextCloud> clouds_;
  bool normals_;
  std::int64_t most_points_;
  std::vector<LabelRange> categories_;
};

// Whether rows of `count` numbers have a network's columns: as many, or behind x, y and z a normal
// and a label, behind a normal a label, as in the published sets.
bool has_columns(std::int64_t count, std::int64_t columns);

// The points of a text, [n, columns]: a point per line, with commas or blanks between its numbers.
// A first line without a number (names) or that begins with '#' or '/' is passed over. What a
// line has behind its columns (has_columns) is left out. Throws DataError that begins
// with `where`, also for a text of fewer points than a cloud has.
std::vector<float> read_points(std::span<const std::uint8_t> bytes, const std::string& where,
                               std::int64_t columns);

// The lines of a list that are not empty, without blanks around them.
std::vector<std::string> read_lines(const std::filesystem::path& path);

// Whether `name` may become part of a path: letters, digits, '_', '-' and '.', the last not first.
bool plain_name(const std::string& name);

}  // namespace tbn
