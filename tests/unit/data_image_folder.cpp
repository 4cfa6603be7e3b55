// Folders of pictures: their layouts, splits and classes.
#include "data/images/image_folder.h"

#include <string>
#include <vector>

#include "support/catch.h"
#include "support/image_folder.h"

using namespace tbn;
using namespace tbn::test;

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
  const std::string own =
      "; it holds pictures of your own, train/<class>/*.jpg (or .png) and val/<class>/*.jpg, "
      "with the same "
      "class folders in both; set data.root to the folder that holds train and val, or "
      "data.classes to how many there will be";
  CHECK(says(message_of<DataError>([&] { folder_reader.describe(options); }),
             {"data set 'image_folder' not found: there is no '/nowhere'; '/' holds ", own}));
  const TempDir empty;
  options.root = empty.path();
  CHECK(message_of<DataError>([&] { folder_reader.describe(options); }) ==
        "data set 'image_folder' not found: no train in '" + empty.path().string() + "'" + own);
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
