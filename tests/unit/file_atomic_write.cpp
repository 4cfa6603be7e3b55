// Atomic writing: whole or not at all, on full disks and without permission too.
#include "file/atomic_write.h"

#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using test::message_of;
using test::read_file;
using test::says;
using test::TempDir;

namespace {

std::size_t entries(const std::filesystem::path& folder) {
  return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder), {}));
}

std::string write_error(const std::filesystem::path& path, const std::string& text) {
  return message_of<SystemError>([&] { write_file_atomically(path, text); });
}

// Files of this process end at `bytes`, as on a full disk: writing further fails with EFBIG.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit limit = {bytes, old_.rlim_max};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) throw std::runtime_error("setrlimit");
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  void (*handler_)(int);
  rlimit old_{};
};

}  // namespace

TEST_CASE("a file is created, then replaced, and nothing is left beside it", "[file]") {
  const TempDir dir;
  write_file_atomically(dir / "f", "one");
  CHECK(read_file(dir / "f") == "one");
  REQUIRE(::chmod((dir / "f").c_str(), 0640) == 0);
  {
    AtomicFile file(dir / "f");
    file.write("tw");
    file.write("o");
    CHECK(read_file(dir / "f") == "one");
    CHECK(std::filesystem::exists(dir / ("f.tmp." + std::to_string(::getpid()))));
    file.commit();
  }
  CHECK(read_file(dir / "f") == "two");
  CHECK(std::filesystem::status(dir / "f").permissions() == std::filesystem::perms(0640));
  CHECK(entries(dir.path()) == 1);
}

TEST_CASE("without a commit the old file stays and the temporary one goes", "[file]") {
  const TempDir dir;
  write_file_atomically(dir / "f", "old");
  {
    AtomicFile file(dir / "f");
    file.write("new");
  }
  CHECK(read_file(dir / "f") == "old");
  CHECK(entries(dir.path()) == 1);
}

TEST_CASE("a write that fails half-way keeps the old file and says so", "[file]") {
  const TempDir dir;
  write_file_atomically(dir / "f", "old");
  std::string message;
  {
    const FileSizeLimit limit(1000);
    message = write_error(dir / "f", std::string(5000, 'x'));
  }
  CHECK(says(message, {"cannot write '" + (dir / "f").string() + "'", "File too large", "ulimit -f",
                       "the old file is unchanged"}));
  CHECK(read_file(dir / "f") == "old");
  CHECK(entries(dir.path()) == 1);
}

TEST_CASE("a full device is reported with the way out", "[file]") {
  const std::string message = write_error("/dev/full", "x");
  CHECK(says(message, {"cannot write '/dev/full'", "No space left on device", "free some space"}));
  CHECK(std::filesystem::is_character_file("/dev/full"));
}

TEST_CASE("a full disk keeps the old file", "[file]") {
  const TempDir dir;
  if (::mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=64k") != 0) {
    WARN("no right to mount a small disk here: not checked on a real one");
    return;
  }
  write_file_atomically(dir / "f", "old");
  const std::string message = write_error(dir / "f", std::string(200'000, 'x'));
  const std::string kept = read_file(dir / "f");
  const std::size_t count = entries(dir.path());
  REQUIRE(::umount(dir.path().c_str()) == 0);
  CHECK(says(message, {"No space left on device", "free some space", "old file is unchanged"}));
  CHECK(kept == "old");
  CHECK(count == 1);
}

TEST_CASE("a place that cannot be written is named with the way out", "[file]") {
  const TempDir dir;
  CHECK(
      says(write_error(dir / "no/f", "x"), {"No such file", "create the folder '", "/no' first"}));
  CHECK(says(write_error(dir.path(), "x"), {"Is a directory", "name a file"}));
  CHECK(says(write_error(dir / std::string(300, 'n'), "x"), {"name too long", "shorter"}));
  write_file_atomically(dir / "f", "x");
  CHECK(says(write_error(dir / "f/below", "x"), {"Not a directory"}));
}

TEST_CASE("without permission the old file stays", "[file]") {
  const TempDir dir;
  write_file_atomically(dir / "f", "old");
  REQUIRE(::chmod(dir.path().c_str(), 0555) == 0);
  const bool is_root = ::geteuid() == 0;
  if (is_root) REQUIRE(::seteuid(65534) == 0);
  const std::string replace = write_error(dir / "f", "new");
  const std::string create = write_error(dir / "g", "new");
  if (is_root) REQUIRE(::seteuid(0) == 0);
  REQUIRE(::chmod(dir.path().c_str(), 0755) == 0);
  CHECK(says(replace, {"Permission denied", "where you may create files", "unchanged"}));
  CHECK(says(create, {"Permission denied", "where you may create files"}));
  CHECK(read_file(dir / "f") == "old");
}

TEST_CASE("a symbolic link keeps pointing to its target", "[file]") {
  const TempDir dir;
  std::filesystem::create_directory(dir / "real");
  write_file_atomically(dir / "real/f", "old");
  std::filesystem::create_symlink("real/f", dir / "link");
  write_file_atomically(dir / "link", "new");
  CHECK(std::filesystem::is_symlink(dir / "link"));
  CHECK(read_file(dir / "real/f") == "new");
  CHECK(entries(dir / "real") == 1);
}

TEST_CASE("a leftover of a crashed process, or a link planted in its place, is not followed",
          "[file]") {
  const TempDir dir;
  test::write_file(dir / "victim", "untouched");
  std::filesystem::create_symlink("victim", dir / ("f.tmp." + std::to_string(::getpid())));
  write_file_atomically(dir / "f", "x");
  CHECK(read_file(dir / "victim") == "untouched");
  CHECK(read_file(dir / "f") == "x");
  CHECK_FALSE(std::filesystem::is_symlink(dir / "f"));
}
