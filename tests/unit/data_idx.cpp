// IDX files: right ones in every spelling, and what each kind of wrong one is called.
#include <array>

#include "data/images/idx.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/idx_writer.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

const std::vector<std::string> kTen = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

// A folder with an image file "i" and a label file "l".
struct Pair {
  TempDir dir;
  Pair(std::string_view images, std::string_view labels) {
    write_file(dir / "i", images);
    write_file(dir / "l", labels);
  }
  ImageSet read() const { return read_idx(dir / "i", dir / "l", kTen); }
  std::string error() const {
    return message_of<DataError>([&] { read(); });
  }
  std::string at(std::string_view name) const { return "'" + (dir / name).string() + "': "; }
};

void check_samples(const ImageSet& set, std::uint32_t count, std::uint32_t rows,
                   std::uint32_t columns) {
  REQUIRE(set.size() == count);
  REQUIRE(set.channels == 1);
  REQUIRE(set.height == rows);
  REQUIRE(set.width == columns);
  std::size_t wrong = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    wrong += set.labels[i] != sample_label(i, 10);
    for (std::uint32_t k = 0; k < rows * columns; ++k) {
      wrong += set.pixels[i * rows * columns + k] != sample_pixel(i, k);
    }
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("an IDX pair gives every pixel and label, plain or gzip-compressed") {
  check_samples(Pair(idx_images(37, 5, 3), idx_labels(37)).read(), 37, 5, 3);
  check_samples(Pair(gzipped(idx_images(37, 5, 3)), gzipped(idx_labels(37))).read(), 37, 5, 3);
  check_samples(Pair(idx_images(37, 5, 3), gzipped(idx_labels(37))).read(), 37, 5, 3);
}

TEST_CASE("an IDX image file larger than one piece is read whole") {
  check_samples(Pair(gzipped(idx_images(1500, 28, 28)), idx_labels(1500)).read(), 1500, 28, 28);
}

TEST_CASE("an IDX reader finds both spellings and the compressed files") {
  for (const char* suffix : {"-idx?-ubyte", ".idx?-ubyte", "-idx?-ubyte.gz", ".idx?-ubyte.gz"}) {
    const TempDir dir;
    const auto name = [&](const std::string& stem, char dimensions) {
      std::string out = stem + suffix;
      out[out.find('?')] = dimensions;
      return dir / out;
    };
    const bool gz = std::string_view(suffix).ends_with(".gz");
    const auto bytes = [&](std::string text) { return gz ? gzipped(text) : text; };
    write_file(name("train-images", '3'), bytes(idx_images(4, 2, 2)));
    write_file(name("train-labels", '1'), bytes(idx_labels(4)));
    check_samples(mnist_reader().read(dir.path(), true), 4, 2, 2);
  }
}

TEST_CASE("a missing IDX file is named with the spellings that were tried") {
  const TempDir dir;
  CHECK(message_of<DataError>([&] { mnist_reader().read(dir.path(), false); }) ==
        "'" + dir.path().string() +
            "': none of t10k-images-idx3-ubyte, t10k-images-idx3-ubyte.gz, "
            "t10k-images.idx3-ubyte, t10k-images.idx3-ubyte.gz is there");
}

TEST_CASE("IDX files that are missing or no regular files are refused") {
  const TempDir dir;
  CHECK(message_of<DataError>([&] { read_idx(dir / "no", dir / "no", kTen); }) ==
        "'" + (dir / "no").string() + "': the file does not exist");
  CHECK(message_of<DataError>([&] { read_idx(dir.path(), dir.path(), kTen); }) ==
        "'" + dir.path().string() + "': is no regular file");
}

TEST_CASE("every truncation of an IDX image file is an error") {
  const std::string whole = idx_images(3, 4, 5);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Pair pair(std::string_view(whole).substr(0, size), idx_labels(3));
    INFO(size);
    CHECK(pair.error().starts_with(pair.at("i")));
  }
  const Pair pair(std::string_view(whole).substr(0, 70), idx_labels(3));
  CHECK(pair.error() ==
        pair.at("i") + "3 images of 4 x 5 pixels should take 60 bytes, but the file holds only 54");
}

TEST_CASE("every truncation of a compressed IDX file is an error") {
  const std::string whole = gzipped(idx_labels(40));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const Pair pair(idx_images(40, 2, 2), std::string_view(whole).substr(0, size));
    INFO(size);
    CHECK(pair.error().starts_with(pair.at("l")));
  }
}

TEST_CASE("a flipped bit of a compressed IDX file never passes for other data") {
  // A few bits say nothing about the data: the header's time and system, the padding of the end.
  const std::string whole = gzipped(idx_labels(40));
  std::size_t errors = 0;
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string bytes = whole;
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
    const Pair pair(idx_images(40, 2, 2), bytes);
    INFO("bit " << bit);
    try {
      check_samples(pair.read(), 40, 2, 2);
    } catch (const DataError& error) {
      CHECK(std::string_view(error.what()).starts_with(pair.at("l")));
      ++errors;
    }
  }
  CHECK(errors >= 8 * (whole.size() - 8));
}

TEST_CASE("bytes after the promised ones are an error") {
  const Pair images(idx_images(3, 4, 5) + "x", idx_labels(3));
  CHECK(images.error() ==
        images.at("i") + "has more bytes after 3 images of 4 x 5 pixels than its header promises");
  const Pair labels(idx_images(3, 4, 5), gzipped(idx_labels(3) + "xyz"));
  CHECK(labels.error() ==
        labels.at("l") + "has more bytes after 3 labels than its header promises");
}

TEST_CASE("a foreign magic number is named beside the right one") {
  const Pair swapped(idx_labels(30), idx_labels(30));
  CHECK(swapped.error() ==
        swapped.at("i") + "the magic number is 0x00000801; an IDX image file has 0x00000803");
  const Pair labels(idx_images(2, 2, 2), idx_images(2, 2, 2));
  CHECK(labels.error() ==
        labels.at("l") + "the magic number is 0x00000803; an IDX label file has 0x00000801");
}

TEST_CASE("a header that promises more than the file can hold allocates nothing") {
  const std::string huge =
      big_endian(0x803) + big_endian(1U << 31) + big_endian(28) + big_endian(28);
  const Pair plain(huge + std::string(784, '\0'), idx_labels(1));
  CHECK(plain.error() ==
        plain.at("i") +
            "2,147,483,648 images of 28 x 28 pixels would take 1683627180032 bytes; "
            "the limit is 4294967296");
  const std::string large =
      big_endian(0x803) + big_endian(1U << 21) + big_endian(28) + big_endian(28);
  const Pair compressed(gzipped(large + std::string(784, '\0')), idx_labels(1));
  CHECK(compressed.error().find("should take 1644167168 bytes, but the file holds at most ") !=
        std::string::npos);
}

TEST_CASE("a compressed file that expands far beyond its header is left after one byte more") {
  const Pair bomb(gzipped(idx_images(1, 2, 2) + std::string(std::size_t{1} << 26, '\0')),
                  idx_labels(1));
  CHECK(bomb.error() ==
        bomb.at("i") + "has more bytes after 1 image of 2 x 2 pixels than its header promises");
}

TEST_CASE("IDX sides of zero or beyond the limit are refused") {
  for (const auto& [rows, columns] : {std::array{0U, 28U}, {28U, 0U}, {4097U, 1U}, {1U, 4097U}}) {
    const Pair pair(big_endian(0x803) + big_endian(1) + big_endian(rows) + big_endian(columns),
                    idx_labels(1));
    CHECK(pair.error() == pair.at("i") + "images of " + std::to_string(rows) + " x " +
                              std::to_string(columns) + " pixels; each side must be 1 to 4096");
  }
}

TEST_CASE("an IDX file without images is refused") {
  const Pair pair(idx_images(0, 28, 28), idx_labels(0));
  CHECK(pair.error() == pair.at("i") + "holds no images");
}

TEST_CASE("a label beyond the classes is named with its image") {
  std::string labels = idx_labels(5);
  labels[8 + 3] = 10;
  const Pair pair(idx_images(5, 2, 2), labels);
  CHECK(pair.error() == pair.at("l") + "label 10 of image 3 is out of range; there are 10 classes");
}

TEST_CASE("image and label counts must be equal") {
  const Pair pair(idx_images(5, 2, 2), idx_labels(4));
  CHECK(pair.error() == "'" + (pair.dir / "i").string() + "' holds 5 images, but '" +
                            (pair.dir / "l").string() + "' 4 labels");
}
