// Opens the blocks of S3DIS rooms that PointNet's authors published; area 5 is the test set.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/counted.h"
#include "data/points/hdf5_clouds.h"
#include "data/points/memory_clouds.h"
#include "data/points/points.h"
#include "data/points/text_clouds.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

// x, y, z in metres from the block's middle and the floor; red, green, blue in 0..1; the place in
// the room in 0..1.
constexpr std::int64_t kColumns = 9;

SampleSpec describe(const DataOptions& options) {
  check_point_options(options.points);
  if (options.points.normals) {
    throw ConfigError("data.points.normals: the blocks of s3dis have none; set it to false");
  }
  return {.input = {options.points.count, kColumns},
          .bytes = false,
          .task = {.task = Task::kSegmentation, .output = {options.points.count, 13}},
          .class_names = {"ceiling", "floor", "wall", "beam", "column", "window", "door", "table",
                          "chair", "sofa", "bookcase", "board", "clutter"},
          .class_folders = {},
          .categories = {}};
}

// The rows of `file` whose room is in the wanted split. rooms[first + i] is that of row i.
CloudFile rows_of(CloudFile file, const std::vector<std::string>& rooms, std::size_t first,
                  bool test) {
  const auto values = file.points * kColumns;
  std::int64_t kept = 0;
  for (std::int64_t row = 0; row < file.clouds; ++row) {
    const std::string& room = rooms[first + static_cast<std::size_t>(row)];
    if (room.starts_with("Area_5") != test) continue;
    if (kept < row) {
      std::copy_n(file.values.begin() + row * values, values, file.values.begin() + kept * values);
      std::copy_n(file.labels.begin() + row * file.points, file.points,
                  file.labels.begin() + kept * file.points);
    }
    ++kept;
  }
  file.clouds = kept;
  file.values.resize(static_cast<std::size_t>(kept * values));
  file.labels.resize(static_cast<std::size_t>(kept * file.points));
  file.values.shrink_to_fit();
  return file;
}

struct Blocks {
  std::shared_ptr<MemoryClouds> train;
  std::shared_ptr<MemoryClouds> test;
};

// Fills those sets that are not null from all files.
void read_blocks(const fs::path& folder, const DataOptions& options, const SplitRequest& request,
                 Blocks& sets) {
  const fs::path list = folder / "room_filelist.txt";
  const auto rooms = read_lines(list);
  std::size_t first = 0;
  std::int64_t points = 0;
  for (const fs::path& path : numbered_files(folder, "ply_data_all_")) {
    const CloudFile file =
        read_cloud_file(path, {.columns = kColumns, .point_labels = true}, options.points.count);
    if (points == 0) {
      points = file.points;
      const auto blocks = [&] {
        return std::make_shared<MemoryClouds>(kColumns, points, true, 13,
                                              std::vector<LabelRange>{});
      };
      if (request.train) sets.train = blocks();
      if (request.test) sets.test = blocks();
    }
    if (file.points != points) {
      throw DataError(fmt::format("'{}': blocks of {}, those before it of {}", path.string(),
                                  counted(file.points, "point"), points));
    }
    const auto rows = static_cast<std::size_t>(file.clouds);
    if (rows > rooms.size() - first) {
      throw DataError(fmt::format("'{}' names the rooms of {}, but there are more in '{}'",
                                  list.string(), counted(std::ssize(rooms), "block"),
                                  path.string()));
    }
    for (const bool test : {false, true}) {
      const auto& set = test ? sets.test : sets.train;
      if (!set) continue;
      CloudFile part = rows_of(file, rooms, first, test);
      set->append(path, std::move(part.values), std::move(part.labels), {});
    }
    first += rows;
  }
  if (first != rooms.size()) {
    throw DataError(fmt::format("'{}' names the rooms of {}, but the files hold {}", list.string(),
                                counted(std::ssize(rooms), "block"), first));
  }
}

DataSplits open(const fs::path& folder, const DataOptions& options, const SplitRequest& request) {
  const SampleSpec spec = describe(options);
  const PointRules rules{.layout = {.columns = kColumns, .up_axis = 2}, .scene = true};
  Blocks sets;
  read_blocks(folder, options, request, sets);
  const auto as_set = [&](const std::shared_ptr<MemoryClouds>& blocks, const char* which) {
    if (blocks->size() == 0) {
      throw DataError(fmt::format("'{}': no block {}", folder.string(), which));
    }
    if (options.on_error == OnError::kStop) blocks->check_all();
    return std::make_shared<PointSet>(spec, rules, options, blocks);
  };
  DataSplits splits;
  if (request.train) splits.train = as_set(sets.train, "lies outside area 5, to train on");
  if (request.test) splits.test = as_set(sets.test, "lies in area 5, the test set");
  return splits;
}

}  // namespace

DatasetReader s3dis_reader() {
  DatasetReader reader;
  reader.name = "s3dis";
  reader.folders = {"", "indoor3d_sem_seg_hdf5_data"};
  reader.marker_files = {"room_filelist.txt"};
  reader.describe = describe;
  reader.open = open;
  return reader;
}

}  // namespace tbn
