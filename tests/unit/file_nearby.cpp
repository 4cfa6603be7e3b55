// What errors say of paths that lead nowhere.
#include "file/nearby.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "support/catch.h"
#include "support/temp_dir.h"

using namespace tbn;
using test::TempDir;
using test::write_file;

namespace {

// A folder with runs/resnet18, runs/vit_small and data/x, and a tool that is started in `from`.
struct Tree {
  TempDir dir;
  std::filesystem::path old = std::filesystem::current_path();

  explicit Tree(const std::string& from = "") {
    for (const char* name : {"runs/resnet18/a", "runs/vit_small/a", "data/x"}) {
      write_file(dir / name, "x");
    }
    std::filesystem::create_directories(dir / from);
    std::filesystem::current_path(dir / from);
  }
  ~Tree() { std::filesystem::current_path(old); }
  std::string at(const std::string& name) const {
    const std::filesystem::path top = std::filesystem::canonical(dir.path());
    return "'" + (name.empty() ? top : top / name).string() + "'";
  }
};

}  // namespace

TEST_CASE("a path from another folder is found above, or without its first folders") {
  const Tree above("configs/small");
  CHECK(is_missing("runs/resnet18"));
  CHECK(nearby("runs/resnet18") ==
        " in " + above.at("configs/small") + "; '../../runs/resnet18' is there");
  const Tree inside("runs");
  CHECK(nearby("runs/resnet18") == " in " + inside.at("runs") + "; '../runs/resnet18' is there");
  const Tree beside;
  CHECK(nearby("project/runs/resnet18") == " in " + beside.at("") + "; 'runs/resnet18' is there");
}

TEST_CASE("of a path that is nowhere the folders that are there say what they hold") {
  const Tree tree;
  CHECK(nearby("runs/resnet81") ==
        " in " + tree.at("") + "; " + tree.at("runs") + " holds 'resnet18' (did you mean that?)");
  CHECK(nearby("runs/teacher/checkpoints") ==
        " in " + tree.at("") + "; " + tree.at("runs") + " holds 'resnet18', 'vit_small'");
  CHECK(nearby(tree.dir.path() / "runs" / "none") ==
        "; '" + (tree.dir / "runs").string() + "' holds 'resnet18', 'vit_small'");
  CHECK(nearby("data/x/y") == " in " + tree.at("") + "; " + tree.at("data/x") + " is no folder");
  std::filesystem::create_directory("empty");
  CHECK(nearby("empty/y") == " in " + tree.at("") + "; " + tree.at("empty") + " is empty");
  for (int i = 0; i < 9; ++i) write_file("data/" + std::to_string(i), "x");
  CHECK(nearby("data/nothing") ==
        " in " + tree.at("") + "; " + tree.at("data") + " holds '0', '1', '2' and 7 more");
}

TEST_CASE("of a folder of very many names no number is said") {
  const Tree tree;
  for (int i = 0; i < 1001; ++i) write_file("many/x" + std::to_string(i), "");
  const std::string text = nearby("many/nothing");
  CHECK(text.ends_with(" and more"));
  std::filesystem::remove("many/x0");
  CHECK(nearby("many/nothing").ends_with("'x1', 'x10', 'x100' and 997 more"));
}

TEST_CASE("a folder of hidden files is not empty") {
  const Tree tree;
  write_file("hidden/.x", "");
  CHECK(nearby("hidden/y") ==
        " in " + tree.at("") + "; " + tree.at("hidden") + " holds hidden files alone");
}

TEST_CASE("of a folder that may be entered and not listed nothing is said") {
  const TempDir dir;
  write_file(dir / "closed/x", "");
  REQUIRE(::chmod(dir.path().c_str(), 0755) == 0);
  REQUIRE(::chmod((dir / "closed").c_str(), 0711) == 0);
  const bool is_root = ::geteuid() == 0;
  if (is_root) REQUIRE(::seteuid(65534) == 0);
  std::error_code error;
  const bool enters = std::filesystem::exists(dir / "closed/x", error);
  const std::string text = nearby(dir / "closed/y");
  if (is_root) REQUIRE(::seteuid(0) == 0);
  if (!is_root || !enters) {
    WARN("the folder is one's own, or out of reach for others: not checked");
    return;
  }
  CHECK(text.empty());
}

TEST_CASE("names on a disk reach no terminal as they are") {
  const Tree tree;
  write_file("data/\x1b[31m", "x");
  CHECK(nearby("data/nothing") ==
        " in " + tree.at("") + "; " + tree.at("data") + " holds '?[31m', 'x'");
}
