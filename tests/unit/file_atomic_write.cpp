// Atomic writing: whole or not at all, on full disks and without permission too.
#include "file/atomic_write.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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
  using std::filesystem::perms;
  CHECK(read_file(dir / "f") == "two");
  CHECK(std::filesystem::status(dir / "f").permissions() ==
        (perms::owner_read | perms::owner_write | perms::group_read));
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

TEST_CASE("whatever lies in the place of a file is named, and a write to it waits for nobody",
          "[file]") {
  const TempDir dir;
  std::filesystem::create_directory(dir / "folder");
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  std::filesystem::create_symlink("pipe", dir / "link to a pipe");
  std::filesystem::create_symlink("loop", dir / "loop");
  std::filesystem::create_symlink("absent/f", dir / "dangling");
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  REQUIRE(socket >= 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (dir / "socket").string().copy(address.sun_path, sizeof address.sun_path - 1);
  REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  struct Row {
    const char* name;
    const char* kind;
    const char* sentence;
  };
  const Row rows[] = {{"folder", "is a folder", "name a file"},
                      {"pipe", "is a pipe", "a pipe that nobody reads"},
                      {"link to a pipe", "is a pipe", "a pipe that nobody reads"},
                      {"socket", "is a socket", "or a socket: name a file"},
                      {"loop", "is a symbolic link that leads nowhere", "leads nowhere"},
                      {"dangling", "is a symbolic link that leads nowhere", "/absent' first"}};
  for (const Row& row : rows) {
    INFO(row.name);
    CHECK(other_kind(dir / row.name) == row.kind);
    CHECK(says(write_error(dir / row.name, "x"), {"cannot write '", row.name, row.sentence}));
    CHECK(std::filesystem::exists(std::filesystem::symlink_status(dir / row.name)));
  }
  ::close(socket);
  CHECK(other_kind("/dev/null") == "is a device");
  CHECK(other_kind(dir / "absent").empty());
  write_file_atomically(dir / "f", "x");
  CHECK(other_kind(dir / "f").empty());
}

TEST_CASE("a pipe that is read is written straight through", "[file]") {
  const TempDir dir;
  REQUIRE(::mkfifo((dir / "pipe").c_str(), 0600) == 0);
  const int reader = ::open((dir / "pipe").c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  write_file_atomically(dir / "pipe", "text");
  char text[8] = {};
  CHECK(::read(reader, text, sizeof text) == 4);
  CHECK(std::string(text) == "text");
  ::close(reader);
}

TEST_CASE("a symbolic link whose target is missing gets it, and stays a link", "[file]") {
  const TempDir dir;
  std::filesystem::create_directory(dir / "real");
  std::filesystem::create_symlink("second", dir / "first");
  std::filesystem::create_symlink("real/f", dir / "second");
  write_file_atomically(dir / "first", "x");
  CHECK(std::filesystem::is_symlink(dir / "first"));
  CHECK(std::filesystem::is_symlink(dir / "second"));
  CHECK(read_file(dir / "real/f") == "x");
}

TEST_CASE("a new file leaves one that another has put there meanwhile", "[file]") {
  const TempDir dir;
  {
    AtomicFile first(dir / "f");
    first.write("first");
    CHECK(first.commit_new());
  }
  CHECK(read_file(dir / "f") == "first");
  CHECK(entries(dir.path()) == 1);
  std::filesystem::remove(dir / "f");
  AtomicFile late(dir / "f");
  late.write("late");
  test::write_file(dir / "f", "first");  // as another process does it
  CHECK_FALSE(late.commit_new());
  CHECK(read_file(dir / "f") == "first");
  CHECK(entries(dir.path()) == 1);
}

TEST_CASE("what is done before a file takes its place sees the old one, and may keep it",
          "[file]") {
  const TempDir dir;
  write_file_atomically(dir / "f", "old");
  {
    AtomicFile file(dir / "f");
    file.write("new");
    CHECK_THROWS_AS(file.commit([] { throw SystemError("no"); }), SystemError);
  }
  CHECK(read_file(dir / "f") == "old");
  CHECK(entries(dir.path()) == 1);
  AtomicFile file(dir / "f");
  file.write("new");
  file.commit([&] { CHECK(read_file(dir / "f") == "old"); });
  CHECK(read_file(dir / "f") == "new");
}
