// Reads views of JPEG files, and the four data sets that are folders of them.
#include "data/images/image_folder.h"

#include <fmt/format.h>

#include <utility>

#include "data/images/augment.h"
#include "data/images/image_window.h"
#include "data/images/jpeg.h"
#include "data/images/memory_images.h"
#include "prepare/centre_window.h"
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
  std::vector<std::string> test = {"val", "validation"};  // the first of these that exists
};

// Of ImageNet, as everyone normalises by; in units of 0 .. 255.
ChannelStatistics imagenet_statistics() {
  return {.mean = {123.675, 116.28, 103.53}, .deviation = {58.395, 57.12, 57.375}};
}

void check_options(const DataOptions& options) {
  const FolderOptions& folder = options.folder;
  if (folder.resize < folder.image_size) {
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

std::vector<std::string> names_of_classes(const FolderKind& kind,
                                          const std::vector<std::string>& folders) {
  return !kind.folders.empty() && folders == kind.folders ? kind.class_names : folders;
}

SampleSpec describe(const FolderKind& kind, const DataOptions& given) {
  const DataOptions options = options_for(kind, given);
  const std::int64_t side = options.folder.image_size;
  std::vector<std::string> names = kind.class_names;
  std::int64_t count = expected_classes(kind, options);
  if (count == 0) {
    const fs::path root = options.root.empty() ? fs::path("data") / kind.name : options.root;
    auto reference = reference_folder(kind, root);
    if (!reference) reference = reference_folder(kind, root / kind.name);
    if (!reference) {
      throw ConfigError(fmt::format(
          "data.classes: must say how many classes there are, because there is no folder '{}' to "
          "count them in; or set data.root",
          (root / "train").string()));
    }
    names = class_folders(*reference);
  } else if (names.empty()) {
    for (std::int64_t k = 0; k < count; ++k) names.push_back(std::to_string(k));
  }
  return image_spec({3, side, side}, std::move(names));
}

void check_count(const FolderKind& kind, const DataOptions& options, const fs::path& folder,
                 std::size_t found) {
  const std::int64_t expected = expected_classes(kind, options);
  if (expected == 0 || static_cast<std::int64_t>(found) == expected) return;
  const std::string says = kind.classes > 0 ? kind.name + " has" : "data.classes says";
  throw DataError(
      fmt::format("'{}': {} class folders, where {} {}", folder.string(), found, says, expected));
}

fs::path need_folder(const fs::path& root, const std::vector<std::string>& names) {
  if (auto found = find_first(root, names)) return *found;
  throw DataError(fmt::format("'{}': the folder is not there", (root / names.front()).string()));
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
  const auto open_one = [&](const fs::path& folder) {
    return std::make_shared<FolderImages>(
        folder, list_images(folder, classes, *reference, options.on_error),
        names_of_classes(kind, classes), options);
  };
  const auto test = find_first(root, kind.test);
  if (request.train) {
    splits.train = open_one(need_folder(root, {"train"}));
    const auto validation = find_first(root, {"val", "validation"});
    if (validation && test && *validation != *test) splits.validation = open_one(*validation);
  }
  if (request.test) splits.test = open_one(test ? *test : need_folder(root, kind.test));
  return splits;
}

DatasetReader folder_reader(FolderKind kind, std::vector<std::string> folders) {
  DatasetReader reader;
  reader.name = kind.name;
  reader.folders = std::move(folders);
  reader.signs = {"train"};
  reader.signs.insert(reader.signs.end(), kind.test.begin(), kind.test.end());
  reader.describe = [kind](const DataOptions& options) { return describe(kind, options); };
  reader.open = [kind = std::move(kind)](const fs::path& folder, const DataOptions& options,
                                         const SplitRequest& request) {
    return open(kind, folder, options, request);
  };
  return reader;
}

}  // namespace

FolderImages::FolderImages(fs::path folder, ImageListing listing,
                           std::vector<std::string> class_names, const DataOptions& options)
    : folder_(std::move(folder)),
      listing_(std::move(listing)),
      augment_(options.augment),
      options_(options.folder),
      on_error_(options.on_error) {
  check_options(options);
  const std::int64_t side = options_.image_size;
  spec_ = image_spec({3, side, side}, std::move(class_names));
}

InputRule FolderImages::input_rule() const {
  return {.kind = "image", .steps = {DecodeStep{8}, ResizeStep{options_.resize}, CropStep{}}};
}

bool FolderImages::read(std::int64_t index, const ReadContext& context, SampleOut out) const {
  *out.labels = listing_.files.at(static_cast<std::size_t>(index)).label;
  if (on_error_ == OnError::kStop) {
    read_view(index, context, out.bytes);
    return true;
  }
  try {
    read_view(index, context, out.bytes);
    return true;
  } catch (const DataError&) {
    skipped_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
}

void FolderImages::read_view(std::int64_t index, const ReadContext& context,
                             std::uint8_t* out) const {
  const fs::path path = folder_ / listing_.files[static_cast<std::size_t>(index)].path;
  const auto bytes = read_bounded_file(path, kMaxJpegBytes);
  JpegDecoder jpeg(bytes, "'" + path.string() + "'");
  const std::int64_t side = options_.image_size;
  ResizeBox box;
  if (context.augment) {
    CounterRng rng(context.seed, RngUse::kSample, static_cast<std::uint64_t>(context.epoch),
                   static_cast<std::uint64_t>(index));
    box = random_window(jpeg.height(), jpeg.width(), options_.crop_min_area, rng);
  } else {
    box = centre_window(jpeg.height(), jpeg.width(), options_.resize, side, side);
  }
  const int denominator = largest_denominator(box.height, box.width, side, side);
  const RgbImage image = jpeg.decode(denominator);
  const double scale = 1.0 / denominator;
  box = {box.top * scale, box.left * scale, box.height * scale, box.width * scale};
  if (!context.augment) {
    // The centre is cut out of the resized image, which saw the pixels around it.
    const ResizeBounds all{.bottom = image.height, .right = image.width};
    resize_to_planes(image.pixels.get(), image.width, all, box, side, side, out);
    return;
  }
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
      folder_reader({.name = "image_folder", .test = {"test", "val", "validation"}}, {""}),
  };
}

}  // namespace tbn
