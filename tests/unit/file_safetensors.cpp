// Safetensors files: round trips, the bytes of the official writer, and hostile headers.
#include "file/safetensors.h"

#include "file/json.h"
#include "file/reader.h"
#include "file/safetensors_header.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using test::message_of;
using test::safetensors_text;
using test::says;
using test::to_bytes;
using test::to_text;

namespace {

SafetensorsFile parse(std::string_view text) { return parse_safetensors(to_bytes(text), "t.st"); }

std::string parse_error(std::string_view text) {
  return message_of<DataError>([&] { parse(text); });
}

HostTensor filled(DType dtype, Shape shape) {
  HostTensor t(dtype, std::move(shape));
  unsigned value = 0;
  for (std::byte& b : t.bytes()) b = static_cast<std::byte>(dtype == DType::kBool ? 1 : ++value);
  return t;
}

TensorMap one_of_each() {
  TensorMap tensors;
  for (const DType dtype : {DType::kBool, DType::kU8, DType::kI8, DType::kI32, DType::kI64,
                            DType::kF16, DType::kBF16, DType::kF32, DType::kF64}) {
    tensors["t." + std::string(to_string(dtype))] = filled(dtype, {3, 1});
  }
  tensors["empty"] = HostTensor(DType::kF32, {0, 4});
  tensors["scalar"] = filled(DType::kF32, {});
  tensors["n\u00e4me \"quoted\""] = filled(DType::kU8, {2, 2, 1, 1});
  return tensors;
}

// What the official package (Python, safetensors 0.8.0) writes for these tensors.
const std::string kOfficialHeader =
    R"({"__metadata__":{"epoch":"7"},"n":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},)"
    R"("bias":{"dtype":"F32","shape":[2],"data_offsets":[8,16]},)"
    R"("alpha":{"dtype":"F16","shape":[],"data_offsets":[16,18]},)"
    R"("a.tile":{"dtype":"U8","shape":[1,3],"data_offsets":[18,21]}})";
const std::string kOfficialData(
    "\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\xc0?\x00\x00\x00\xc0\x00\x38\x01\x02\xff", 21);

}  // namespace

TEST_CASE("every dtype and shape survives a round trip through bytes and a file", "[file]") {
  const TensorMap tensors = one_of_each();
  const std::map<std::string, std::string> metadata = {{"a", "1"}, {"note", "two\nlines \u20ac"}};
  const std::vector<std::byte> bytes = serialize_safetensors(tensors, metadata);
  const SafetensorsFile parsed = parse_safetensors(bytes, "t.st");
  CHECK(parsed.tensors == tensors);
  CHECK(parsed.metadata == metadata);

  const test::TempDir dir;
  write_safetensors(dir / "m.safetensors", tensors, metadata);
  CHECK(test::read_file(dir / "m.safetensors") == to_text(bytes));
  const SafetensorsFile read = read_safetensors(dir / "m.safetensors");
  CHECK(read.tensors == tensors);
  CHECK(read.metadata == metadata);
}

TEST_CASE("a file without tensors and metadata is valid", "[file]") {
  const SafetensorsFile file = parse_safetensors(serialize_safetensors({}, {}), "t.st");
  CHECK(file.tensors.empty());
  CHECK(file.metadata.empty());
  CHECK_NOTHROW(parse(safetensors_text("{}", "")));
}

TEST_CASE("data starts at a multiple of 64 and each tensor is aligned to its elements", "[file]") {
  for (std::size_t length = 0; length < 70; ++length) {
    const auto bytes = serialize_safetensors(one_of_each(), {{"k", std::string(length, 'x')}});
    Reader reader(bytes, "t.st");
    const SafetensorsHeader header = read_safetensors_header(reader);
    REQUIRE(reader.offset() % 64 == 0);
    REQUIRE(header.text.size() < 64 + header.text.find_last_not_of(' ') + 1);
    for (const SafetensorsEntry& entry : header.entries) {
      REQUIRE(entry.begin % size_of(entry.dtype) == 0);
    }
  }
}

TEST_CASE("a file of the official writer is read, and written back the same but for padding",
          "[file]") {
  const SafetensorsFile file = parse(safetensors_text(kOfficialHeader + "     ", kOfficialData));
  CHECK(file.metadata == std::map<std::string, std::string>{{"epoch", "7"}});
  CHECK(file.tensors.at("bias") == HostTensor::of<float>({2}, std::vector<float>{1.5F, -2.0F}));
  CHECK(file.tensors.at("n").values<std::int64_t>()[0] == -1);
  CHECK(file.tensors.at("alpha").dtype() == DType::kF16);
  CHECK(file.tensors.at("alpha").shape().empty());
  CHECK(file.tensors.at("a.tile").values<std::uint8_t>()[2] == 255);

  const std::string padded = kOfficialHeader + std::string(320 - 8 - kOfficialHeader.size(), ' ');
  CHECK(to_text(serialize_safetensors(file.tensors, file.metadata)) ==
        safetensors_text(padded, kOfficialData));
}

TEST_CASE("every truncation and every extra byte is refused", "[file]") {
  const std::string text = safetensors_text(kOfficialHeader, kOfficialData);
  for (std::size_t length = 0; length < text.size(); ++length) {
    REQUIRE_THROWS_AS(parse(text.substr(0, length)), DataError);
  }
  CHECK(says(parse_error(text.substr(0, text.size() - 4)),
             {"t.st: truncated: the header says 21 bytes of data, the file holds 17"}));
  CHECK(says(parse_error(text + "x"), {"the file holds 22: 1 too many"}));
  CHECK(says(parse_error("abc"), {"truncated", "length takes 8 bytes at byte 0", "holds 3"}));
}

TEST_CASE("a foreign or hostile start of a file is refused", "[file]") {
  CHECK(says(parse_error(test::little_endian_u64(std::uint64_t{1} << 63) + "{}"),
             {"not a safetensors file", "9,223,372,036,854,775,808", "100,000,000"}));
  CHECK(says(parse_error(std::string(8, '\xff') + "{}"), {"not a safetensors file"}));
  CHECK(says(parse_error(test::little_endian_u64(99'999'999) + "{}"), {"truncated", "holds 2"}));
  CHECK(says(parse_error("\x89PNG\r\n\x1a\n 12345"), {"not a safetensors file"}));
  CHECK(says(parse_error(safetensors_text(" {}", "")), {"does not start with '{'"}));
  CHECK(says(parse_error(safetensors_text("", "")), {"does not start with '{'"}));
}

TEST_CASE("a hostile header is refused with its place", "[file]") {
  const auto entry = [](const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return R"("t":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
           "}";
  };
  const std::string two62 = "4611686018427387904";
  const auto [members, problem] = GENERATE_COPY(table<std::string, std::string>({
      {entry("F32", "[3]", "[0,8]"), "F32 [3] takes 12 bytes, data_offsets say [0, 8]"},
      {entry("F32", "[2]", "[8,0]"), "data_offsets say [8, 0]"},
      {entry("F32", "[1]", "[4,8]"), "leave holes"},
      {entry("F32", "[2]", "[-8,0]"), "-8 is not between 0"},
      {entry("F32", "[-2]", "[0,8]"), "-2 is not between 0"},
      {entry("F32", "[-1,-2]", "[0,8]"), "-1 is not between 0"},
      {entry("F32", "[" + two62 + "," + two62 + "]", "[0,8]"), "overflows"},
      {entry("F32", "[" + two62 + "]", "[0,0]"), "overflows"},
      {entry("U8", "[0," + two62 + "," + two62 + "]", "[0,0]"), "overflows"},
      {entry("U8", "[" + two62 + "]", "[0," + two62 + "]"), "truncated"},
      {entry("U8", "[8.0]", "[0,8]"), "expected an integer"},
      {entry("U8", "[1e400]", "[0,8]"), "beyond the range of a double"},
      {entry("U8", "[99999999999999999999]", "[0,8]"), "beyond 64 bits"},
      {entry("U8", "8", "[0,8]"), "expected an array"},
      {entry("U8", "[8]", "[0]"), "two data_offsets"},
      {entry("U8", "[8]", "[0,8,8]"), "two data_offsets"},
      {entry("U8", "[8]", "8"), "expected an array"},
      {entry("u8", "[8]", "[0,8]"), "dtype 'u8' is none of"},
      {entry("F8_E4M3", "[8]", "[0,8]"), "dtype 'F8_E4M3' is none of"},
      {entry("BOOL", "[8]", "[0,8]"), "bytes other than 0 and 1"},
      {entry("U8", "[8]", "[0,8]") + "," + entry("U8", "[8]", "[0,8]"), "'t' appears twice"},
      {entry("U8", "[8]", "[0,8]") + R"(,"u":{"dtype":"U8","shape":[8],"data_offsets":[0,8]})",
       "must not overlap"},
      {entry("U8", "[5]", "[0,5]") + R"(,"u":{"dtype":"U8","shape":[4],"data_offsets":[4,8]})",
       "must not overlap"},
      {R"("t":{"dtype":"U8","shape":[8]})", "no key 'data_offsets'"},
      {R"("t":{"dtype":"U8","shape":[8],"data_offsets":[0,8],"x":1})", "nothing else"},
      {R"("t":3)", "expected an object"},
      {R"("__metadata__":{"a":1})", "'__metadata__': byte 21: expected a string"},
      {R"("__metadata__":[])", "expected an object"},
      {"\"\xff\":3", "invalid UTF-8"},
      {"\"t\":" + std::string(100, '['), "deeper than 64"},
      {entry("U8", "[" + std::string(32, '1') + "]", "[0,8]"), "beyond 64 bits"},
  }));
  CAPTURE(members);
  CHECK(says(parse_error(safetensors_text("{" + members + "}", std::string(8, '\7'))),
             {"t.st: ", problem}));
}

TEST_CASE("a shape of too many dimensions is refused", "[file]") {
  std::string ones = "1";
  for (int i = 0; i < 31; ++i) ones += ",1";
  const auto text = [](const std::string& shape) {
    return safetensors_text(
        R"({"t":{"dtype":"U8","shape":[)" + shape + R"(],"data_offsets":[0,1]}})", "x");
  };
  CHECK_NOTHROW(parse(text(ones)));
  CHECK(says(parse_error(text(ones + ",1")), {"33 dimensions", "32"}));
}

TEST_CASE("a tensor must not take the metadata's name", "[file]") {
  CHECK_THROWS_AS(serialize_safetensors({{"__metadata__", HostTensor(DType::kU8, {1})}}, {}),
                  InternalError);
}
