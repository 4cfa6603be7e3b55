// Reads IDX files; every count of a header is checked before it is used.
#include "data/images/idx.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/counted.h"
#include "data/images/memory_images.h"
#include "data/source/byte_source.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kImageMagic = 0x00000803;
constexpr std::uint32_t kLabelMagic = 0x00000801;
constexpr std::uint32_t kMaxSide = 4096;

std::uint32_t big_endian(const std::vector<std::uint8_t>& bytes, std::size_t field) {
  const std::uint8_t* p = bytes.data() + 4 * field;
  return (std::uint32_t{p[0]} << 24) | (std::uint32_t{p[1]} << 16) | (std::uint32_t{p[2]} << 8) |
         std::uint32_t{p[3]};
}

// Reads `fields` big-endian numbers, the first of which must be `magic`, the second a count.
std::vector<std::uint8_t> read_header(ByteSource& source, std::size_t fields, std::uint32_t magic,
                                      std::string_view kind) {
  auto header = source.read_exactly(4 * fields, fmt::format("the {} header", kind));
  if (big_endian(header, 0) != magic) {
    throw DataError(fmt::format("{}the magic number is 0x{:08x}; an IDX {} file has 0x{:08x}",
                                source.where(), big_endian(header, 0), kind, magic));
  }
  if (big_endian(header, 1) == 0)
    throw DataError(source.where() + "holds no " + std::string(kind) + "s");
  return header;
}

struct ImagesHeader {
  std::uint64_t count, rows, columns;
};

ImagesHeader read_images_header(ByteSource& source) {
  const auto header = read_header(source, 4, kImageMagic, "image");
  const ImagesHeader images{big_endian(header, 1), big_endian(header, 2), big_endian(header, 3)};
  if (images.rows == 0 || images.columns == 0 || images.rows > kMaxSide ||
      images.columns > kMaxSide) {
    throw DataError(fmt::format("{}images of {} x {} pixels; each side must be 1 to {}",
                                source.where(), images.rows, images.columns, kMaxSide));
  }
  return images;
}

void read_images(const fs::path& path, ImageSet& out) {
  ByteSource source(path);
  const auto [count, rows, columns] = read_images_header(source);
  const auto what = fmt::format("{} of {} x {} pixels",
                                counted(static_cast<std::int64_t>(count), "image"), rows, columns);
  out.channels = 1;
  out.height = static_cast<std::int64_t>(rows);
  out.width = static_cast<std::int64_t>(columns);
  out.pixels = source.read_exactly(count * rows * columns, what);
  source.expect_end(what);
}

void read_labels(const fs::path& path, std::size_t classes, std::vector<std::int32_t>& out) {
  ByteSource source(path);
  const std::uint32_t count = big_endian(read_header(source, 2, kLabelMagic, "label"), 1);
  const auto what = counted(static_cast<std::int64_t>(count), "label");
  const auto bytes = source.read_exactly(count, what);
  source.expect_end(what);
  const auto wrong = std::find_if(bytes.begin(), bytes.end(),
                                  [&](std::uint8_t label) { return label >= classes; });
  if (wrong != bytes.end()) {
    throw DataError(fmt::format("{}label {} of image {} is out of range; there are {} classes",
                                source.where(), *wrong, wrong - bytes.begin(), classes));
  }
  out.assign(bytes.begin(), bytes.end());
}

// Both spellings in use, each plain and compressed.
std::vector<std::string> spellings(const std::string& stem, const std::string& kind) {
  return {stem + "-" + kind, stem + "-" + kind + ".gz", stem + "." + kind,
          stem + "." + kind + ".gz"};
}

fs::path find_file(const fs::path& folder, const std::string& stem, const std::string& kind) {
  const auto names = spellings(stem, kind);
  if (auto path = find_first(folder, names)) return *path;
  throw DataError(
      fmt::format("'{}': none of {} is there", folder.string(), fmt::join(names, ", ")));
}

DatasetReader idx_reader(std::string name, std::string torchvision_folder,
                         std::vector<std::string> class_names) {
  DatasetReader reader;
  reader.name = std::move(name);
  reader.folders = {"", std::move(torchvision_folder)};
  reader.marker_files = spellings("train-images", "idx3-ubyte");
  reader.describe = [class_names](const DataOptions&) {
    return image_spec({1, 28, 28}, class_names);
  };
  reader.shape = [](const fs::path& folder) -> Shape {
    ByteSource source(find_file(folder, "train-images", "idx3-ubyte"));
    const ImagesHeader images = read_images_header(source);
    return {1, static_cast<std::int64_t>(images.rows), static_cast<std::int64_t>(images.columns)};
  };
  reader.read = [class_names = std::move(class_names)](const fs::path& folder, bool train) {
    const std::string prefix = train ? "train" : "t10k";
    const fs::path images = find_file(folder, prefix + "-images", "idx3-ubyte");
    const fs::path labels = find_file(folder, prefix + "-labels", "idx1-ubyte");
    return read_idx(images, labels, class_names);
  };
  return reader;
}

}  // namespace

ImageSet read_idx(const fs::path& images, const fs::path& labels,
                  std::vector<std::string> class_names) {
  ImageSet out;
  read_images(images, out);
  read_labels(labels, class_names.size(), out.labels);
  out.class_names = std::move(class_names);
  const auto count = static_cast<std::int64_t>(out.pixels.size()) / out.image_bytes();
  if (count != out.size()) {
    throw DataError(fmt::format("'{}' holds {}, but '{}' {}", images.string(),
                                counted(static_cast<std::int64_t>(count), "image"), labels.string(),
                                counted(std::ssize(out), "label")));
  }
  return out;
}

DatasetReader mnist_reader() {
  return idx_reader("mnist", "MNIST/raw", {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"});
}

DatasetReader fashion_mnist_reader() {
  auto reader = idx_reader("fashion_mnist", "FashionMNIST/raw",
                           {"t-shirt", "trouser", "pullover", "dress", "coat", "sandal", "shirt",
                            "sneaker", "bag", "ankle boot"});
  reader.package = "dataset-fashion-mnist";
  reader.package_root = "/usr/share/datasets/fashion-mnist";
  return reader;
}

}  // namespace tbn
