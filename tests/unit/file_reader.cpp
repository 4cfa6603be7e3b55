// Bounded reading: what is no readable regular file is refused in one sentence.
#include "file/reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include "file/crc32c.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using test::message_of;
using test::says;
using test::TempDir;

namespace {

std::string open_error(const std::filesystem::path& path) {
  return message_of<DataError>([&] { Reader reader(path); });
}

// Gives up the rights of the superuser for a while: permissions do not bind it.
class AsNobody {
 public:
  AsNobody() : was_root_(::geteuid() == 0) {
    if (was_root_ && ::seteuid(65534) != 0) throw std::runtime_error("seteuid");
  }
  ~AsNobody() {
    if (was_root_ && ::seteuid(0) != 0) std::abort();
  }

 private:
  bool was_root_;
};

}  // namespace

TEST_CASE("a reader reads in order and keeps a CRC when asked", "[file]") {
  const TempDir dir;
  const std::string text = test::little_endian_u64(0x0123456789abcdef) + "headdata";
  test::write_file(dir / "f", text);
  const auto bytes = test::to_bytes(text);
  const auto check = [](Reader& reader) {
    CHECK(reader.size() == 16);
    CHECK(reader.read_u64("length") == 0x0123456789abcdef);
    CHECK(reader.read_text(4, "head") == "head");
    reader.start_crc();
    CHECK(test::to_text(reader.read_bytes(4, "data")) == "data");
    CHECK(reader.crc() == crc32c("data"));
    CHECK(reader.remaining() == 0);
  };
  Reader from_file(dir / "f");
  check(from_file);
  Reader from_memory(bytes, "memory");
  check(from_memory);
}

TEST_CASE("reading past the end names what, where and how much there is", "[file]") {
  const auto bytes = test::to_bytes("0123456789");
  Reader reader(bytes, "m.bin");
  reader.read_text(4, "the start");
  CHECK(message_of<DataError>([&] { reader.read_bytes(1234, "the rest"); }) ==
        "m.bin: truncated: the rest takes 1,234 bytes at byte 4, the file holds 6");
  CHECK_THROWS_AS(reader.read_bytes(~std::uint64_t{0}, "all"), DataError);
  CHECK(reader.read_text(6, "the rest") == "456789");
}

TEST_CASE("a file that shrinks while it is read is refused", "[file]") {
  const TempDir dir;
  test::write_file(dir / "f", std::string(100, 'x'));
  Reader reader(dir / "f");
  std::filesystem::resize_file(dir / "f", 10);
  CHECK(says(message_of<DataError>([&] { reader.read_bytes(100, "the data"); }),
             {"became shorter while the data was read"}));
}

TEST_CASE("a path that is no regular file is refused in one sentence", "[file]") {
  const TempDir dir;
  CHECK(open_error(dir / "missing") == (dir / "missing").string() + ": there is no such file");
  CHECK(says(open_error(dir.path()), {"is a folder, not a file"}));
  test::write_file(dir / "empty", "");
  CHECK(says(open_error(dir / "empty"), {"is empty"}));
  CHECK(says(open_error(dir / "empty/below"), {"no such file", "leads through a file"}));
  REQUIRE(::mkfifo((dir / "fifo").c_str(), 0600) == 0);
  CHECK(says(open_error(dir / "fifo"), {"is not a regular file"}));
  CHECK(says(open_error("/dev/zero"), {"is not a regular file"}));
  std::filesystem::create_symlink("loop", dir / "loop");
  CHECK(says(open_error(dir / "loop"), {"cannot be opened"}));
  test::write_file(dir / "large", "12345");
  CHECK(says(message_of<DataError>([&] { Reader reader(dir / "large", 4); }),
             {"has 5 bytes, more than the limit of 4"}));
}

TEST_CASE("a file without read permission is a system error with a way out", "[file]") {
  const TempDir dir;
  REQUIRE(::chmod(dir.path().c_str(), 0755) == 0);
  test::write_file(dir / "secret", "x");
  REQUIRE(::chmod((dir / "secret").c_str(), 0) == 0);
  const AsNobody nobody;
  CHECK(says(message_of<SystemError>([&] { Reader reader(dir / "secret"); }),
             {"secret: cannot be read: Permission denied", "change its permissions"}));
}
