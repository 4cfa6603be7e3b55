// Opens ShapeNet-part in either of the forms that it is handed around in.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <utility>

#include "base/counted.h"
#include "base/text.h"
#include "data/points/hdf5_clouds.h"
#include "data/points/memory_clouds.h"
#include "data/points/points.h"
#include "data/points/text_clouds.h"
#include "data/points/two_forms.h"
#include "data/source/byte_source.h"
#include "file/json.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kLabels = 50;

// Categories by name; their labels follow one another.
std::vector<LabelRange> categories() {
  return {{"Airplane", 0, 4}, {"Bag", 4, 2},       {"Cap", 6, 2},         {"Car", 8, 4},
          {"Chair", 12, 4},   {"Earphone", 16, 3}, {"Guitar", 19, 3},     {"Knife", 22, 2},
          {"Lamp", 24, 4},    {"Laptop", 28, 2},   {"Motorbike", 30, 6},  {"Mug", 36, 2},
          {"Pistol", 38, 3},  {"Rocket", 41, 3},   {"Skateboard", 44, 3}, {"Table", 47, 3}};
}

SampleSpec describe(const DataOptions& options) {
  return point_part_spec(options.points, categories());
}

PointRules rules(const DataOptions& options) {
  const bool normals = options.points.normals;
  return {.layout = {.columns = normals ? 6 : 3, .normals = normals, .up_axis = 1}};
}

std::shared_ptr<const Dataset> as_set(const DataOptions& options,
                                      std::shared_ptr<const CloudSource> clouds) {
  return std::make_shared<PointSet>(describe(options), rules(options), options, std::move(clouds));
}

std::shared_ptr<const Dataset> open_hdf5(const fs::path& folder, const DataOptions& options,
                                         const std::string& split) {
  const CloudFields fields{.columns = 3, .normals = options.points.normals, .categories = true};
  std::shared_ptr<MemoryClouds> clouds;
  std::int64_t points = 0;
  for (const fs::path& path : numbered_files(folder, "ply_data_" + split)) {
    CloudFile file = read_cloud_file(path, fields, options.points.count);
    if (!clouds) {
      points = file.points;
      clouds = std::make_shared<MemoryClouds>(rules(options).layout.columns, points, true, kLabels,
                                              categories());
    }
    if (file.points != points) {
      throw DataError(fmt::format("'{}': clouds of {}, those before it of {}", path.string(),
                                  counted(file.points, "point"), points));
    }
    clouds->append(path, std::move(file.values), std::move(file.labels),
                   std::move(file.categories));
  }
  if (options.on_error == OnError::kStop) clouds->check_all();
  return as_set(options, std::move(clouds));
}

// Folder of each category's files: lines "Airplane 02691156".
std::map<std::string, std::int64_t> read_synsets(const fs::path& list) {
  std::map<std::string, std::int64_t> synsets;
  const auto known = categories();
  for (const std::string& line : read_lines(list)) {
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    const std::size_t start = std::min(line.find_first_not_of(" \t", end), line.size());
    const std::string name = line.substr(0, end);
    const std::string synset = line.substr(start);
    const auto category = std::find_if(known.begin(), known.end(),
                                       [&](const LabelRange& range) { return range.name == name; });
    if (category == known.end() || !plain_name(synset)) {
      throw DataError(fmt::format(
          "'{}': {} is no line such as 'Airplane 02691156' with one of the 16 categories",
          list.string(), in_quotes(line)));
    }
    synsets[synset] = category - known.begin();
  }
  return synsets;
}

std::string read_text(const fs::path& path) {
  ByteSource source(path);
  if (source.compressed()) throw DataError(source.where() + "is compressed; unpack it first");
  const auto bytes = source.read_exactly(source.stored_bytes(), "the list");
  return {bytes.begin(), bytes.end()};
}

// Entries are "shape_data/<synset>/<id>".
std::shared_ptr<const Dataset> open_text(const fs::path& folder, const DataOptions& options,
                                         const std::string& split) {
  const auto synsets = read_synsets(folder / "synsetoffset2category.txt");
  const fs::path list = folder / "train_test_split" / ("shuffled_" + split + "_file_list.json");
  const Json entries = parse_json(read_text(list), fmt::format("'{}'", list.string()));
  std::vector<TextCloud> clouds;
  for (const Json& entry : entries.as_array()) {
    const std::string& text = entry.as_string();
    const std::size_t id_at = std::min(text.rfind('/'), text.size());
    const std::string id = id_at < text.size() ? text.substr(id_at + 1) : "";
    const std::string folders = text.substr(0, id_at);
    const std::string synset = folders.substr(folders.rfind('/') + 1);
    const auto category = synsets.find(synset);
    if (category == synsets.end() || !plain_name(id)) {
      throw DataError(
          fmt::format("'{}': {} is no entry such as shape_data/<folder of a category>/<id>",
                      list.string(), in_quotes(text)));
    }
    clouds.push_back({folder / synset / (id + ".txt"), category->second});
  }
  if (clouds.empty()) throw DataError(fmt::format("'{}': lists no clouds", list.string()));
  return as_set(options, std::make_shared<TextClouds>(std::move(clouds), options.points.normals,
                                                      std::numeric_limits<std::int64_t>::max(),
                                                      categories()));
}

}  // namespace

DatasetReader shapenet_part_reader() {
  DatasetReader reader;
  reader.name = "shapenet_part";
  reader.folders = {"", "hdf5_data", "shapenetcore_partanno_segmentation_benchmark_v0_normal"};
  reader.marker_files = {"ply_data_train0.h5", "synsetoffset2category.txt"};
  reader.describe = describe;
  reader.open = [](const fs::path& folder, const DataOptions& options,
                   const SplitRequest& request) {
    const TwoForms forms = {.text_file = "synsetoffset2category.txt",
                            .text = open_text,
                            .hdf5 = open_hdf5,
                            .has_validation = true};
    return open_form(forms, folder, options, request);
  };
  return reader;
}

}  // namespace tbn
