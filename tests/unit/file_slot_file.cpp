// A cache on disk: filled in any order, opened again, and never wrong, whatever became of its
// bytes.
#include "file/slot_file.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "file/safetensors.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using test::message_of;
using test::read_file;
using test::says;
using test::TempDir;
using test::write_file;

namespace {

using Slot = std::array<std::byte, 6>;

const SlotLayout kLayout{.facts = {{"teacher", "float"}, {"seed", "1"}}, .slots = 5, .bytes = 6};

Slot slot_of(int value) {
  Slot slot;
  for (std::size_t i = 0; i < slot.size(); ++i) {
    slot[i] = static_cast<std::byte>(value * 10 + static_cast<int>(i));
  }
  return slot;
}

SlotFile open(const std::filesystem::path& path, const SlotLayout& layout = kLayout) {
  return SlotFile::open("teacher.cache", path, layout);
}

// What slot `slot` holds; nothing where it is empty.
std::optional<Slot> at(const SlotFile& file, std::uint64_t slot) {
  Slot out{};
  return file.read(slot, out) ? std::optional(out) : std::nullopt;
}

std::string refusal(const std::filesystem::path& path, const SlotLayout& layout) {
  const std::string before = std::filesystem::is_regular_file(path) ? read_file(path) : "";
  const std::string text = message_of<DataError>([&] { open(path, layout); });
  CHECK(message_of<DataError>([&] { SlotFile::check("teacher.cache", path, layout); }) == text);
  if (!before.empty()) CHECK(read_file(path) == before);
  return text;
}

}  // namespace

TEST_CASE("slots are filled in any order, filled again, and there when the file is opened again") {
  const TempDir dir;
  const auto path = dir / "slots";
  SlotFile::check("teacher.cache", path, kLayout);
  CHECK_FALSE(std::filesystem::exists(path));
  {
    SlotFile file = open(path);
    for (std::uint64_t i = 0; i < 5; ++i) CHECK_FALSE(at(file, i));
    for (const int i : {3, 0, 4}) file.write(static_cast<std::uint64_t>(i), slot_of(i));
    file.write(0, slot_of(7));
    file.write(1, Slot{});  // zeros are a value too
    file.flush();
  }
  const SlotFile file = open(path);
  CHECK(at(file, 0) == slot_of(7));
  CHECK(at(file, 1) == Slot{});
  CHECK_FALSE(at(file, 2));
  CHECK(at(file, 3) == slot_of(3));
  CHECK(at(file, 4) == slot_of(4));
  // Any reader of safetensors can open it.
  const SafetensorsFile read = read_safetensors(path);
  CHECK(read.tensors.at("slots").shape() == Shape{5, 10});
  CHECK(read.metadata.at("seed") == "1");
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
}

TEST_CASE("a slot whose writing was cut short, or that was damaged since, is empty") {
  const TempDir dir;
  const auto path = dir / "slots";
  {
    SlotFile file = open(path);
    for (int i = 0; i < 5; ++i) file.write(static_cast<std::uint64_t>(i), slot_of(i));
  }
  const std::string whole = read_file(path);
  const std::size_t begin = whole.size() - kLayout.file_bytes();
  for (std::size_t place = begin; place < whole.size(); ++place) {
    // A write that stopped here leaves zeros from here to the slot's end; and one bit flipped.
    const std::size_t slot = (place - begin) / 10;
    std::string torn = whole;
    std::fill(torn.begin() + static_cast<std::ptrdiff_t>(place),
              torn.begin() + static_cast<std::ptrdiff_t>(begin + 10 * slot + 10), '\0');
    std::string flipped = whole;
    flipped[place] = static_cast<char>(flipped[place] ^ 16);
    for (const std::string& damaged : {torn, flipped}) {
      write_file(path, damaged);
      const SlotFile file = open(path);
      for (std::size_t i = 0; i < 5; ++i) {
        INFO("byte " << place << ", slot " << i);
        CHECK(at(file, i) == (i == slot && damaged != whole
                                  ? std::nullopt
                                  : std::optional(slot_of(static_cast<int>(i)))));
      }
    }
  }
  // What stands in another slot's place is not taken for its own.
  std::string moved = whole;
  std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(begin), 10,
              moved.begin() + static_cast<std::ptrdiff_t>(begin + 20));
  write_file(path, moved);
  CHECK_FALSE(at(open(path), 2));
}

TEST_CASE("a file of other facts, another size or another kind is refused and stays as it is") {
  const TempDir dir;
  const auto path = dir / "slots";
  { open(path); }
  SlotLayout other = kLayout;
  other.facts[1].second = "2";
  CHECK(refusal(path, other) ==
        "teacher.cache: '" + path.string() +
            "' was made with seed '1', and this run has '2'; name another file with "
            "teacher.cache=..., or delete this one");
  other = kLayout;
  other.facts.emplace_back("views", "4");
  CHECK(says(refusal(path, other), {"does not say its views; name another file"}));
  other = kLayout;
  other.slots = 6;
  CHECK(says(refusal(path, other), {"has not the slots that this run would fill"}));
  other = kLayout;
  other.bytes = 7;
  CHECK(says(refusal(path, other), {"has not the slots that this run would fill"}));

  write_safetensors(dir / "model", {}, {{"epoch", "7"}});
  CHECK(says(refusal(dir / "model", kLayout), {"model' does not say its teacher"}));
  write_file(dir / "text", "no safetensors file at all");
  CHECK(says(refusal(dir / "text", kLayout), {"text: not a safetensors file"}));
  std::filesystem::create_directories(dir / "folder");
  CHECK(says(refusal(dir / "folder", kLayout), {"is a folder, where a file is needed"}));
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  CHECK(says(refusal(dir / "pipe", kLayout), {"is a pipe, where a file is needed"}));
  const std::string whole = read_file(path);
  write_file(path, whole.substr(0, whole.size() - 1));
  CHECK(says(refusal(path, kLayout), {"truncated: the header says 50 bytes"}));
}

TEST_CASE("processes that make one file at the same time share it") {
  const TempDir dir;
  for (int round = 0; round < 20; ++round) {
    CAPTURE(round);
    const auto path = dir / std::to_string(round);
    int gate[2];
    REQUIRE(::pipe(gate) == 0);
    std::vector<pid_t> makers;
    for (int i = 0; i < 5; ++i) {
      const pid_t maker = ::fork();
      REQUIRE(maker >= 0);
      if (maker > 0) {
        makers.push_back(maker);
        continue;
      }
      // Waits until all are there.
      char none = 0;
      ::close(gate[1]);
      const bool waited = ::read(gate[0], &none, 1) == 0;
      try {
        SlotFile file = open(path);
        file.write(static_cast<std::uint64_t>(i), slot_of(i));
      } catch (...) {
        ::_exit(1);
      }
      ::_exit(waited ? 0 : 1);
    }
    ::close(gate[0]);
    ::close(gate[1]);
    for (const pid_t maker : makers) {
      int status = 1;
      REQUIRE(::waitpid(maker, &status, 0) == maker);
      CHECK(status == 0);
    }
    const SlotFile file = open(path);
    for (int i = 0; i < 5; ++i) CHECK(at(file, static_cast<std::uint64_t>(i)) == slot_of(i));
  }
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 20);
}

TEST_CASE(
    "a file takes room as its slots are filled, and none is made where there is none for it") {
  const TempDir dir;
  const auto path = dir / "slots";
  SlotLayout layout = kLayout;
  layout.slots = 10'000'000;
  SlotFile file = open(path, layout);
  CHECK(std::filesystem::file_size(path) > 100'000'000);
  file.write(9'999'999, slot_of(9));
  CHECK(at(file, 9'999'999) == slot_of(9));
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK(status.st_blocks * 512 < 10'000'000);
  layout.slots = std::uint64_t{1} << 55;
  CHECK(says(message_of<SystemError>([&] { open(dir / "vast", layout); }),
             {"teacher.cache: '", "vast' takes 360,287,970,189,639,", " bytes, and its disk has ",
              "; free some space, or name a file on another disk"}));
  CHECK(says(message_of<SystemError>([&] { open(dir / "none" / "slots"); }),
             {"cannot write '", "create the folder '"}));
}
