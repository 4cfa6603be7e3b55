// The inputs that a data set reads and those that its rule makes of the same picture, cloud or
// rows: equal to the bit, for every kind of data.
#include <cmath>
#include <set>

#include "data/images/picture.h"
#include "data/registry.h"
#include "data/series/csv_table.h"
#include "prepare/inputs.h"
#include "support/catch.h"
#include "support/exif_writer.h"
#include "support/idx_writer.h"
#include "support/jpeg_writer.h"
#include "support/temp_dir.h"

using namespace tbn;
using namespace tbn::test;

namespace {

DataSplits test_split(const DataOptions& options) {
  return load_data(options, {.train = false, .test = true});
}

std::vector<std::uint8_t> bytes_of(const Dataset& data, std::int64_t index) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(element_count(data.spec().input)));
  std::int64_t label = 0;
  REQUIRE(data.read(index, {}, {.bytes = bytes.data(), .labels = &label}));
  return bytes;
}

std::vector<float> values_of(const Dataset& data, std::int64_t index) {
  std::vector<float> values(static_cast<std::size_t>(element_count(data.spec().input)));
  std::vector<std::int64_t> labels(static_cast<std::size_t>(data.spec().labels()));
  REQUIRE(data.read(index, {}, {.values = values.data(), .labels = labels.data()}));
  return values;
}

// Points on a spiral, every value another.
std::vector<float> cloud(int points, int columns) {
  std::vector<float> values;
  for (int i = 0; i < points; ++i) {
    for (int c = 0; c < columns; ++c) {
      values.push_back(static_cast<float>(std::round(1000 * std::sin(0.37 * i + 1.1 * c)) / 64));
    }
  }
  return values;
}

// One line per point, with the label where there is one.
std::string cloud_text(const std::vector<float>& values, const std::string& between,
                       const std::string& label = "") {
  std::string text;
  for (std::size_t i = 0; i < values.size(); i += 6) {
    for (std::size_t c = 0; c < 6; ++c) {
      text += (c > 0 ? between : "") + std::to_string(values[i + c]);
    }
    text += (label.empty() ? "" : between + label) + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("a rule makes of a picture the input that its folder reads") {
  const TempDir dir;
  struct Size {
    unsigned height, width;
  };
  const std::vector<Size> sizes = {{40, 40}, {31, 77}, {90, 33}, {24, 24}};
  std::vector<std::string> jpegs;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const auto [height, width] = sizes[i];
    jpegs.push_back(jpeg_bytes(gradient_pixels(height, width), height, width, 90));
    write_file(dir / ("test/a/" + std::to_string(i) + ".jpg"), jpegs.back());
    write_file(dir / ("train/a/" + std::to_string(i) + ".jpg"), jpegs.back());
  }
  for (const std::int64_t resize : {24, 29, 0}) {
    DataOptions options;
    options.name = "image_folder";
    options.root = dir.path();
    options.folder.image_size = 24;
    options.folder.resize = resize;
    const DataSplits splits = test_split(options);
    for (std::size_t i = 0; i < jpegs.size(); ++i) {
      const std::span<const std::uint8_t> file(
          reinterpret_cast<const std::uint8_t*>(jpegs[i].data()), jpegs[i].size());
      PictureDecoder decoder(file, "a picture");
      const RgbImage image = decoder.decode(1);
      std::vector<std::uint8_t> input(3 * 24 * 24);
      prepare_image(splits.rule, {3, 24, 24},
                    {.pixels = image.pixels.get(), .height = image.height, .width = image.width},
                    input);
      CHECK(input == bytes_of(*splits.test, static_cast<std::int64_t>(i)));
    }
  }
}

TEST_CASE("photos are turned upright where the settings say so, and else taken as stored") {
  const TempDir dir;
  const unsigned height = 37, width = 61;
  const std::string jpeg = jpeg_bytes(gradient_pixels(height, width), height, width, 90);
  const auto decoded = [&](int exif) {
    const std::string photo =
        with_app1(jpeg, exif_data(static_cast<std::uint32_t>(exif), exif % 2 == 0));
    write_file(dir / ("test/a/" + std::to_string(exif) + ".jpg"), photo);
    write_file(dir / ("train/a/" + std::to_string(exif) + ".jpg"), photo);
    PictureDecoder decoder({reinterpret_cast<const std::uint8_t*>(photo.data()), photo.size()},
                           "p");
    return decoder.decode(1);
  };
  std::vector<RgbImage> stored;
  for (int exif = 1; exif <= 8; ++exif) stored.push_back(decoded(exif));
  for (const bool turn : {false, true}) {
    for (const Decode decode : {Decode::kExact, Decode::kReduce}) {
      DataOptions options;
      options.name = "image_folder";
      options.root = dir.path();
      options.folder = {.image_size = 24, .resize = 26, .decode = decode, .turn = turn};
      const DataSplits splits = test_split(options);
      std::set<std::vector<std::uint8_t>> views;
      for (int exif = 1; exif <= 8; ++exif) {
        const RgbImage& image = stored[static_cast<std::size_t>(exif - 1)];
        std::vector<std::uint8_t> input(3 * 24 * 24);
        prepare_image(splits.rule, {3, 24, 24},
                      {.pixels = image.pixels.get(),
                       .height = image.height,
                       .width = image.width,
                       .exif = exif},
                      input);
        CHECK(input == bytes_of(*splits.test, exif - 1));
        views.insert(std::move(input));
      }
      CHECK(views.size() == (turn ? 8u : 1u));
    }
  }
}

TEST_CASE("a rule makes of stored digits the digits") {
  const TempDir dir;
  write_idx_dataset(dir.path(), 12, 5, 6);
  DataOptions options;
  options.name = "mnist";
  options.root = dir.path();
  const DataSplits splits = test_split(options);
  for (std::int64_t i = 0; i < 5; ++i) {
    const std::vector<std::uint8_t> stored = bytes_of(*splits.test, i);
    std::vector<std::uint8_t> input(36);
    prepare_image(splits.rule, {1, 6, 6},
                  {.pixels = stored.data(), .height = 6, .width = 6, .channels = 1}, input);
    CHECK(input == stored);
    CHECK(input[7] == sample_pixel(static_cast<std::uint32_t>(i), 7, 1));
  }
}

TEST_CASE("a rule makes of a cloud the points that its set reads") {
  const TempDir dir;
  const std::vector<float> values = cloud(50, 6);
  for (const char* split : {"train", "test"}) {
    write_file(dir / (std::string("m/modelnet40_") + split + ".txt"), "bed_0001\n");
    write_file(dir / (std::string("s/train_test_split/shuffled_") + split + "_file_list.json"),
               "[\"shape_data/03797390/b7\"]");
  }
  write_file(dir / "m/bed/bed_0001.txt", cloud_text(values, ","));
  write_file(dir / "s/synsetoffset2category.txt", "Mug\t03797390\n");
  write_file(dir / "s/03797390/b7.txt", cloud_text(values, " ", "37.000000"));
  // What the text says, which has six digits.
  std::vector<float> read;
  for (const float value : values) read.push_back(std::stof(std::to_string(value)));
  for (const bool normals : {false, true}) {
    const int columns = normals ? 6 : 3;
    std::vector<float> given;
    for (std::size_t i = 0; i < read.size(); i += 6) {
      given.insert(given.end(), read.begin() + static_cast<std::ptrdiff_t>(i),
                   read.begin() + static_cast<std::ptrdiff_t>(i) + columns);
    }
    for (const std::int64_t count : {20, 50, 64}) {
      for (const bool parts : {false, true}) {
        DataOptions options;
        options.name = parts ? "shapenet_part" : "modelnet40";
        options.root = dir / (parts ? "s" : "m");
        options.points.count = count;
        options.points.normals = normals;
        const DataSplits splits = test_split(options);
        const Shape& shape = splits.test->spec().input;
        std::vector<float> input(static_cast<std::size_t>(element_count(shape)));
        const std::int64_t mug = 11;  // of the 16 categories
        prepare_points(splits.rule, shape, given, parts ? mug : 0, input);
        CHECK(input == values_of(*splits.test, 0));
      }
    }
  }
}

TEST_CASE("a rule makes of rows the window that its series reads") {
  const TempDir dir;
  std::string text = "a,b\n";
  for (int i = 0; i < 200; ++i) {
    text += std::to_string(50000 + i * i % 37) + "," + std::to_string(i * 7 % 11 / 8.0) + "\n";
  }
  write_file(dir / "s.csv", text);
  DataOptions options;
  options.name = "csv";
  options.root = dir / "s.csv";
  options.series.window = 8;
  options.series.horizon = 4;
  const DataSplits splits = test_split(options);
  const CsvTable table = read_csv(options.root, OnError::kStop);
  std::vector<float> window(16), targets(8), input(16);
  REQUIRE(splits.test->read(3, {}, {.values = window.data(), .targets = targets.data()}));
  // Test rows are the last 40, before which a window begins 8 earlier.
  const std::span<const double> rows(table.values);
  prepare_rows(splits.rule, {8, 2}, rows.subspan(2 * (160 - 8 + 3), 16), {}, input);
  CHECK(input == window);
}
