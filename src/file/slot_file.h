// A file of numbered slots of one size that are filled in any order and read back: a cache on disk.
// A slot that was never filled, and one whose writing was cut short or that was damaged since, is
// empty.
//
//   SlotFile cache = SlotFile::open("outputs.safetensors",
//                                   {.facts = {{"seed", "1"}}, .slots = 50000, .bytes = 20});
//   if (!cache.read(17, value)) cache.write(17, value = compute(17));
//
// The file is a safetensors file of one U8 tensor `slots` [slots, 4 + bytes]: of each slot the
// CRC-32C of its number (u64, little-endian) and its bytes, then the bytes; all 0 is empty. Its
// metadata are the facts. It takes room on the disk as slots are filled.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace tbn {

// What slots hold. A file is of it where all of this is the same.
struct SlotLayout {
  std::vector<std::pair<std::string, std::string>> facts;  // a name and what it is, in UTF-8
  std::uint64_t slots = 0;
  std::uint64_t bytes = 0;  // of one

  // Of the whole file but for its header.
  std::uint64_t file_bytes() const { return slots * (4 + bytes); }
};

class SlotFile {
 public:
  // Opens the file, or makes one with all slots empty where there is none. `key` is the setting
  // that names it, for messages. Throws DataError where the file is another, with the first fact
  // that differs, and SystemError where it cannot be made: the disk has no room for all slots.
  static SlotFile open(const std::string& key, const std::filesystem::path& path,
                       const SlotLayout& layout);

  // Throws as open() does where there is a file that is another.
  static void check(const std::string& key, const std::filesystem::path& path,
                    const SlotLayout& layout);

  SlotFile(SlotFile&& other) noexcept;
  ~SlotFile();
  SlotFile(const SlotFile&) = delete;
  SlotFile& operator=(const SlotFile&) = delete;

  // The slot's bytes into `out`, of their size; false where it is empty. Several threads and
  // processes may read and write; of one slot the last whole write counts. Throw SystemError.
  bool read(std::uint64_t slot, std::span<std::byte> out) const;
  void write(std::uint64_t slot, std::span<const std::byte> bytes);
  // Puts what was written on the disk, so that it outlives a power cut.
  void flush();

 private:
  SlotFile(std::filesystem::path path, std::uint64_t data_begin, const SlotLayout& layout);
  std::uint64_t place(std::uint64_t slot) const;
  [[noreturn]] void fail(const char* what, int error) const;

  std::filesystem::path path_;
  std::uint64_t begin_;  // of the slots in the file
  std::uint64_t slots_;
  std::uint64_t bytes_;
  int descriptor_ = -1;
};

}  // namespace tbn
