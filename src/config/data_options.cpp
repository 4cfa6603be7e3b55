// Copies the fields.
#include "config/data_options.h"

namespace tbn {

DataOptions data_options(const DataConfig& data) {
  return {.name = data.name,
          .root = data.root,
          .validation = data.validation,
          .split_seed = static_cast<std::uint64_t>(data.split_seed),
          .train_limit = data.train_limit,
          .test_limit = data.test_limit,
          .limits = data.limits,
          .on_error = data.on_error,
          .skip_most = data.skip_most,
          .augment = {.crop_padding = static_cast<int>(data.crop_padding),
                      .flip = data.flip,
                      .randaugment = static_cast<int>(data.randaugment),
                      .magnitude = static_cast<int>(data.magnitude),
                      .cutout = static_cast<int>(data.cutout)},
          .folder = {.image_size = data.image_size,
                     .resize = data.resize,
                     .decode = data.decode,
                     .turn = data.exif == Exif::kTurn,
                     .crop_min_area = data.crop_min_area,
                     .classes = data.classes},
          .points = {.count = data.points.count,
                     .normals = data.points.normals,
                     .dropout = data.points.dropout,
                     .scale = data.points.scale,
                     .shift = data.points.shift,
                     .jitter = data.points.jitter,
                     .rotate = data.points.rotate},
          .series = {.window = data.series.window,
                     .horizon = data.series.horizon,
                     .columns = data.series.columns,
                     .season = data.series.season,
                     .rule = {}}};
}

std::vector<std::string> idle_split_keys(const DataConfig& data, const DataConfig& base) {
  std::vector<std::string> keys;
  if (data.validation != base.validation && data.validation > 0) keys.push_back("data.validation");
  const bool draws =
      (data.train_limit > 0 || data.test_limit > 0) && data.limits == LimitRule::kClass;
  if (data.split_seed != base.split_seed && !draws) keys.push_back("data.split_seed");
  return keys;
}

}  // namespace tbn
