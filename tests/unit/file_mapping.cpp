// Mapped files: tensors that lie in them, what outlives what, and where a copy is made.
#include "file/mapping.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "file/reader.h"
#include "file/safetensors_header.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/packed_files.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "tbn/file.h"

using namespace tbn;
using test::message_of;
using test::says;
using test::TempDir;

namespace {

constexpr float kAlpha[] = {0.5F, -1.25F};  // of small_packed_file()

TensorMap read_mapped(const std::filesystem::path& path) {
  Reader reader(path);
  reader.map();
  REQUIRE(reader.mapping() != nullptr);
  return read_safetensors_data(reader, read_safetensors_header(reader));
}

std::span<const float> alpha_of(const PackedFile& file) {
  return file.tensors.at("fc.alpha").values<float>();
}

std::string refusal(const std::filesystem::path& path) {
  return message_of<DataError>([&] { read_packed(path); });
}

}  // namespace

TEST_CASE("the tensors of a packed file lie in it, test vectors too", "[mapping]") {
  const TempDir dir;
  write_packed(dir / "m.tbn", test::small_packed_file());
  const PackedFile file = read_packed(dir / "m.tbn");
  for (const auto& [name, tensor] : file.tensors) {
    INFO(name);
    CHECK(tensor.is_borrowed());
  }
  CHECK(file.test_vectors->input.is_borrowed());
  CHECK(file.tensors == test::small_packed_file().tensors);
  CHECK(file.test_vectors == test::small_packed_file().test_vectors);
}

TEST_CASE("a mapped tensor is copied when it is changed, and the file stays as it was",
          "[mapping]") {
  const TempDir dir;
  write_packed(dir / "m.tbn", test::small_packed_file());
  const std::string before = test::read_file(dir / "m.tbn");
  PackedFile file = read_packed(dir / "m.tbn");
  const PackedFile copy = file;
  HostTensor& alpha = file.tensors.at("fc.alpha");
  alpha.values<float>()[0] = 7;
  CHECK_FALSE(alpha.is_borrowed());
  CHECK(alpha_of(file)[0] == 7);
  CHECK(alpha_of(file)[1] == kAlpha[1]);
  CHECK(copy.tensors.at("fc.alpha").is_borrowed());
  CHECK(alpha_of(copy)[0] == kAlpha[0]);
  CHECK(alpha_of(read_packed(dir / "m.tbn"))[0] == kAlpha[0]);
  CHECK(test::read_file(dir / "m.tbn") == before);
}

TEST_CASE("mapped tensors outlive the file's name and a file put in its place", "[mapping]") {
  const TempDir dir;
  write_packed(dir / "m.tbn", test::small_packed_file());
  const PackedFile old = read_packed(dir / "m.tbn");
  PackedFile changed = old;
  changed.tensors.at("fc.alpha").values<float>()[0] = 9;
  write_packed(dir / "m.tbn", changed);  // over the file that both still use
  CHECK(alpha_of(read_packed(dir / "m.tbn"))[0] == 9);
  CHECK(alpha_of(old)[0] == kAlpha[0]);
  std::filesystem::remove(dir / "m.tbn");
  CHECK(alpha_of(old)[0] == kAlpha[0]);
}

TEST_CASE("tensors that are not aligned in a file of another writer are copies", "[mapping]") {
  const TempDir dir;
  // The header of 121 bytes and its length put the data at byte 129.
  std::string header = R"({"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
                       R"("f":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})";
  header.resize(121, ' ');
  const std::vector<float> one = {1};
  const std::string value = test::to_text(std::as_bytes(std::span(one)));
  test::write_file(dir / "f", test::safetensors_text(header, "xy" + value));
  const TensorMap tensors = read_mapped(dir / "f");
  CHECK(tensors.at("b").is_borrowed());
  CHECK_FALSE(tensors.at("f").is_borrowed());
  CHECK(tensors.at("f").values<float>()[0] == 1);
}

TEST_CASE("a tensor without elements and a wrong BOOL are as in a file that is read", "[mapping]") {
  const TempDir dir;
  test::write_file(
      dir / "f",
      test::safetensors_text(R"({"e":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}} )", ""));
  CHECK(read_mapped(dir / "f").at("e").count() == 0);
  test::write_file(
      dir / "b",
      test::safetensors_text(R"({"t":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]}})", "\2"));
  CHECK(says(message_of<DataError>([&] { read_mapped(dir / "b"); }),
             {"tensor 't' is BOOL and holds bytes other than 0 and 1"}));
}

TEST_CASE("a mapped file that shrinks while it is read is refused, not a signal", "[mapping]") {
  const TempDir dir;
  test::write_file(dir / "f", std::string(1 << 20, 'x'));
  Reader reader(dir / "f");
  reader.map();
  std::filesystem::resize_file(dir / "f", 10);
  CHECK(says(message_of<DataError>([&] { reader.borrow(1 << 20, "the data"); }),
             {"became shorter while the data was read"}));
}

TEST_CASE("a mapped file that grows is read as long as it was", "[mapping]") {
  const TempDir dir;
  test::write_file(dir / "f", "0123456789");
  Reader reader(dir / "f");
  reader.map();
  test::write_file(dir / "f", "0123456789and more");
  CHECK(reader.remaining() == 10);
  CHECK(test::to_text(reader.borrow(10, "the data")) == "0123456789");
  CHECK(says(message_of<DataError>([&] { reader.borrow(1, "more"); }), {"truncated: more takes"}));
}

TEST_CASE("reading a packed file refuses what parsing it does, with the same words", "[mapping]") {
  const TempDir dir;
  const std::string text = test::to_text(serialize_packed(test::small_packed_file()));
  for (const std::size_t length : {std::size_t{1}, std::size_t{7}, std::size_t{63}, text.size() / 2,
                                   text.size() - 9, text.size() - 1}) {
    const std::string cut = text.substr(0, length);
    test::write_file(dir / "m.tbn", cut);
    CHECK(refusal(dir / "m.tbn") == message_of<DataError>([&] {
            parse_packed(test::to_bytes(cut), (dir / "m.tbn").string());
          }));
  }
  std::string damaged = text;
  damaged.back() = '\0';
  test::write_file(dir / "m.tbn", damaged);
  CHECK(says(refusal(dir / "m.tbn"), {"m.tbn: damaged", "checksum of its data"}));
  test::write_file(dir / "m.tbn", text + "!");
  CHECK(says(refusal(dir / "m.tbn"), {"1 too many"}));
}

TEST_CASE("a path that is no packed file is refused before it is mapped", "[mapping]") {
  const TempDir dir;
  CHECK(says(refusal(dir / "missing"), {"there is no such file"}));
  CHECK(says(refusal(dir.path()), {"is a folder, not a file"}));
  test::write_file(dir / "empty", "");
  CHECK(says(refusal(dir / "empty"), {"is empty"}));
  REQUIRE(::mkfifo((dir / "fifo").c_str(), 0600) == 0);
  CHECK(says(refusal(dir / "fifo"), {"is not a regular file"}));
  CHECK(says(refusal("/dev/zero"), {"is not a regular file"}));
}

TEST_CASE("what cannot be mapped is read instead", "[mapping]") {
  const TempDir dir;
  test::write_file(dir / "f", "x");
  const int write_only = ::open((dir / "f").c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(write_only >= 0);
  CHECK(Mapping::of(write_only, 1) == nullptr);
  ::close(write_only);
  const auto bytes = test::to_bytes("x");
  Reader memory(bytes, "memory");
  memory.map();
  CHECK(memory.mapping() == nullptr);
}
