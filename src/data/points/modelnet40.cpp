// Opens ModelNet40 in either of the forms that it is handed around in.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/counted.h"
#include "base/text.h"
#include "data/points/hdf5_clouds.h"
#include "data/points/memory_clouds.h"
#include "data/points/points.h"
#include "data/points/text_clouds.h"
#include "data/points/two_forms.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

// Of a text file's 10,000 points as many are read as the HDF5 files have.
constexpr std::int64_t kMostPoints = 2048;

const std::vector<std::string>& class_names() {
  static const std::vector<std::string> names = {
      "airplane",   "bathtub",    "bed",         "bench",    "bookshelf", "bottle", "bowl",
      "car",        "chair",      "cone",        "cup",      "curtain",   "desk",   "door",
      "dresser",    "flower_pot", "glass_box",   "guitar",   "keyboard",  "lamp",   "laptop",
      "mantel",     "monitor",    "night_stand", "person",   "piano",     "plant",  "radio",
      "range_hood", "sink",       "sofa",        "stairs",   "stool",     "table",  "tent",
      "toilet",     "tv_stand",   "vase",        "wardrobe", "xbox"};
  return names;
}

SampleSpec describe(const DataOptions& options) {
  return point_class_spec(options.points, class_names());
}

PointRules rules(const DataOptions& options, std::int64_t most_points = 0) {
  const bool normals = options.points.normals;
  return {.layout = {.columns = normals ? 6 : 3, .normals = normals, .up_axis = 1},
          .most_points = most_points};
}

std::shared_ptr<const Dataset> as_set(const DataOptions& options,
                                      std::shared_ptr<const CloudSource> clouds,
                                      std::int64_t most_points = 0) {
  return std::make_shared<PointSet>(describe(options), rules(options, most_points), options,
                                    std::move(clouds));
}

// A list of classes beside the data must be ours: labels are places in it.
void check_names(const fs::path& list) {
  std::error_code error;
  if (!fs::exists(list, error)) return;
  const auto names = read_lines(list);
  const auto& ours = class_names();
  for (std::size_t i = 0; i < ours.size(); ++i) {
    const std::string name = i < names.size() ? names[i] : "";
    if (name == ours[i]) continue;
    throw DataError(fmt::format("'{}': class {} is {}; ModelNet40 has '{}' there", list.string(), i,
                                in_quotes(name), ours[i]));
  }
}

std::shared_ptr<const Dataset> open_hdf5(const fs::path& folder, const DataOptions& options,
                                         const std::string& split) {
  check_names(folder / "shape_names.txt");
  std::shared_ptr<MemoryClouds> clouds;
  std::int64_t points = 0;
  for (const fs::path& path : numbered_files(folder, "ply_data_" + split)) {
    CloudFile file = read_cloud_file(path, {.columns = 3, .normals = options.points.normals},
                                     options.points.count);
    if (!clouds) {
      points = file.points;
      clouds = std::make_shared<MemoryClouds>(rules(options).layout.columns, points, false,
                                              static_cast<std::int64_t>(class_names().size()),
                                              std::vector<LabelRange>{});
    }
    if (file.points != points) {
      throw DataError(fmt::format("'{}': clouds of {}, those before it of {}", path.string(),
                                  counted(file.points, "point"), points));
    }
    clouds->append(path, std::move(file.values), std::move(file.labels), {});
  }
  if (options.on_error == OnError::kStop) clouds->check_all();
  return as_set(options, std::move(clouds));
}

// "night_stand_0001" is the file night_stand/night_stand_0001.txt.
std::shared_ptr<const Dataset> open_text(const fs::path& folder, const DataOptions& options,
                                         const std::string& split) {
  check_names(folder / "modelnet40_shape_names.txt");
  const fs::path list = folder / ("modelnet40_" + split + ".txt");
  const auto& names = class_names();
  std::vector<TextCloud> clouds;
  for (const std::string& id : read_lines(list)) {
    const std::string name = id.substr(0, std::min(id.rfind('_'), id.size()));
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end() || name == id || !plain_name(id)) {
      throw DataError(fmt::format("'{}': {} is no id of a ModelNet40 class, such as airplane_0001",
                                  list.string(), in_quotes(id)));
    }
    clouds.push_back({folder / name / (id + ".txt"), found - names.begin()});
  }
  if (clouds.empty()) throw DataError(fmt::format("'{}': lists no clouds", list.string()));
  const std::int64_t most = std::max(kMostPoints, options.points.count);
  return as_set(options,
                std::make_shared<TextClouds>(std::move(clouds), options.points.normals, most,
                                             std::vector<LabelRange>{}),
                most);
}

}  // namespace

DatasetReader modelnet40_reader() {
  DatasetReader reader;
  reader.name = "modelnet40";
  reader.folders = {"", "modelnet40_ply_hdf5_2048", "modelnet40_normal_resampled"};
  reader.marker_files = {"ply_data_train0.h5", "modelnet40_train.txt"};
  reader.describe = describe;
  reader.open = [](const fs::path& folder, const DataOptions& options,
                   const SplitRequest& request) {
    const TwoForms forms = {
        .text_file = "modelnet40_train.txt", .text = open_text, .hdf5 = open_hdf5};
    return open_form(forms, folder, options, request);
  };
  return reader;
}

}  // namespace tbn
