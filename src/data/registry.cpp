// The registry of data sets, the search for their files, and the validation split.
#include "data/registry.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/counter_rng.h"
#include "data/images/cifar.h"
#include "data/images/idx.h"
#include "data/images/image_folder.h"
#include "data/images/memory_images.h"
#include "data/points/points.h"
#include "data/series/series.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

std::vector<DatasetReader> all_readers() {
  std::vector<DatasetReader> readers = {mnist_reader(), fashion_mnist_reader(), cifar10_reader(),
                                        cifar100_reader()};
  for (auto family : {image_folder_readers, point_readers, series_readers}) {
    for (DatasetReader& reader : family()) readers.push_back(std::move(reader));
  }
  return readers;
}

const std::vector<DatasetReader>& registry() {
  static const std::vector<DatasetReader> readers = all_readers();
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
    throw ConfigError(fmt::format("data.{}: {} is negative; 0 uses all samples", key, value));
  }
}

void check_validation(const DataOptions& options, std::int64_t train) {
  if (options.validation >= 0 && options.validation < train) return;
  throw ConfigError(fmt::format(
      "data.validation: cannot hold {} samples out of the {} training samples of '{}'; it must be "
      "0 to {}",
      options.validation, train, options.name, train - 1));
}

// Training and validation indices, each in the order of the file.
struct Partition {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> validation;
};

Partition hold_out(const DataOptions& options, std::int64_t count) {
  check_validation(options, count);
  std::vector<std::int64_t> order;
  if (options.validation > 0) {
    order = random_permutation(count, CounterRng(options.split_seed, RngUse::kSplit));
  } else {
    order.resize(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), std::int64_t{0});
  }
  const auto cut = order.begin() + options.validation;
  std::sort(order.begin(), cut);
  std::sort(cut, order.end());
  Partition parts{.train = {cut, order.end()}, .validation = {order.begin(), cut}};
  const auto limit = static_cast<std::size_t>(options.train_limit);
  if (limit > 0 && limit < parts.train.size()) parts.train.resize(limit);
  return parts;
}

void keep_first(ImageSet& set, std::int64_t limit) {
  if (limit == 0 || limit >= set.size()) return;
  set.labels.resize(static_cast<std::size_t>(limit));
  set.pixels.resize(static_cast<std::size_t>(limit * set.image_bytes()));
  set.pixels.shrink_to_fit();
}

// Images in memory are copied into their splits, so that no pixel is kept twice.
DataSplits open_images(const DatasetReader& reader, const fs::path& folder,
                       const DataOptions& options, const SplitRequest& request) {
  DataSplits splits;
  if (request.train) {
    const ImageSet all = reader.read(folder, true);
    const Partition parts = hold_out(options, all.size());
    ImageSet train = select(all, parts.train);
    splits.statistics = channel_statistics(train);
    splits.train = std::make_shared<MemoryImages>(std::move(train), options.augment);
    splits.validation = std::make_shared<MemoryImages>(select(all, parts.validation));
  }
  if (request.test) {
    ImageSet test = reader.read(folder, false);
    keep_first(test, options.test_limit);
    splits.test = std::make_shared<MemoryImages>(std::move(test));
  }
  return splits;
}

std::shared_ptr<const Dataset> first_samples(std::shared_ptr<const Dataset> set,
                                             std::int64_t limit) {
  if (limit == 0 || limit >= set->size()) return set;
  std::vector<std::int64_t> indices(static_cast<std::size_t>(limit));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return std::make_shared<Subset>(std::move(set), std::move(indices));
}

// Where the data has a validation split of its own it is taken, else some samples are held out.
DataSplits open_other(const DatasetReader& reader, const fs::path& folder,
                      const DataOptions& options, const SplitRequest& request) {
  DataSplits splits = reader.open(folder, options, request);
  if (request.train && splits.validation == nullptr) {
    Partition parts = hold_out(options, splits.train->size());
    splits.validation = std::make_shared<Subset>(splits.train, std::move(parts.validation));
    splits.train = std::make_shared<Subset>(splits.train, std::move(parts.train));
  } else if (request.train) {
    splits.train = first_samples(splits.train, options.train_limit);
  }
  if (request.test) splits.test = first_samples(splits.test, options.test_limit);
  return splits;
}

void check_same_shape(const DataOptions& options, const DataSplits& data) {
  const Shape& a = data.train->spec().input;
  const Shape& b = data.test->spec().input;
  if (a == b) return;
  throw DataError(fmt::format("data set '{}' in '{}': training samples are {}, test samples {}",
                              options.name, data.folder.string(), to_string(a), to_string(b)));
}

DataSplits open(const DataOptions& options, const SplitRequest& request) {
  check_limit(options.train_limit, "train_limit");
  check_limit(options.test_limit, "test_limit");
  const DatasetReader& reader = find_dataset(options.name);
  const fs::path folder =
      reader.signs.empty() ? options.root : find_data_folder(reader, options.root);
  DataSplits splits = reader.read ? open_images(reader, folder, options, request)
                                  : open_other(reader, folder, options, request);
  splits.folder = folder;
  return splits;
}

}  // namespace

std::optional<fs::path> find_first(const fs::path& folder, const std::vector<std::string>& names) {
  for (const auto& name : names) {
    std::error_code error;
    if (fs::exists(folder / name, error)) return folder / name;
  }
  return std::nullopt;
}

const std::vector<std::string>& dataset_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const auto& reader : registry()) all.push_back(reader.name);
    return all;
  }();
  return names;
}

const DatasetReader& find_dataset(const std::string& name) {
  for (const auto& reader : registry()) {
    if (reader.name == name) return reader;
  }
  throw ConfigError(fmt::format("data.name: unknown data set '{}'; known are {}", name,
                                fmt::join(dataset_names(), ", ")));
}

SampleSpec describe_data(const DataOptions& options) {
  return find_dataset(options.name).describe(options);
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

DataSplits load_data(const DataOptions& options) {
  DataSplits splits = open(options, {});
  check_same_shape(options, splits);
  return splits;
}

std::shared_ptr<const Dataset> load_split(const DataOptions& options, Split split) {
  if (split == Split::kTest) return open(options, {.train = false}).test;
  const DataSplits splits = load_data(options);
  return split == Split::kTrain ? splits.train : splits.validation;
}

}  // namespace tbn
