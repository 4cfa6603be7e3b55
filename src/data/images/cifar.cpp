// Reads CIFAR's binary records. The files have no header, so the size itself is what is checked.
#include "data/images/cifar.h"

#include <fmt/format.h>

#include <cstdint>
#include <utility>

#include "base/counted.h"
#include "data/images/memory_images.h"
#include "data/source/byte_source.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSide = 32;
constexpr std::size_t kPixels = 3 * kSide * kSide;

void append_file(const fs::path& path, const std::vector<int>& label_limits, ImageSet& out) {
  ByteSource source(path);
  const std::size_t record = label_limits.size() + kPixels;
  const std::uint64_t stored = source.stored_bytes();
  if (source.compressed()) throw DataError(source.where() + "is compressed; unpack it first");
  if (stored == 0 || stored % record != 0) {
    throw DataError(
        fmt::format("{}{} bytes are no whole number of records of {} bytes; the file "
                    "is truncated or of another kind",
                    source.where(), stored, record));
  }
  const auto bytes =
      source.read_exactly(stored, counted(static_cast<std::int64_t>(stored / record), "record"));
  out.pixels.reserve(out.pixels.size() + stored / record * kPixels);
  for (std::size_t start = 0; start < bytes.size(); start += record) {
    const std::uint8_t* labels = bytes.data() + start;
    for (std::size_t k = 0; k < label_limits.size(); ++k) {
      if (labels[k] < label_limits[k]) continue;
      throw DataError(fmt::format("{}label {} of record {} is out of range; there are {} classes",
                                  source.where(), labels[k], start / record, label_limits[k]));
    }
    out.labels.push_back(labels[label_limits.size() - 1]);
    const std::uint8_t* pixels = labels + label_limits.size();
    out.pixels.insert(out.pixels.end(), pixels, pixels + kPixels);
  }
}

DatasetReader cifar_reader(std::string name, std::string folder, std::vector<std::string> train,
                           std::string test, std::vector<int> label_limits,
                           std::vector<std::string> class_names) {
  DatasetReader reader;
  reader.name = std::move(name);
  reader.folders = {"", std::move(folder)};
  reader.marker_files = {train.front()};
  reader.describe = [class_names](const DataOptions&) {
    return image_spec({3, kSide, kSide}, class_names);
  };
  reader.read = [train = std::move(train), test = std::move(test), limits = std::move(label_limits),
                 names = std::move(class_names)](const fs::path& root, bool is_train) {
    std::vector<fs::path> files;
    if (is_train) {
      for (const auto& file : train) files.push_back(root / file);
    } else {
      files.push_back(root / test);
    }
    return read_cifar(files, limits, names);
  };
  return reader;
}

}  // namespace

ImageSet read_cifar(const std::vector<fs::path>& files, const std::vector<int>& label_limits,
                    std::vector<std::string> class_names) {
  TBN_CHECK(!label_limits.empty(), "read_cifar: a record has a label at least");
  ImageSet out;
  out.channels = 3;
  out.height = kSide;
  out.width = kSide;
  for (const auto& file : files) append_file(file, label_limits, out);
  out.class_names = std::move(class_names);
  return out;
}

DatasetReader cifar10_reader() {
  return cifar_reader(
      "cifar10", "cifar-10-batches-bin",
      {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin",
       "data_batch_5.bin"},
      "test_batch.bin", {10},
      {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"});
}

DatasetReader cifar100_reader() {
  return cifar_reader(
      "cifar100", "cifar-100-binary", {"train.bin"}, "test.bin", {20, 100},
      {"apple",       "aquarium_fish", "baby",      "bear",       "beaver",       "bed",
       "bee",         "beetle",        "bicycle",   "bottle",     "bowl",         "boy",
       "bridge",      "bus",           "butterfly", "camel",      "can",          "castle",
       "caterpillar", "cattle",        "chair",     "chimpanzee", "clock",        "cloud",
       "cockroach",   "couch",         "crab",      "crocodile",  "cup",          "dinosaur",
       "dolphin",     "elephant",      "flatfish",  "forest",     "fox",          "girl",
       "hamster",     "house",         "kangaroo",  "keyboard",   "lamp",         "lawn_mower",
       "leopard",     "lion",          "lizard",    "lobster",    "man",          "maple_tree",
       "motorcycle",  "mountain",      "mouse",     "mushroom",   "oak_tree",     "orange",
       "orchid",      "otter",         "palm_tree", "pear",       "pickup_truck", "pine_tree",
       "plain",       "plate",         "poppy",     "porcupine",  "possum",       "rabbit",
       "raccoon",     "ray",           "road",      "rocket",     "rose",         "sea",
       "seal",        "shark",         "shrew",     "skunk",      "skyscraper",   "snail",
       "snake",       "spider",        "squirrel",  "streetcar",  "sunflower",    "sweet_pepper",
       "table",       "tank",          "telephone", "television", "tiger",        "tractor",
       "train",       "trout",         "tulip",     "turtle",     "wardrobe",     "whale",
       "willow_tree", "wolf",          "woman",     "worm"});
}

}  // namespace tbn
