// Folders beside train/ and val/ that were meant to be a split.
#include "data/images/split_names.h"

#include <filesystem>
#include <string>

#include "data/registry.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/image_folder.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

std::string hint(const TempDir& dir, const std::string& name, const std::string& split) {
  return "; '" + (dir / name).string() + "' is not read: rename it to '" + split +
         "' if it is that";
}

}  // namespace

TEST_CASE(
    "a folder that is named nearly as a split, or as others name it, is said not to be read") {
  const struct {
    const char* name;
    const char* split;
  } kMeant[] = {{"vl", "val"},     {"valid", "val"},    {"validate", "val"},   {"dev", "val"},
                {"Val", "val"},    {"VALID", "val"},    {"validaton", "val"},  {"tests", "test"},
                {"Test", "test"},  {"testing", "test"}, {"training", "train"}, {"tran", "train"},
                {"TRAIN", "train"}};
  for (const auto& [name, split] : kMeant) {
    CAPTURE(name);
    const TempDir dir;
    std::filesystem::create_directories(dir / name);
    CHECK(mistaken_splits(dir.path()) == hint(dir, name, split));
    // Not where the split itself is there.
    std::filesystem::create_directories(dir / split);
    CHECK(mistaken_splits(dir.path()).empty());
  }
}

TEST_CASE("files, other folders and the splits themselves are no mistakes") {
  const TempDir dir;
  write_file(dir / "valid", "x");
  for (const char* name : {"images", "labels", "annotations", "train", "validation", "test"}) {
    std::filesystem::create_directories(dir / name);
  }
  CHECK(mistaken_splits(dir.path()).empty());
  CHECK(mistaken_splits(dir / "none").empty());
}

TEST_CASE(
    "a mistaken split is in the error where it is missing, and in the notes where it is not") {
  Folder folder;
  const auto root = folder.dir.path();
  std::filesystem::rename(root / "val", root / "vl");
  CHECK_THAT(folder.error(), EndsWith(hint(folder.dir, "vl", "val")));
  const DataOptions options = small_options();
  const auto load = [&](const std::filesystem::path& from) {
    DataOptions there = options;
    there.root = from;
    return load_data(there);
  };
  std::filesystem::rename(root / "vl", root / "test");
  std::filesystem::copy(root / "test", root / "valid", std::filesystem::copy_options::recursive);
  CHECK(load(root).notes.at(0) == hint(folder.dir, "valid", "val").substr(2));
  std::filesystem::rename(root / "valid", root / "val");
  CHECK(load(root).notes.empty());
  // All of it a folder deeper, and a training folder of another name.
  std::filesystem::create_directories(root / "deep");
  for (const char* split : {"train", "val", "test"}) {
    std::filesystem::rename(root / split, root / "deep" / split);
  }
  CHECK(says(message_of<DataError>([&] { load(root); }),
             {"not found: no train in",
              "; '" + (root / "deep").string() + "' has it; it holds pictures"}));
}
