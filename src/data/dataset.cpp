// The registry of data sets, the search for their files, and the validation split.
#include "data/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "data/cifar.h"
#include "data/counter_rng.h"
#include "data/idx.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

const std::vector<DatasetReader>& registry() {
  static const std::vector<DatasetReader> readers = {
      mnist_reader(),
      fashion_mnist_reader(),
      cifar10_reader(),
      cifar100_reader(),
  };
  return readers;
}

std::vector<fs::path> places_to_look(const DatasetReader& reader, const fs::path& root) {
  std::vector<fs::path> roots;
  if (!root.empty()) {
    roots = {root, root / reader.name};
  } else {
    roots = {fs::path("data") / reader.name};
    if (!reader.package_root.empty()) roots.push_back(reader.package_root);
  }
  std::vector<fs::path> places;
  for (const auto& base : roots) {
    for (const auto& folder : reader.folders)
      places.push_back(folder.empty() ? base : base / folder);
  }
  return places;
}

void check_limit(std::int64_t value, const char* key) {
  if (value < 0) {
    throw ConfigError(fmt::format("data.{}: {} is negative; 0 uses all images", key, value));
  }
}

void keep_first(ImageSet& set, std::int64_t limit) {
  if (limit == 0 || limit >= set.size()) return;
  set.labels.resize(static_cast<std::size_t>(limit));
  set.pixels.resize(static_cast<std::size_t>(limit * set.image_bytes()));
  set.pixels.shrink_to_fit();
}

// Moves `options.validation` images, chosen by a seeded permutation, from train to validation.
void hold_out(const DataOptions& options, ImageData& data) {
  if (options.validation < 0 || options.validation >= data.train.size()) {
    throw ConfigError(fmt::format(
        "data.validation: cannot hold {} images out of the {} training images of '{}'; it must be "
        "0 to {}",
        options.validation, data.train.size(), options.name, data.train.size() - 1));
  }
  if (options.validation == 0) {
    data.validation = select(data.train, {});
    return;
  }
  auto order =
      random_permutation(data.train.size(), CounterRng(options.split_seed, RngUse::kSplit));
  const auto cut = order.begin() + options.validation;
  std::sort(order.begin(), cut);
  std::sort(cut, order.end());
  data.validation = select(data.train, {order.begin(), cut});
  data.train = select(data.train, {cut, order.end()});
}

void check_same_shape(const DataOptions& options, const ImageData& data) {
  const ImageSet& a = data.train;
  const ImageSet& b = data.test;
  if (a.channels == b.channels && a.height == b.height && a.width == b.width) return;
  throw DataError(fmt::format(
      "data set '{}' in '{}': training images are {} x {} x {}, test images {} x {} x {}",
      options.name, data.folder.string(), a.channels, a.height, a.width, b.channels, b.height,
      b.width));
}

}  // namespace

std::optional<fs::path> find_first(const fs::path& folder, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    std::error_code error;
    if (fs::exists(folder / name, error)) return folder / name;
  }
  return std::nullopt;
}

std::vector<std::string> dataset_names() {
  std::vector<std::string> names;
  for (const auto& reader : registry()) names.push_back(reader.name);
  return names;
}

const DatasetReader& find_dataset(const std::string& name) {
  for (const auto& reader : registry()) {
    if (reader.name == name) return reader;
  }
  throw ConfigError(fmt::format("data.name: unknown data set '{}'; known are {}", name,
                                fmt::join(dataset_names(), ", ")));
}

fs::path find_data_folder(const DatasetReader& reader, const fs::path& root) {
  const auto places = places_to_look(reader, root);
  for (const auto& place : places) {
    if (find_first(place, reader.signs)) return place;
  }
  std::vector<std::string> looked;
  for (const auto& place : places) looked.push_back("'" + place.string() + "'");
  const std::string install =
      reader.package.empty() ? "" : fmt::format("`apt-get install {}`, ", reader.package);
  throw DataError(fmt::format(
      "data set '{}' not found: no {} in {}; get it with {}`scripts/download_data.sh {}`, or set "
      "data.root to its folder",
      reader.name, reader.signs.front(), fmt::join(looked, ", "), install, reader.name));
}

ImageData load_images(const DataOptions& options) {
  check_limit(options.train_limit, "train_limit");
  check_limit(options.test_limit, "test_limit");
  const DatasetReader& reader = find_dataset(options.name);
  ImageData data;
  data.folder = find_data_folder(reader, options.root);
  data.train = reader.read(data.folder, true);
  data.test = reader.read(data.folder, false);
  check_same_shape(options, data);
  hold_out(options, data);
  keep_first(data.train, options.train_limit);
  keep_first(data.test, options.test_limit);
  return data;
}

ImageSet load_split(const DataOptions& options, Split split) {
  if (split == Split::kTest) {
    check_limit(options.test_limit, "test_limit");
    const DatasetReader& reader = find_dataset(options.name);
    ImageSet test = reader.read(find_data_folder(reader, options.root), false);
    keep_first(test, options.test_limit);
    return test;
  }
  ImageData data = load_images(options);
  return split == Split::kTrain ? std::move(data.train) : std::move(data.validation);
}

}  // namespace tbn
