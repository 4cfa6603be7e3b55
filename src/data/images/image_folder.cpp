// Reads views of picture files, and the four data sets that are folders of them.
#include "data/images/image_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/counted.h"
#include "data/images/augment.h"
#include "data/images/exif.h"
#include "data/images/fixed_view.h"
#include "data/images/image_window.h"
#include "data/images/memory_images.h"
#include "data/images/picture.h"
#include "data/images/split_names.h"
#include "data/source/not_found.h"
#include "file/nearby.h"
#include "prepare/resize.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

// What tells one of these data sets from another.
struct FolderKind {
  std::string name;
  std::int64_t classes = 0;  // 0: any number
  std::int64_t side = 0;     // of its images, where all are squares of that side
  // What the classes are called where their folders have numbers instead, in the order of the
  // folders.
  std::vector<std::string> folders;
  std::vector<std::string> class_names;
  std::vector<std::string> test = kValidationNames;  // the first of these that exists
  std::string own;                                   // see DatasetReader
};

// Of ImageNet, as everyone normalises by; in units of 0 .. 255.
ChannelStatistics imagenet_statistics() {
  return {.mean = {123.675, 116.28, 103.53}, .deviation = {58.395, 57.12, 57.375}};
}

void check_options(const DataOptions& options) {
  const FolderOptions& folder = options.folder;
  if (evaluation_resize(folder) < folder.image_size) {
    throw ConfigError(
        fmt::format("data.resize: {} is smaller than data.image_size, {}; the crop would not fit",
                    folder.resize, folder.image_size));
  }
  if (options.augment.crop_padding >= folder.image_size) {
    throw ConfigError(fmt::format("data.crop_padding: {} is out of range; it must be 0 to {}",
                                  options.augment.crop_padding, folder.image_size - 1));
  }
}

DataOptions options_for(const FolderKind& kind, DataOptions options) {
  if (kind.side > 0 && options.folder.image_size == kind.side) options.folder.resize = kind.side;
  check_options(options);
  return options;
}

// How many classes there must be; 0 where nothing says so.
std::int64_t expected_classes(const FolderKind& kind, const DataOptions& options) {
  if (kind.classes == 0) return options.folder.classes;
  if (options.folder.classes != 0 && options.folder.classes != kind.classes) {
    throw ConfigError(fmt::format(
        "data.classes: {} has {} classes, not {}; a part of it is read with data.name image_folder",
        kind.name, kind.classes, options.folder.classes));
  }
  return kind.classes;
}

// The folder that defines the classes: train where it is there, else what is tested on.
std::optional<fs::path> reference_folder(const FolderKind& kind, const fs::path& root) {
  if (auto train = find_first(root, {"train"})) return train;
  return find_first(root, kind.test);
}

// As people call the classes; the names of the folders where nobody has said so.
std::vector<std::string> names_of_classes(const FolderKind& kind,
                                          const std::vector<std::string>& folders) {
  return !kind.folders.empty() && folders == kind.folders ? kind.class_names : folders;
}

void check_count(const FolderKind& kind, const DataOptions& options, const fs::path& folder,
                 std::size_t found) {
  const std::int64_t expected = expected_classes(kind, options);
  if (expected == 0 || static_cast<std::int64_t>(found) == expected) return;
  const std::string says = kind.classes > 0 ? kind.name + " has" : "data.classes says";
  throw DataError(fmt::format("'{}': {}, where {} {}", folder.string(),
                              counted(static_cast<std::int64_t>(found), "class folder"), says,
                              expected));
}

// The folder that defines the classes, where it can be found without reading the data.
std::optional<fs::path> known_folder(const FolderKind& kind, const fs::path& given) {
  const fs::path root = given.empty() ? fs::path("data") / kind.name : given;
  if (auto found = reference_folder(kind, root)) return found;
  return reference_folder(kind, root / kind.name);
}

// The message for a root without a training folder.
std::string why_not_found(const fs::path& root) {
  if (is_missing(root)) return missing_text(root);
  const std::string below = found_below(root, kTrainNames);
  return fmt::format("no train in '{}'{}", root.string(),
                     below.empty() ? mistaken_splits(root) : below);
}

SampleSpec describe(const FolderKind& kind, const DataOptions& given) {
  const DataOptions options = options_for(kind, given);
  const std::int64_t side = options.folder.image_size;
  const std::int64_t count = expected_classes(kind, options);
  std::vector<std::string> names = kind.class_names;
  std::vector<std::string> folders;
  if (const auto reference = known_folder(kind, options.root)) {
    folders = class_folders(*reference);
    check_count(kind, options, *reference, folders.size());
    names = names_of_classes(kind, folders);
    if (names == folders) folders.clear();
  } else if (count == 0) {
    const fs::path root = options.root.empty() ? fs::path("data") / kind.name : options.root;
    throw DataNotFound(not_found_text(
        {.name = kind.name, .own = kind.own + ", or data.classes to how many there will be"},
        why_not_found(root)));
  }
  names.resize(names.empty() ? static_cast<std::size_t>(count) : names.size());
  SampleSpec spec = image_spec({3, side, side}, std::move(names));
  spec.class_folders = std::move(folders);
  return spec;
}

fs::path need_folder(const fs::path& root, const std::vector<std::string>& names) {
  if (auto found = find_first(root, names)) return *found;
  std::string others;  // ", nor val or validation beside it"
  for (std::size_t i = 1; i < names.size(); ++i) {
    others += (i == 1 ? ", nor " : " or ") + names[i];
  }
  if (!others.empty()) others += " beside it";
  throw DataError(fmt::format("'{}': the folder is not there{}{}", (root / names.front()).string(),
                              others, mistaken_splits(root)));
}

void note_mistaken(const fs::path& root, std::vector<std::string>& notes) {
  const std::string text = mistaken_splits(root);
  if (!text.empty()) notes.push_back(text.substr(2));
}

DataSplits open(const FolderKind& kind, const fs::path& root, const DataOptions& given,
                const SplitRequest& request) {
  const DataOptions options = options_for(kind, given);
  DataSplits splits;
  splits.statistics = imagenet_statistics();
  splits.folder = root;
  const auto reference = reference_folder(kind, root);
  if (!reference) need_folder(root, {"train"});
  const auto classes = class_folders(*reference);
  check_count(kind, options, *reference, classes.size());
  const auto names = names_of_classes(kind, classes);
  const auto open_one = [&](const fs::path& folder) {
    return std::make_shared<FolderImages>(
        folder, list_images(folder, classes, *reference, options.on_error), names, options,
        names == classes ? std::vector<std::string>{} : classes);
  };
  const auto test = find_first(root, kind.test);
  if (request.train) {
    splits.train = open_one(need_folder(root, {"train"}));
    const auto validation = find_first(root, kValidationNames);
    if (validation && test && *validation != *test) splits.validation = open_one(*validation);
    note_mistaken(root, splits.notes);
  }
  if (test) splits.test_folder = test->filename().string();
  if (request.test) splits.test = open_one(test ? *test : need_folder(root, kind.test));
  return splits;
}

DatasetReader folder_reader(FolderKind kind, std::vector<std::string> folders) {
  DatasetReader reader;
  reader.name = kind.name;
  reader.folders_are_classes = true;
  reader.own = kind.own;
  reader.folders = std::move(folders);
  reader.marker_files = {"train"};
  reader.marker_files.insert(reader.marker_files.end(), kind.test.begin(), kind.test.end());
  reader.describe = [kind](const DataOptions& options) { return describe(kind, options); };
  reader.open = [kind = std::move(kind)](const fs::path& folder, const DataOptions& options,
                                         const SplitRequest& request) {
    return open(kind, folder, options, request);
  };
  return reader;
}

}  // namespace

FolderImages::FolderImages(fs::path folder, ImageListing listing,
                           std::vector<std::string> class_names, const DataOptions& options,
                           std::vector<std::string> class_folders)
    : folder_(std::move(folder)),
      listing_(std::move(listing)),
      augment_(options.augment),
      options_(options.folder),
      skips_(static_cast<std::int64_t>(listing_.files.size()), options) {
  check_options(options);
  const std::int64_t side = options_.image_size;
  spec_ = image_spec({3, side, side}, std::move(class_names));
  spec_.class_folders = std::move(class_folders);
  for (std::size_t i = 0; i < listing_.files.size(); ++i) {
    const std::string& path = listing_.files[i].path;
    if (picture_name(path) != PictureName::kUnread) continue;
    skips_.add(static_cast<std::int64_t>(i),
               fmt::format("'{}': pictures of this kind are not read, only JPEG and PNG",
                           (folder_ / path).string()));
  }
}

SkipReport FolderImages::skips() const {
  SkipReport report = skips_.report();
  report.ignored = listing_.ignored;
  report.ignored_names = listing_.ignored_names;
  return report;
}

std::int64_t FolderImages::stratum(std::int64_t index) const {
  return listing_.files[static_cast<std::size_t>(index)].label;
}

// The class comes from the label: Tiny-ImageNet's validation images lie in one folder.
std::string FolderImages::identity(std::int64_t index) const {
  const ImageFile& file = listing_.files[static_cast<std::size_t>(index)];
  return spec_.class_keys()[static_cast<std::size_t>(file.label)] + "/" +
         file.path.substr(file.path.rfind('/') + 1);
}

InputRule FolderImages::input_rule() const {
  InputRule rule{.kind = "image", .steps = {}};
  if (options_.decode == Decode::kReduce) rule.steps.push_back(DecodeStep{8});
  if (options_.turn) rule.steps.push_back(OrientStep{});
  rule.steps.push_back(ResizeStep{evaluation_resize(options_)});
  rule.steps.push_back(CropStep{});
  return rule;
}

bool FolderImages::read(std::int64_t index, const ReadContext& context, SampleOut out) const {
  *out.labels = listing_.files.at(static_cast<std::size_t>(index)).label;
  if (skips_.knows(index)) return false;
  try {
    read_view(index, context, out.bytes);
    return true;
  } catch (const DataError& error) {
    skips_.add(index, error.what());
    return false;
  }
}

void FolderImages::read_view(std::int64_t index, const ReadContext& context,
                             std::uint8_t* out) const {
  const fs::path path = folder_ / listing_.files[static_cast<std::size_t>(index)].path;
  const auto bytes = read_bounded_file(path, kMaxJpegBytes);
  const std::string name = "'" + path.string() + "'";
  if (context.augment) {
    random_view(bytes, name, index, context, out);
  } else {
    fixed_view(bytes, name, options_, out);
  }
}

void FolderImages::random_view(std::span<const std::uint8_t> bytes, const std::string& name,
                               std::int64_t index, const ReadContext& context,
                               std::uint8_t* out) const {
  PictureDecoder picture(bytes, name);
  if (options_.turn) picture.turn(exif_orientation(bytes));
  const std::int64_t side = options_.image_size;
  CounterRng rng(context.seed, RngUse::kSample, static_cast<std::uint64_t>(context.epoch),
                 static_cast<std::uint64_t>(index));
  const ResizeBox window =
      random_window(picture.height(), picture.width(), options_.crop_min_area, rng);
  const int by = view_denominator(picture, window, side, options_.decode != Decode::kExact, name);
  const RgbImage image = picture.decode(by);
  const ResizeBox box = reduced(window, by);
  const auto bounds = touched_by(box, image.height, image.width);
  if (!augment_.any()) {
    resize_to_planes(image.pixels.get(), image.width, bounds, box, side, side, out);
    return;
  }
  std::vector<std::uint8_t> view(static_cast<std::size_t>(3 * side * side));
  resize_to_planes(image.pixels.get(), image.width, bounds, box, side, side, view.data());
  augment_image(augment_, context.seed, context.epoch, index, 3, side, side, view.data(), out);
}

std::vector<DatasetReader> image_folder_readers() {
  FolderKind imagenette{
      .name = "imagenette",
      .classes = 10,
      .folders = {"n01440764", "n02102040", "n02979186", "n03000684", "n03028079", "n03394916",
                  "n03417042", "n03425413", "n03445777", "n03888257"},
      .class_names = {"tench", "English springer", "cassette player", "chain saw", "church",
                      "French horn", "garbage truck", "gas pump", "golf ball", "parachute"}};
  return {
      folder_reader({.name = "imagenet", .classes = 1000}, {""}),
      folder_reader({.name = "tiny_imagenet", .classes = 200, .side = 64},
                    {"", "tiny-imagenet-200"}),
      folder_reader(std::move(imagenette),
                    {"", "imagenette2-320", "imagenette2-160", "imagenette2"}),
      folder_reader({.name = "image_folder",
                     .test = {kTestNames.front(), "val", "validation"},
                     .own = "it holds pictures of your own, train/<class>/*.jpg (or .png) and "
                            "val/<class>/*.jpg, with the same class folders in both; set data.root "
                            "to the folder that holds train and val"},
                    {""}),
  };
}

}  // namespace tbn
