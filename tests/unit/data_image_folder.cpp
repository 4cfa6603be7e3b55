// Folders of JPEGs: both layouts, views, what a wrong folder says, damaged files, threads.
#include "data/images/image_folder.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <thread>

#include "data/images/image_window.h"
#include "data/images/jpeg.h"
#include "prepare/resize.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/jpeg_writer.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

using Bytes = std::vector<std::uint8_t>;

std::string flat_jpeg(int grey, unsigned side = 16) {
  const Bytes color{static_cast<std::uint8_t>(grey)};
  return jpeg_bytes(flat_pixels(side * side, color), side, side, 100, {.from = JCS_GRAYSCALE});
}

DatasetReader reader_of(std::string_view name) {
  for (auto& reader : image_folder_readers()) {
    if (reader.name == name) return reader;
  }
  throw std::runtime_error("no reader " + std::string(name));
}

DataOptions small_options(std::string name = "image_folder") {
  DataOptions options{.name = std::move(name)};
  options.folder.image_size = 8;
  options.folder.resize = 8;
  return options;
}

// Two classes; the images of split s, class c are flat with the grey 20 + 100 s + 40 c + their
// number.
struct Folder {
  TempDir dir;

  Folder() {
    for (int split = 0; split < 2; ++split) {
      const std::string top = split == 0 ? "train" : "val";
      for (int c = 0; c < 2; ++c) {
        for (int i = 0; i < 3; ++i) {
          const std::string ending = i == 0 ? "JPEG" : i == 1 ? "jpg" : "JpEg";
          write_file(
              dir / (top + (c == 0 ? "/ant/" : "/bee/") + "i" + std::to_string(i) + "." + ending),
              flat_jpeg(20 + 100 * split + 40 * c + i));
        }
      }
    }
  }
  DataSplits open(const DataOptions& options = small_options(), const SplitRequest& request = {}) {
    return reader_of("image_folder").open(dir.path(), options, request);
  }
  std::string error(const DataOptions& options = small_options()) {
    return message_of<DataError>([&] { open(options); });
  }
  std::string quoted(std::string_view name) const { return "'" + (dir / name).string() + "'"; }
};

struct Sample {
  bool whole = false;
  std::int64_t label = -1;
  Bytes bytes;
};

Sample read_sample(const Dataset& data, std::int64_t index, const ReadContext& context = {}) {
  Sample sample;
  sample.bytes.resize(static_cast<std::size_t>(element_count(data.spec().input)));
  sample.whole = data.read(index, context, {.bytes = sample.bytes.data(), .labels = &sample.label});
  return sample;
}

}  // namespace

TEST_CASE("an image folder is read class by class in the order of the names") {
  Folder folder;
  write_file(folder.dir / "train/.DS_Store", "x");
  write_file(folder.dir / "train/ant/.hidden", "x");
  write_file(folder.dir / "train/README.txt", "x");
  const DataSplits splits = folder.open();
  REQUIRE(splits.train->size() == 6);
  REQUIRE(splits.test->size() == 6);
  CHECK(splits.validation == nullptr);
  CHECK(splits.train->spec().input == Shape{3, 8, 8});
  CHECK(splits.train->spec().bytes);
  CHECK(splits.train->spec().class_names == std::vector<std::string>{"ant", "bee"});
  CHECK(splits.statistics->mean[0] == Approx(0.485 * 255));
  CHECK(splits.statistics->deviation[2] == Approx(0.225 * 255));
  for (int split = 0; split < 2; ++split) {
    for (int index = 0; index < 6; ++index) {
      const auto sample = read_sample(split == 0 ? *splits.train : *splits.test, index);
      CHECK(sample.whole);
      CHECK(sample.label == index / 3);
      const int grey = 20 + 100 * split + 40 * (index / 3) + index % 3;
      CHECK(std::all_of(sample.bytes.begin(), sample.bytes.end(),
                        [&](std::uint8_t v) { return std::abs(v - grey) <= 1; }));
    }
  }
}

TEST_CASE("only the split that is asked for is read, with the classes of the training folder") {
  Folder folder;
  std::filesystem::remove(folder.dir / "train/ant/i0.JPEG");
  write_file(folder.dir / "train/bee/wrong.png", "x");
  const DataSplits splits = folder.open(small_options(), {.train = false, .test = true});
  CHECK(splits.train == nullptr);
  CHECK(splits.test->size() == 6);
  std::filesystem::remove_all(folder.dir / "train");
  CHECK(folder.open(small_options(), {.train = false, .test = true}).test->size() == 6);
}

TEST_CASE("an image folder with val and test validates on val") {
  Folder folder;
  for (const char* name : {"ant", "bee"}) {
    write_file(folder.dir / (std::string("test/") + name + "/x.jpg"), flat_jpeg(9));
  }
  const DataSplits splits = folder.open();
  CHECK(splits.validation->size() == 6);
  CHECK(splits.test->size() == 2);
}

TEST_CASE("both splits must have the same classes") {
  Folder folder;
  write_file(folder.dir / "val/cow/i.jpg", flat_jpeg(1));
  CHECK(folder.error() == folder.quoted("val/cow") + ": is a class that " + folder.quoted("train") +
                              " does not have; both must have the same");
  write_file(folder.dir / "val/dog/i.jpg", flat_jpeg(1));
  CHECK(says(folder.error(), {"does not have (and 1 more); both"}));
  std::filesystem::remove_all(folder.dir / "val/cow");
  std::filesystem::remove_all(folder.dir / "val/dog");
  std::filesystem::remove_all(folder.dir / "val/ant");
  CHECK(says(folder.error(), {folder.quoted("train/ant"), "that " + folder.quoted("val")}));
}

TEST_CASE("a wrong number of classes is named, as is a folder without any") {
  Folder folder;
  auto options = small_options();
  options.folder.classes = 3;
  CHECK(folder.error(options) ==
        folder.quoted("train") + ": 2 class folders, where data.classes says 3");
  CHECK(message_of<DataError>([&] {
          reader_of("imagenet").open(folder.dir.path(), small_options("imagenet"), {});
        }) == folder.quoted("train") + ": 2 class folders, where imagenet has 1000");
  std::filesystem::remove_all(folder.dir / "train/ant");
  std::filesystem::remove_all(folder.dir / "train/bee");
  write_file(folder.dir / "train/loose.jpg", flat_jpeg(1));
  CHECK(says(folder.error(), {folder.quoted("train"), "holds no class folders"}));
  std::filesystem::remove_all(folder.dir / "train");
  CHECK(folder.error() == folder.quoted("train") + ": the folder is not there");
}

TEST_CASE("a file that is no image stops, or is passed over and counted") {
  Folder folder;
  write_file(folder.dir / "train/bee/notes.txt", "x");
  std::filesystem::create_directory(folder.dir / "train/bee/more");
  auto options = small_options();
  CHECK(folder.error() == folder.quoted("train/bee/more") +
                              ": is no .jpg, .jpeg or .png file, which is all that a class folder "
                              "may hold; remove it, or set data.on_error to skip");
  options.on_error = OnError::kSkip;
  const DataSplits splits = folder.open(options);
  CHECK(splits.train->size() == 6);
  CHECK(splits.train->skips().ignored == 2);
  CHECK(skip_text(splits.train->skips(), "training") ==
        "training: 2 entries of class folders are no pictures and are passed over: 'bee/more', "
        "'bee/notes.txt'");
  CHECK(skip_text(splits.test->skips(), "test").empty());
  for (const char* name : {"i0.JPEG", "i1.jpg", "i2.JpEg"}) {
    std::filesystem::remove(folder.dir / (std::string("train/bee/") + name));
  }
  CHECK(folder.error(options) ==
        folder.quoted("train/bee") + ": holds no .jpg, .jpeg or .png file");
}

TEST_CASE("a damaged image stops with its name, or is skipped and counted") {
  Folder folder;
  const std::string whole = flat_jpeg(50);
  write_file(folder.dir / "train/ant/i1.jpg", whole.substr(0, whole.size() - 5));
  write_file(folder.dir / "train/bee/i0.JPEG", "");
  std::string huge = whole;
  set_jpeg_size(huge, 65500, 65500);
  write_file(folder.dir / "train/bee/i1.jpg", huge);
  std::filesystem::remove(folder.dir / "train/bee/i2.JpEg");
  std::filesystem::create_directory(folder.dir / "train/bee/i2.JpEg");
  const DataSplits stop = folder.open();
  const auto message = [&](std::int64_t index) {
    return message_of<DataError>([&] { read_sample(*stop.train, index); });
  };
  CHECK(says(message(1), {folder.quoted("train/ant/i1.jpg"), "cannot be decoded as JPEG ("}));
  CHECK(message(3) == folder.quoted("train/bee/i0.JPEG") + ": is empty");
  CHECK(says(message(4), {folder.quoted("train/bee/i1.jpg"), "65500 x 65500", "64000000"}));
  CHECK(message(5) == folder.quoted("train/bee/i2.JpEg") + ": is no regular file");
  auto options = small_options();
  options.on_error = OnError::kSkip;
  options.skip_most = 0.7;
  const DataSplits skip = folder.open(options);
  for (int index = 0; index < 6; ++index) {
    CHECK(read_sample(*skip.train, index).whole == (index == 0 || index == 2));
  }
  for (int again = 0; again < 3; ++again) CHECK_FALSE(read_sample(*skip.train, 1).whole);
  CHECK(skip.train->skips().skipped == 4);
  CHECK(skip.train->skips().samples == 6);
  CHECK(says(skip_text(skip.train->skips(), "training"),
             {"training: 4 of 6 samples cannot be read and are skipped: '", "i1.jpg': cannot be",
              "i0.JPEG': is empty; '", "i2.JpEg': is no regular file"}));
}

TEST_CASE("pictures of a kind that is not read keep their places, and count as unread") {
  Folder folder;
  write_file(folder.dir / "train/ant/a.webp", "x");
  write_file(folder.dir / "train/bee/z.BMP", "x");
  CHECK(says(folder.error(), {folder.quoted("train/ant/a.webp"), "set data.on_error to skip"}));
  auto options = small_options();
  options.on_error = OnError::kSkip;
  options.skip_most = 0.25;
  const DataSplits splits = folder.open(options);
  REQUIRE(splits.train->size() == 8);
  CHECK(splits.train->skips().skipped == 2);
  for (int index = 0; index < 8; ++index) {
    CHECK(read_sample(*splits.train, index).whole == (index != 0 && index != 7));
  }
  CHECK(splits.train->identity(7) == "bee/z.BMP");
  // Known from the names alone, so that nothing is trained before it is said.
  options.skip_most = 0.2;
  CHECK(
      folder.error(options) ==
      "2 of 8 samples cannot be read, more than the 20 % that data.skip_most allows; the first: " +
          folder.quoted("train/ant/a.webp") +
          ": pictures of this kind are not read, only JPEG and PNG; repair or remove them, or "
          "raise data.skip_most");
}

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

TEST_CASE("Tiny-ImageNet's layout is read with its table of validation labels") {
  const TempDir dir;
  for (const char* name : {"n02", "n01"}) {
    write_file(dir / ("train/" + std::string(name) + "/images/a.JPEG"), flat_jpeg(60));
    write_file(dir / ("train/" + std::string(name) + "/" + name + "_boxes.txt"), "a.JPEG\t0\t0\n");
  }
  for (const char* name : {"val_0", "val_1", "val_10"}) {
    write_file(dir / ("val/images/" + std::string(name) + ".JPEG"), flat_jpeg(60));
  }
  const std::string good =
      "val_0.JPEG\tn02\t0\t32\t44\t62\r\nval_10.JPEG\tn01\t1\t1\t2\t2\nval_1.JPEG\tn02";
  const auto table = dir / "val/val_annotations.txt";
  const std::string where = "'" + table.string() + "'";
  const auto open = [&](const std::string& text) {
    write_file(table, text);
    return reader_of("image_folder").open(dir.path(), small_options(), {});
  };
  const DataSplits splits = open(good);
  CHECK(splits.train->size() == 2);
  REQUIRE(splits.test->size() == 3);  // sorted by name: val_0, val_1, val_10
  for (const int index : {0, 1, 2}) {
    CHECK(read_sample(*splits.test, index).label == (index == 2 ? 0 : 1));
  }
  const auto error = [&](const std::string& text) {
    return message_of<DataError>([&] { open(text); });
  };
  CHECK(error(good + "\nval_2.JPEG\tn03\n") ==
        where + " line 4: there is no class 'n03' among the 2 training folders");
  CHECK(error("val_0.JPEG n02\n") == where + " line 1: has no tab between an image and its class");
  CHECK(error(good + "\nval_0.JPEG\tn01\n") ==
        where + " line 4: image 'val_0.JPEG' appears a second time");
  CHECK(error(good + "\nval_3.JPEG\tn01\n") ==
        where + ": image 'val_3.JPEG' is not in '" + (dir / "val/images").string() + "'");
  CHECK(error(good.substr(0, good.rfind('\n'))) ==
        "'" + (dir / "val/images/val_1.JPEG").string() + "': has no line in " + where);
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

TEST_CASE("an image folder is described without reading an image") {
  const auto classes = [](std::string name) {
    const auto spec = reader_of(name).describe(DataOptions{.name = name});
    CHECK(spec.input == Shape{3, 224, 224});
    CHECK(spec.task.output == Shape{spec.classes()});
    return spec.classes();
  };
  CHECK(classes("imagenet") == 1000);
  CHECK(classes("tiny_imagenet") == 200);
  CHECK(classes("imagenette") == 10);
  CHECK(reader_of("imagenette").describe({}).class_names[3] == "chain saw");
  const auto folder_reader = reader_of("image_folder");
  auto options = small_options();
  options.folder.classes = 7;
  CHECK(folder_reader.describe(options).classes() == 7);
  // Nothing says what they are called, so that no names are made up.
  CHECK(folder_reader.describe(options).class_names == std::vector<std::string>(7));
  options.folder.classes = 0;
  options.root = "/nowhere";
  CHECK(message_of<ConfigError>([&] { folder_reader.describe(options); }) ==
        "data.classes: must say how many classes there are, because there is no folder "
        "'/nowhere/train' to count them in; or set data.root");
  const Folder folder;
  options.root = folder.dir.path();
  CHECK(folder_reader.describe(options).class_names == std::vector<std::string>{"ant", "bee"});
  options.folder.classes = 2;
  CHECK(folder_reader.describe(options).class_names == std::vector<std::string>{"ant", "bee"});
  options.folder.classes = 3;
  CHECK(message_of<DataError>([&] { folder_reader.describe(options); }) ==
        folder.quoted("train") + ": 2 class folders, where data.classes says 3");
}

TEST_CASE("Imagenette's classes have names for people, and folders by which they are matched") {
  const auto spec = reader_of("imagenette").describe({});
  const TempDir dir;
  const auto folders =
      std::vector<std::string>{"n01440764", "n02102040", "n02979186", "n03000684", "n03028079",
                               "n03394916", "n03417042", "n03425413", "n03445777", "n03888257"};
  for (const std::string split : {"train/", "val/"}) {
    for (const auto& name : folders) write_file(dir / (split + name + "/x.jpg"), flat_jpeg(1));
  }
  const DataSplits splits = reader_of("imagenette").open(dir.path(), small_options(), {});
  CHECK(splits.test->spec().class_names == spec.class_names);
  CHECK(splits.test->spec().class_keys() == folders);
  CHECK(splits.test->identity(3) == "n03000684/x.jpg");
  // Under other names the folders are all that is known of the classes.
  for (const std::string split : {"train/", "val/"}) {
    std::filesystem::rename(dir / (split + "n03888257"), dir / (split + "parachute"));
  }
  const DataSplits renamed = reader_of("imagenette").open(dir.path(), small_options(), {});
  CHECK(renamed.test->spec().class_names.front() == "n01440764");
  CHECK(renamed.test->spec().class_folders.empty());
  CHECK(renamed.test->spec().class_keys().back() == "parachute");
}

TEST_CASE("a class folder whose name is no UTF-8 or has control characters is refused at opening") {
  struct Case {
    std::string name, what;
  };
  for (const auto& [name, what] : {Case{"caf\xe9", "'caf?' is no valid UTF-8 at byte 4"},
                                   Case{"a\xc0\xaf", "'a?\?' is no valid UTF-8 at byte 2"},
                                   Case{"a\nb", "'a?b' has a control character at byte 2"},
                                   Case{"a\x7f", "'a?' has a control character at byte 2"},
                                   Case{"\xc2\x85", "'?\?' has a control character at byte 1"}}) {
    Folder folder;
    for (const std::string split : {"train/", "val/"}) {
      write_file(folder.dir / (split + name + "/x.jpg"), flat_jpeg(1));
    }
    CHECK(folder.error() == folder.quoted("train") + ": the class folder " + what +
                                " of its name, and a class is named in UTF-8 without control "
                                "characters; rename the folder");
    std::filesystem::remove_all(folder.dir / "train");
    CHECK(says(folder.error(), {what}));
  }
  Folder folder;
  for (const std::string split : {"train/", "val/"}) {
    write_file(folder.dir / (split + "caf\xc3\xa9/x.jpg"), flat_jpeg(1));
  }
  CHECK(folder.open().train->spec().class_names.back() == "caf\xc3\xa9");
}

TEST_CASE("options of an image folder that allow no view are refused") {
  auto options = small_options();
  options.folder.classes = 2;
  const auto error = [&](std::string_view name) {
    return message_of<ConfigError>([&] { reader_of(name).describe(options); });
  };
  CHECK(error("imagenet") ==
        "data.classes: imagenet has 1000 classes, not 2; a part of it is "
        "read with data.name image_folder");
  options.folder.resize = 7;
  CHECK(error("image_folder") ==
        "data.resize: 7 is smaller than data.image_size, 8; the crop would not fit");
  options.folder.resize = 8;
  options.augment.crop_padding = 8;
  CHECK(error("image_folder") == "data.crop_padding: 8 is out of range; it must be 0 to 7");
}
