// Files that are there whole or not at all: written aside, flushed to the disk, then renamed. A
// full disk or a crash leaves the old file as it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace tbn {

// Writes `path` piece by piece into `path.tmp.<process id>`; commit() puts it in place. Without a
// commit the destructor removes what was written. A device or a pipe that someone reads
// (/dev/stdout) is written straight through; nobody is waited for at one that no one reads. A
// symbolic link keeps pointing to its target, which is replaced, or made where there is none. Every
// failure is a SystemError with the path, the system's words and the way out. The folder must
// exist. Two threads of one process must not write the same path at once.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }
  // Lengthens the file by so many zeros, which take no room on most disks until they are written
  // over. Not of a device or a pipe.
  void extend(std::uint64_t bytes);
  // Where the bytes lie until they are put in place, in the folder of the file to come; empty where
  // they are written straight through.
  const std::filesystem::path& aside() const { return aside_; }
  // Flushes, renames and flushes the folder. Call it once, last. `before` is called when the file
  // is whole beside its place and about to be put there; what it throws keeps the old file.
  void commit(const std::function<void()>& before = {});
  // As commit(), but leaves a file that another process has put there meanwhile: false then. Not of
  // a device or a pipe.
  bool commit_new();

 private:
  void open_aside();
  void open_through();
  void flush();
  void flush_folder();
  void discard();
  [[noreturn]] void fail(int error);

  std::filesystem::path path_;    // as the caller named it, for messages
  std::filesystem::path target_;  // what is replaced: path_ with links resolved
  std::filesystem::path aside_;   // empty when written straight through
  int descriptor_ = -1;
  bool replaces_ = false;  // an old file exists
};

// What lies at `path` instead of a file or nothing: "is a folder", "is a pipe", "is a socket", "is
// a device", "is a symbolic link that leads nowhere". Empty for a file, for nothing, and for what
// may not be looked at. Nothing is opened: to open a pipe would wait for its other end.
std::string other_kind(const std::filesystem::path& path);

// The first bytes of a regular file at the path, at most `most`; none where there is no such file
// or it cannot be read. For telling what would be written over.
std::string first_bytes(const std::filesystem::path& path, std::size_t most);

void write_file_atomically(const std::filesystem::path& path, std::span<const std::byte> bytes);
void write_file_atomically(const std::filesystem::path& path, std::string_view text);

}  // namespace tbn
