// The registry of data sets, the search for their files, and the splits as they are used.
#include "data/registry.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/counted.h"
#include "base/text.h"
#include "data/data_rule.h"
#include "data/images/cifar.h"
#include "data/images/idx.h"
#include "data/images/image_folder.h"
#include "data/images/memory_images.h"
#include "data/images/split_names.h"
#include "data/points/points.h"
#include "data/series/series.h"
#include "data/source/not_found.h"
#include "data/source/sampling.h"
#include "file/nearby.h"
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

// The first place that has a marker file of the data set.
std::optional<fs::path> search_data_folder(const DatasetReader& reader, const fs::path& root) {
  for (const fs::path& place : places_to_look(reader, root)) {
    if (find_first(place, reader.marker_files)) return place;
  }
  return std::nullopt;
}

// What of a root without the marker files is near.
std::string near_text(const DatasetReader& reader, const fs::path& root) {
  if (root.empty()) return "";
  const std::string below = found_below(root, reader.marker_files);
  return below.empty() && reader.folders_are_classes ? mistaken_splits(root) : below;
}

// Nobody means to hold out more than is left to train on.
void note_validation(const DataOptions& options, DataSplits& splits) {
  if (!splits.found.train || splits.found.validation || splits.series) return;
  const std::int64_t all = splits.found.train->count;
  if (options.validation <= all / 2) return;
  splits.notes.push_back(fmt::format(
      "{} of '{}' {} held out for validation, which leaves {} to train on: set data.validation "
      "(its default is {})",
      counted(options.validation, "training sample"), options.name,
      options.validation == 1 ? "is" : "are", counted(all - options.validation, "sample"),
      grouped(kUsualValidation)));
}

void check_limit(std::int64_t value, const char* key) {
  if (value < 0) {
    throw ConfigError(fmt::format("data.{}: {} is negative; 0 uses all samples", key, value));
  }
}

// Images in memory are copied into their splits, so that no pixel is kept twice.
DataSplits open_images(const DatasetReader& reader, const fs::path& folder,
                       const DataOptions& options, const SplitRequest& request) {
  DataSplits splits;
  if (request.train) {
    const MemoryImages all(reader.read(folder, true));
    splits.found.train = listing_of(all);
    const Partition parts = hold_out(all, options);
    ImageSet train = select(all.images(), parts.train);
    splits.statistics = channel_statistics(train);
    splits.train = std::make_shared<MemoryImages>(std::move(train), options.augment);
    splits.validation = std::make_shared<MemoryImages>(select(all.images(), parts.validation));
  }
  if (request.test) {
    const auto all = std::make_shared<MemoryImages>(reader.read(folder, false));
    splits.found.test = listing_of(*all);
    splits.test = all;
    if (options.test_limit > 0 && options.test_limit < all->size()) {
      const auto kept = limited(*all, all_indices(*all), options.test_limit, Split::kTest, options);
      splits.test = std::make_shared<MemoryImages>(select(all->images(), kept));
    }
  }
  return splits;
}

// Where the data has a validation split of its own it is taken, else some samples are held out.
DataSplits open_other(const DatasetReader& reader, const fs::path& folder,
                      const DataOptions& options, const SplitRequest& request) {
  DataSplits splits = reader.open(folder, options, request);
  if (request.train) splits.found.train = listing_of(*splits.train);
  if (request.train && splits.validation == nullptr) {
    Partition parts = hold_out(*splits.train, options);
    splits.validation = std::make_shared<Subset>(splits.train, std::move(parts.validation));
    splits.train = std::make_shared<Subset>(splits.train, std::move(parts.train));
  } else if (request.train) {
    splits.found.validation = listing_of(*splits.validation);
    splits.train = limited(splits.train, options.train_limit, Split::kTrain, options);
  }
  if (request.test) {
    splits.found.test = listing_of(*splits.test);
    splits.test = limited(splits.test, options.test_limit, Split::kTest, options);
  }
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
      reader.marker_files.empty() ? options.root : find_data_folder(reader, options.root);
  DataSplits splits = reader.read ? open_images(reader, folder, options, request)
                                  : open_other(reader, folder, options, request);
  splits.folder = folder;
  return splits;
}

}  // namespace

std::string not_found_text(const DatasetReader& reader, const std::string& why) {
  const std::string text = fmt::format("data set '{}' not found: {}; ", reader.name, why);
  if (!reader.own.empty()) return text + reader.own;
  const std::string install =
      reader.package.empty() ? "" : fmt::format("`apt-get install {}`, ", reader.package);
  return text +
         fmt::format("get it with {}`scripts/download_data.sh {}`, or set data.root to its folder",
                     install, reader.name);
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
  const DatasetReader& reader = find_dataset(options.name);
  SampleSpec spec = reader.describe(options);
  if (!reader.shape) return spec;
  if (const auto folder = search_data_folder(reader, options.root)) {
    spec.input = reader.shape(*folder);
  } else {
    spec.assumed = fmt::format("images of {} x {} pixels", spec.input[1], spec.input[2]);
  }
  return spec;
}

fs::path find_data_folder(const DatasetReader& reader, const fs::path& root) {
  if (const auto folder = search_data_folder(reader, root)) return *folder;
  if (!root.empty() && is_missing(root)) {
    throw DataNotFound(not_found_text(reader, missing_text(root)));
  }
  const auto places = places_to_look(reader, root);
  std::vector<std::string> looked;
  looked.reserve(places.size());
  for (const auto& place : places) looked.push_back("'" + place.string() + "'");
  throw DataNotFound(
      not_found_text(reader, fmt::format("no {} in {}{}", reader.marker_files.front(),
                                         fmt::join(looked, ", "), near_text(reader, root))));
}

DataSplits load_data(const DataOptions& options, const SplitRequest& request) {
  DataSplits splits = open(options, request);
  note_validation(options, splits);
  if (request.train && request.test) check_same_shape(options, splits);
  splits.rule = rule_of(options, splits);
  return splits;
}

DataSplits load_data(const DataOptions& options) { return load_data(options, SplitRequest{}); }

std::shared_ptr<const Dataset> split_of(const DataSplits& splits, Split split) {
  if (split == Split::kTest) return splits.test;
  return split == Split::kTrain ? splits.train : splits.validation;
}

std::shared_ptr<const Dataset> load_split(const DataOptions& options, Split split) {
  const bool test = split == Split::kTest;
  return split_of(load_data(options, {.train = !test, .test = test}), split);
}

}  // namespace tbn
