// Everything that says which data is read and how: the `data:` section of a configuration, without
// its YAML.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/source/series_rule.h"

namespace tbn {

enum class OnError { kStop, kSkip };

// Which samples a limit keeps: of each class its share, chosen by split_seed, or the first. Series
// have no classes: always the first windows.
enum class LimitRule { kClass, kFirst };

// Whether a JPEG is decoded to a smaller size than its own where the view needs no more: quicker,
// and a value is off by 1 of 255 on average.
enum class Decode {
  kAuto,    // in training alone
  kExact,   // never
  kReduce,  // always
};

// The axes about which clouds of points are turned at random, in training: none, the vertical one,
// or all.
enum class RotationAxes { kNone, kUp, kAll };

// Random views of images, in training.
struct AugmentOptions {
  int crop_padding = 0;  // the image is shifted by up to this many pixels; zeros (black) come in
  bool flip = false;     // mirror left and right with probability 1/2
  int randaugment = 0;   // random operations per image (Cubuk et al. 2020)
  int magnitude = 9;     // of them, 0 .. 30
  int cutout = 0;        // side of a square set to grey (DeVries and Taylor 2017)

  bool any() const { return crop_padding > 0 || flip || randaugment > 0 || cutout > 0; }
};

// Folders of images.
struct FolderOptions {
  std::int64_t image_size = 224;  // side of the square that the network sees
  std::int64_t resize = 0;        // evaluation: the shorter side before the centre crop; 0: 8/7 of
                                  // image_size, rounded, as 256 is of 224
  Decode decode = Decode::kAuto;
  bool turn = false;            // photos are turned upright by their EXIF orientation
  double crop_min_area = 0.08;  // training: smallest share of the area that a random crop has
  std::int64_t classes = 0;     // how many there must be; 0: as many as there are folders
};

// Point clouds (Qi et al. 2017): each cloud is centred and scaled into the unit sphere first.
struct PointOptions {
  std::int64_t count = 1024;  // points per cloud
  bool normals = false;       // three more columns, where the data has them
  double dropout = 0.875;     // training: largest share of points that become copies of the first
  double scale = 1.25;        // training: factor from 1 / scale up to scale; 1: none
  double shift = 0.1;         // training: largest shift along each axis
  double jitter = 0;          // training: deviation of noise on each coordinate, clipped at 5 of it
  RotationAxes rotate = RotationAxes::kNone;
};

// Windows of a series.
struct SeriesOptions {
  std::int64_t window = 336;  // steps that the network sees
  std::int64_t horizon = 96;  // steps that it predicts
  // Names of the columns to take, in this order; empty: all.
  std::vector<std::string> columns = {};
  // Steps after which the series is alike again; 0: as many as make a day, where that is known.
  std::int64_t season = 0;
  // What a network was trained by, to be read as it was: columns by name, its statistics and rows.
  std::optional<SeriesRule> rule = {};
};

struct DataOptions {
  std::string name;             // one of dataset_names()
  std::filesystem::path root;   // empty: data/<name>, then the Debian package's folder
  std::int64_t validation = 0;  // samples held out of training, where the data has no such split
  std::uint64_t split_seed = 0;
  std::int64_t train_limit = 0;  // training samples kept after the split; 0: all
  std::int64_t test_limit = 0;
  LimitRule limits = LimitRule::kClass;  // which ones
  OnError on_error = OnError::kStop;
  double skip_most = 0.1;  // kSkip: the largest share of a split's samples that may be skipped
  AugmentOptions augment;
  FolderOptions folder;
  PointOptions points;
  SeriesOptions series;
};

}  // namespace tbn
