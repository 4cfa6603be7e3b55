// Folders of pictures: what a wrong folder says, files that cannot be read, options without a view.
#include "data/images/image_folder.h"

#include <string>

#include "support/catch.h"
#include "support/image_folder.h"

using namespace tbn;
using namespace tbn::test;

TEST_CASE("both splits must have the same classes") {
  Folder folder;
  const std::string differ = folder.quoted("val") + ": its class folders are not those of " +
                             folder.quoted("train") + ": ";
  write_file(folder.dir / "val/cow/i.jpg", flat_jpeg(1));
  CHECK(folder.error() == differ + "'cow' in " + folder.quoted("val") +
                              " alone; both must have the same ones: add what is missing, or take "
                              "away what is too much");
  // One was renamed: both sides are named.
  std::filesystem::remove_all(folder.dir / "val/ant");
  CHECK(folder.error() ==
        differ + "'cow' in " + folder.quoted("val") + " alone, 'ant' in " + folder.quoted("train") +
            " alone; both must have the same ones: rename them in one of the two");
  for (const char* name : {"val/dog/i.jpg", "val/eel/i.jpg", "val/fox/i.jpg", "val/hen/i.jpg"}) {
    write_file(folder.dir / name, flat_jpeg(1));
  }
  CHECK(says(folder.error(), {"'cow', 'dog', 'eel' and 2 more in " + folder.quoted("val")}));
  for (const char* name : {"val/cow", "val/dog", "val/eel", "val/fox", "val/hen"}) {
    std::filesystem::remove_all(folder.dir / name);
  }
  CHECK(says(folder.error(), {differ + "'ant' in " + folder.quoted("train") + " alone;"}));
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

TEST_CASE("a missing test split is told with every name that it may have") {
  Folder folder;
  std::filesystem::remove_all(folder.dir / "val");
  CHECK(says(folder.error(), {folder.quoted("test"),
                              ": the folder is not there, nor val or validation beside it"}));
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

TEST_CASE("a file that is neither JPEG nor PNG is called what it is, whatever its name says") {
  struct Case {
    std::string bytes, what;
  };
  const std::vector<Case> cases = {
      {"GIF89a", "a GIF"},
      {"BM6\x03", "a BMP"},
      {"RIFF\x10\x01\x01\x01WEBPVP8 ", "a WebP"},
      {std::string("II*\0\x08", 5), "a TIFF"},
      {std::string("\0\0\0\x1c"
                   "ftypavif",
                   12),
       "an AVIF"},
      {std::string("\0\0\0\x1c"
                   "ftypheic",
                   12),
       "a HEIF"},
      {"%PDF-1.7", "a PDF"},
      {"PK\x03\x04", "a ZIP archive"},
      {"<!DOCTYPE html>", "an HTML page"},
      {"version https://git-lfs.github.com/spec/v1",
       "a pointer of Git LFS (fetch the files with `git lfs pull`)"},
      {"junk", "begins with the bytes 6a 75 6e 6b"},
      {"\x89PN", "begins with the bytes 89 50 4e"},
  };
  for (const char* name : {"train/ant/i1.jpg", "train/ant/i1.png"}) {
    for (const auto& [bytes, what] : cases) {
      Folder folder;
      std::filesystem::remove(folder.dir / "train/ant/i1.jpg");
      write_file(folder.dir / name, bytes);
      const DataSplits splits = folder.open();
      CHECK(message_of<DataError>([&] { read_sample(*splits.train, 1); }) ==
            folder.quoted(name) + ": is neither a JPEG nor a PNG, but " + what +
                "; convert it, or take it out");
    }
  }
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

TEST_CASE("a class folder whose name is no UTF-8 or has control characters is refused at opening") {
  struct Case {
    std::string name, what;
  };
  for (const auto& [name, what] : {Case{"caf\xe9", "'caf?' is no valid UTF-8 at byte 4"},
                                   Case{"a\xc0\xaf", "'a?\?' is no valid UTF-8 at byte 2"},
                                   Case{"a\nb", "'a?b' has a control character at byte 2"},
                                   Case{"a\x7f", "'a?' has a control character at byte 2"},
                                   Case{"\xc2\x85", "'?' has a control character at byte 1"}}) {
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
