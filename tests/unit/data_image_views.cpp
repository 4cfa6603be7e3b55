// Folders of pictures: the views that evaluation and training see, on any number of threads.
#include "data/images/fixed_view.h"
#include "data/images/image_folder.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "data/images/image_window.h"
#include "prepare/resize.h"
#include "support/catch.h"
#include "support/image_folder.h"

using namespace tbn;
using namespace tbn::test;

TEST_CASE("PNGs are read, under their own name and under that of a JPEG") {
  const TempDir dir;
  // 2 x 2 pixels: (1, 2, 3), (250, 128, 0), (9, 9, 9), (77, 66, 55).
  const unsigned char png[] = {
      0x89, 'P',  'N',  'G',  0x0d, 0x0a, 0x1a, 0x0a, 0,    0,    0,    0x0d, 'I',  'H',
      'D',  'R',  0,    0,    0,    2,    0,    0,    0,    2,    8,    2,    0,    0,
      0,    0xfd, 0xd4, 0x9a, 0x73, 0,    0,    0,    0x16, 'I',  'D',  'A',  'T',  0x78,
      0xda, 0x63, 0x60, 0x64, 0x62, 0xfe, 0xd5, 0xc0, 0xc0, 0xc0, 0xc9, 0xc9, 0xe9, 0xeb,
      0x64, 0x0e, 0,    0x10, 0xc1, 0x02, 0x62, 0x59, 0x94, 0x45, 0xbb, 0,    0,    0,
      0,    'I',  'E',  'N',  'D',  0xae, 0x42, 0x60, 0x82};
  const std::string bytes(reinterpret_cast<const char*>(png), sizeof png);
  write_file(dir / "val/a/x.JPEG", bytes);
  write_file(dir / "val/a/y.png", bytes);
  auto options = small_options();
  const auto test = reader_of("image_folder").open(dir.path(), options, {.train = false}).test;
  REQUIRE(test->size() == 2);
  for (int index = 0; index < 2; ++index) {
    const Bytes seen = read_sample(*test, index).bytes;
    CHECK(seen[0] == 1);         // red, top left
    CHECK(seen[7] == 250);       // top right
    CHECK(seen[64 + 63] == 66);  // green, bottom right
  }
}

TEST_CASE("evaluation decodes large JPEGs exactly, training at a reduced size, unless told") {
  const TempDir dir;
  auto pixels = gradient_pixels(256, 256);
  CounterRng rng(7);
  for (auto& value : pixels) value = static_cast<std::uint8_t>((value + rng.below(128)) / 2);
  write_file(dir / "a/x.jpg", jpeg_bytes(pixels, 256, 256, 95));
  auto options = small_options();
  options.folder.image_size = options.folder.resize = 24;
  options.folder.crop_min_area = 1;
  const auto view = [&](Decode decode, bool augment) {
    options.folder.decode = decode;
    const FolderImages data(dir.path(), {.files = {{"a/x.jpg", 0}}}, {"a"}, options);
    return read_sample(data, 0, {.augment = augment}).bytes;
  };
  const Bytes exact = view(Decode::kExact, false);
  const Bytes reduced = view(Decode::kReduce, false);
  CHECK(exact != reduced);
  CHECK(view(Decode::kAuto, false) == exact);
  CHECK(view(Decode::kAuto, true) == reduced);
  CHECK(view(Decode::kExact, true) == exact);
  // The reference: all of the image at its own size, then resized once.
  const std::string file = read_file(dir / "a/x.jpg");
  const Bytes stored(file.begin(), file.end());
  const RgbImage image = JpegDecoder(stored, "x").decode(1);
  Bytes expected(3 * 24 * 24);
  resize_to_planes(image.pixels.get(), 256, {.bottom = 256, .right = 256}, {0, 0, 256, 256}, 24, 24,
                   expected.data());
  CHECK(exact == expected);
}

TEST_CASE("the evaluation view is the centre of the resized image") {
  const TempDir dir;
  const auto jpeg = jpeg_bytes(gradient_pixels(45, 60), 45, 60, 95);
  write_file(dir / "train/a/x.jpg", jpeg);
  auto options = small_options();
  options.folder.image_size = 24;
  options.folder.resize = 30;
  const FolderImages data(dir / "train", {.files = {{"a/x.jpg", 0}}}, {"a"}, options);
  const Bytes got = read_sample(data, 0).bytes;
  // All of it to 30 x 40, then rows 3 .. 26 and columns 8 .. 31.
  const Bytes stored(jpeg.begin(), jpeg.end());
  const RgbImage image = JpegDecoder(stored, "x").decode(1);
  Bytes all(3 * 30 * 40);
  resize_to_planes(image.pixels.get(), 60, {.bottom = 45, .right = 60}, {0, 0, 45, 60}, 30, 40,
                   all.data());
  int wrong = 0;
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t y = 0; y < 24; ++y) {
      for (std::size_t x = 0; x < 24; ++x) {
        wrong += std::abs(got[(c * 24 + y) * 24 + x] - all[(c * 30 + y + 3) * 40 + x + 8]) > 1;
      }
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("training views are windows of the image, other ones each epoch, the same for a seed") {
  const TempDir dir;
  write_file(dir / "a/x.jpg", jpeg_bytes(gradient_pixels(120, 160), 120, 160, 95));
  auto options = small_options();
  options.folder.crop_min_area = 0.25;
  const FolderImages data(dir.path(), {.files = {{"a/x.jpg", 0}}}, {"a"}, options);
  const auto view = [&](std::uint64_t seed, std::int64_t epoch) {
    return read_sample(data, 0, {.augment = true, .seed = seed, .epoch = epoch}).bytes;
  };
  CHECK(view(1, 0) == view(1, 0));
  CHECK(view(1, 0) != view(1, 1));
  CHECK(view(1, 0) != view(2, 0));
  int wrong = 0;
  for (std::int64_t epoch = 0; epoch < 50; ++epoch) {
    CounterRng rng(1, RngUse::kSample, static_cast<std::uint64_t>(epoch), 0);
    const ResizeBox box = random_window(120, 160, 0.25, rng);
    const Bytes got = view(1, epoch);
    for (int i = 0; i < 64; ++i) {
      // Red is the column and green the row, in units of 255 / size.
      const double column = box.left + (i % 8 + 0.5) * box.width / 8 - 0.5;
      const double row = box.top + (i / 8 + 0.5) * box.height / 8 - 0.5;
      wrong += std::abs(got[static_cast<std::size_t>(i)] - column * 255 / 160) > 5;
      wrong += std::abs(got[static_cast<std::size_t>(64 + i)] - row * 255 / 120) > 5;
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("augmentations apply to training views alone") {
  Folder folder;
  auto options = small_options();
  options.augment.cutout = 4;
  const DataSplits splits = folder.open(options);
  const auto trained = read_sample(*splits.train, 0, {.augment = true, .seed = 1}).bytes;
  CHECK(std::count(trained.begin(), trained.end(), 128) >= 3 * 4);
  const auto plain = read_sample(*splits.train, 0).bytes;
  CHECK(std::count(plain.begin(), plain.end(), 128) == 0);
}

TEST_CASE("any number of threads reads the same views") {
  const TempDir dir;
  ImageListing listing;
  for (int i = 0; i < 12; ++i) {
    const auto size = static_cast<unsigned>(20 + 5 * i);
    const std::string name = std::to_string(i) + ".jpg";
    write_file(dir / name,
               jpeg_bytes(gradient_pixels(size, 60), size, 60, 90, {.progressive = i % 2 == 0}));
    listing.files.push_back({name, i % 3});
  }
  auto options = small_options();
  options.augment = {.crop_padding = 1, .flip = true, .randaugment = 2, .cutout = 3};
  const FolderImages data(dir.path(), listing, {"a", "b", "c"}, options);
  const auto read_all = [&] {
    std::vector<Bytes> all;
    for (int i = 0; i < 120; ++i) {
      all.push_back(read_sample(data, i % 12, {.augment = true, .seed = 3, .epoch = i / 12}).bytes);
    }
    return all;
  };
  const auto expected = read_all();
  std::vector<std::vector<Bytes>> got(4);
  std::vector<std::thread> threads;
  for (auto& all : got) threads.emplace_back([&] { all = read_all(); });
  for (auto& thread : threads) thread.join();
  for (const auto& all : got) CHECK(all == expected);
}

TEST_CASE("Tiny-ImageNet's images are seen whole at their own size") {
  const TempDir dir;
  const auto jpeg = jpeg_bytes(gradient_pixels(64, 64), 64, 64, 95);
  write_file(dir / "train/c1000/images/a.JPEG", jpeg);
  write_file(dir / "val/c1000/a.JPEG", jpeg);
  for (int c = 1001; c < 1200; ++c) {  // links are as good as folders
    for (const std::string split : {"train/", "val/"}) {
      std::filesystem::create_directory_symlink("c1000", dir / (split + "c" + std::to_string(c)));
    }
  }
  DataOptions options{.name = "tiny_imagenet"};
  options.folder.image_size = 64;
  options.folder.resize = 256;  // what runs recorded when it was the default
  const DataSplits splits = reader_of("tiny_imagenet").open(dir.path(), options, {});
  REQUIRE(splits.test->size() == 200);
  const Bytes got = read_sample(*splits.test, 3).bytes;
  const Bytes stored(jpeg.begin(), jpeg.end());
  const RgbImage image = JpegDecoder(stored, "x").decode(1);
  int wrong = 0;
  for (std::size_t i = 0; i < 3 * 64 * 64; ++i) {
    wrong += got[i] != image.pixels[i % 4096 * 3 + i / 4096];
  }
  CHECK(wrong == 0);
}

TEST_CASE("without data.resize the shorter side follows the size of the crop") {
  struct Case {
    std::int64_t image_size, resize, expected;
  };
  for (const auto& [image_size, resize, expected] :
       {Case{224, 0, 256}, Case{32, 0, 37}, Case{64, 0, 73}, Case{8, 0, 9}, Case{299, 0, 342},
        Case{4096, 0, 4096}, Case{32, 256, 256}, Case{64, 72, 72}}) {
    FolderOptions options;
    options.image_size = image_size;
    options.resize = resize;
    CHECK(evaluation_resize(options) == expected);
  }
}

TEST_CASE("evaluation sees seven eighths of each side at any size of the crop") {
  const TempDir dir;
  // Red is the column and green the row, in units of 255 / size.
  write_file(dir / "val/a/x.jpg", jpeg_bytes(gradient_pixels(256, 256), 256, 256, 95));
  for (const std::int64_t side : {32, 64, 224}) {
    DataOptions options{.name = "image_folder"};
    options.folder.image_size = side;
    const auto test = reader_of("image_folder").open(dir.path(), options, {.train = false}).test;
    const Bytes seen = read_sample(*test, 0).bytes;
    CHECK(std::abs(seen[0] - 16) <= 12);
    CHECK(std::abs(seen[static_cast<std::size_t>(side - 1)] - 239) <= 12);
  }
}
