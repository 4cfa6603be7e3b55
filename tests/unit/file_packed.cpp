// The packed model file: round trips, every bit covered, and what a reader refuses.
#include "file/json.h"
#include "file/safetensors.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/growth.h"
#include "support/packed_files.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "tbn/file.h"
#include "tbn/rule.h"

using namespace tbn;
using test::message_of;
using test::says;
using test::sealed;
using test::small_packed_file;
using test::to_bytes;
using test::to_text;

namespace {

PackedFile parse(std::string_view text) { return parse_packed(to_bytes(text), "m.tbn"); }

std::string parse_error(std::string_view text) {
  return message_of<DataError>([&] { parse(text); });
}

// The members of an honest file's metadata, with another format and other features.
std::string metadata(const std::string& format, const std::string& features = "",
                     const std::string& graph = "{}") {
  return R"(,"tbn.features":")" + features + R"(","tbn.format":")" + format + R"(","tbn.graph":")" +
         graph + "\"";
}

}  // namespace

TEST_CASE("a packed file survives a round trip through bytes and a file", "[packed]") {
  PackedFile file = small_packed_file();
  const std::vector<std::byte> bytes = serialize_packed(file);
  const PackedFile parsed = parse_packed(bytes, "m.tbn");
  CHECK(parsed.graph_json == R"({"eps":0.001,"nodes":[{"name":"fc","p":4}]})");
  CHECK(parsed.format == "1.0");
  file.graph_json = parsed.graph_json;
  CHECK(parsed == file);
  CHECK(serialize_packed(parsed) == bytes);

  const test::TempDir dir;
  write_packed(dir / "m.tbn", file);
  CHECK(test::read_file(dir / "m.tbn") == to_text(bytes));
  CHECK(read_packed(dir / "m.tbn") == file);
}

TEST_CASE("equal models give equal bytes whatever the order of their parts", "[packed]") {
  PackedFile file = small_packed_file();
  const std::vector<std::byte> bytes = serialize_packed(file);
  file.features = {"tiled", "binary", "tiled"};
  file.graph_json = "{ \"eps\" : 1e-3, \"nodes\" : [ {\"p\":4, \"name\":\"fc\"} ] }";
  CHECK(serialize_packed(file) == bytes);
}

TEST_CASE("a packed file is a safetensors file with aligned data", "[packed]") {
  const std::vector<std::byte> bytes = serialize_packed(small_packed_file());
  const SafetensorsFile file = parse_safetensors(bytes, "m.tbn");
  CHECK(file.tensors.size() == 4);
  CHECK(file.tensors.contains("verify.input"));
  CHECK(file.metadata.at("tbn.format") == "1.0");
  CHECK(file.metadata.at("tbn.features") == "binary,tiled");
  CHECK(file.metadata.at("tbn.trained_on") == "mnist");
  CHECK((bytes.size() - 8 - 8 - 4 - 3) % 64 == 0);
}

TEST_CASE("the checksums are where the specification puts them", "[packed]") {
  const std::string text = to_text(serialize_packed(small_packed_file()));
  const std::size_t data = text.size() - (8 + 8 + 4 + 3);
  std::string head = text.substr(0, data);
  REQUIRE(head.substr(8, 38) == R"({"__metadata__":{"tbn.header_crc32c":")");
  const std::string digits = head.substr(46, 8);
  head.replace(46, 8, "00000000");
  CHECK(digits == test::crc_digits(head));
  const Json header = parse_json(head.substr(8), "header");
  CHECK(header.at("__metadata__").at("tbn.crc32c").as_string() ==
        test::crc_digits(std::string_view(text).substr(data)));
  CHECK_NOTHROW(parse(sealed(metadata("1.0"), "", "")));
}

TEST_CASE("every truncation of a packed file is refused", "[packed]") {
  const std::string text = to_text(serialize_packed(small_packed_file()));
  for (std::size_t length = 0; length < text.size(); ++length) {
    REQUIRE_THROWS_AS(parse(std::string_view(text).substr(0, length)), DataError);
  }
  REQUIRE_THROWS_AS(parse(text + '\0'), DataError);
}

TEST_CASE("a flip of any bit of a packed file is refused", "[packed]") {
  std::string text = to_text(serialize_packed(small_packed_file()));
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      text[at] = static_cast<char>(text[at] ^ (1 << bit));
      CAPTURE(at, bit);
      REQUIRE_THROWS_AS(parse(text), DataError);
      text[at] = static_cast<char>(text[at] ^ (1 << bit));
    }
  }
  CHECK_NOTHROW(parse(text));
}

TEST_CASE("damage to the data and to the header is told apart", "[packed]") {
  const std::string text = to_text(serialize_packed(small_packed_file()));
  std::string damaged = text;
  damaged.back() = '\0';
  CHECK(says(parse_error(damaged),
             {"m.tbn: damaged", "checksum of its data", "make the file again"}));
  damaged = text;
  damaged.replace(damaged.find("mnist"), 5, "cifar");
  CHECK(says(parse_error(damaged), {"m.tbn: damaged", "header's checksum"}));
  damaged = text;
  damaged.replace(damaged.find("98.1"), 4, "99.1");
  CHECK(says(parse_error(damaged), {"m.tbn: damaged", "header's checksum"}));
}

TEST_CASE("a newer major version is refused with what it means", "[packed]") {
  CHECK(parse_error(sealed(metadata("2.0"), "", "")) ==
        "m.tbn: written by a newer tbn (format 2.0; this one reads up to 1.x); upgrade tbn, or "
        "ask for a file of format 1");
  CHECK(says(parse_error(sealed(metadata("10.3"), "", "")), {"written by a newer tbn"}));
  const std::string broken = GENERATE(as<std::string>(), "", "1", "1.", ".0", "x", "1.0.1", "1.0 ",
                                      "0.9", "-1.0", "1.-1", "99999999999.0", "1.x");
  CHECK(says(parse_error(sealed(metadata(broken), "", "")), {"is no version such as 1.0"}));
}

TEST_CASE("a newer minor version and unknown metadata are accepted", "[packed]") {
  const PackedFile file = parse(sealed(metadata("1.7") + R"(,"tbn.mood":"good")", "", ""));
  CHECK(file.format == "1.7");
  CHECK(file.metadata.at("tbn.mood") == "good");
}

TEST_CASE("an unknown or unsorted feature is refused", "[packed]") {
  CHECK(says(parse_error(sealed(metadata("1.1", "binary,ternary"), "", "")),
             {"needs the feature 'ternary'", "does not know", "upgrade tbn"}));
  CHECK(says(parse_error(sealed(metadata("1.0", "tiled,binary"), "", "")), {"not a sorted list"}));
  CHECK(says(parse_error(sealed(metadata("1.0", "tiled,tiled"), "", "")), {"not a sorted list"}));
  CHECK(says(parse_error(sealed(metadata("1.0", "tiled,"), "", "")), {"not a sorted list"}));
  CHECK(says(parse_error(sealed(metadata("1.0", ",tiled"), "", "")), {"feature ''"}));
  CHECK(parse(sealed(metadata("1.0", "binary,f16,tiled"), "", "")).features.size() == 3);
}

TEST_CASE("a file that is no packed model says what it is", "[packed]") {
  const auto plain = serialize_safetensors({{"w", HostTensor(DType::kF32, {2})}}, {{"epoch", "1"}});
  CHECK(says(message_of<DataError>([&] { parse_packed(plain, "c.safetensors"); }),
             {"c.safetensors: is a plain safetensors file, perhaps a checkpoint", "tbn-export"}));
  CHECK(says(parse_error("#!/bin/sh\necho hello\n"), {"m.tbn: not a safetensors file"}));
  CHECK_THROWS_AS(read_packed("/no/such/file.tbn"), DataError);
}

TEST_CASE("a packed file whose header is out of form is refused", "[packed]") {
  const auto without_crc = serialize_safetensors({}, {{"tbn.format", "1.0"}});
  CHECK(says(message_of<DataError>([&] { parse_packed(without_crc, "m.tbn"); }),
             {"tbn.header_crc32c is not its first entry"}));
  CHECK(says(parse_error(sealed(R"(,"tbn.format":"1.0","tbn.graph":"{}")", "", "")),
             {"'tbn.features' is missing"}));
  CHECK(says(parse_error(sealed(R"(,"tbn.format":"1.0","tbn.features":"")", "", "")),
             {"'tbn.graph' is missing"}));
  CHECK(says(parse_error(sealed(metadata("1.0", "", "{"), "", "")), {"m.tbn: tbn.graph: JSON"}));
}

TEST_CASE("test vectors come in pairs of one batch size", "[packed]") {
  const std::string input = R"(,"verify.input":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  const std::string output = R"(,"verify.output":{"dtype":"U8","shape":[2],"data_offsets":[1,3]})";
  const std::string other = R"(,"verify.x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
  CHECK(says(parse_error(sealed(metadata("1.0"), input, "a")), {"only one of the test vectors"}));
  CHECK(says(parse_error(sealed(metadata("1.0"), input + output, "abc")),
             {"verify.input is [1], verify.output [2]"}));
  CHECK(says(parse_error(sealed(metadata("1.0"), other, "a")), {"'verify.x' has a reserved name"}));
}

TEST_CASE("a packed file that a reader would refuse is not written", "[packed]") {
  PackedFile file = small_packed_file();
  file.metadata["tbn.crc32c"] = "0";
  CHECK_THROWS_AS(serialize_packed(file), InternalError);
  file = small_packed_file();
  file.features.emplace_back("ternary");
  CHECK_THROWS_AS(serialize_packed(file), InternalError);
  file = small_packed_file();
  file.tensors["verify.input"] = HostTensor(DType::kF32, {1});
  CHECK_THROWS_AS(serialize_packed(file), InternalError);
  file = small_packed_file();
  file.test_vectors->output = HostTensor(DType::kF32, {2, 1});
  CHECK_THROWS_AS(serialize_packed(file), InternalError);
  file = small_packed_file();
  file.graph_json = "{";
  CHECK_THROWS_AS(serialize_packed(file), DataError);
}

TEST_CASE("prepared weights are kept apart, begin on lines and need format 1.1", "[packed]") {
  PackedFile file = small_packed_file();
  file.prepared["prepared/signs-1-5-6-3/fc"] = HostTensor(DType::kI64, {3, 8});
  file.prepared["prepared/another/fc"] = HostTensor(DType::kI64, {1, 8});
  const std::vector<std::byte> bytes = serialize_packed(file);
  const PackedFile parsed = parse_packed(bytes, "m.tbn");
  CHECK(parsed.format == "1.1");
  CHECK(parsed.prepared == file.prepared);
  CHECK(parsed.tensors == file.tensors);
  CHECK(serialize_packed(parsed) == bytes);
  CHECK((bytes.size() - (1 + 3) * 64 - 8 - 8 - 4 - 3) % 64 == 0);  // the header ends on a line
  const std::string text = to_text(bytes);
  CHECK(text.find(R"("prepared/another/fc":{"dtype":"I64","shape":[1,8],"data_offsets":[0,64]})") !=
        std::string::npos);
}

TEST_CASE("a rule makes a file of format 1.2, and without one its bytes are as they were",
          "[packed]") {
  const PackedFile plain = small_packed_file();
  PackedFile file = plain;
  file.prepared["prepared/another/fc"] = HostTensor(DType::kI64, {1, 8});
  for (const std::string_view key : kRuleKeys) {
    file.metadata[std::string(key)] = R"({"kind":"image","steps":[]})";
    const PackedFile parsed = parse_packed(serialize_packed(file), "m.tbn");
    CHECK(parsed.format == "1.2");
    CHECK(parsed.metadata == file.metadata);
    file.metadata.erase(std::string(key));
  }
  file.prepared.clear();
  CHECK(serialize_packed(file) == serialize_packed(plain));
  CHECK(parse_packed(serialize_packed(file), "m.tbn").format == "1.0");
}

TEST_CASE("names of prepared weights and of parameters do not mix", "[packed]") {
  PackedFile file = small_packed_file();
  file.tensors["prepared/x/fc"] = HostTensor(DType::kI64, {1, 8});
  CHECK_THROWS_AS(serialize_packed(file), InternalError);
  file = small_packed_file();
  file.prepared["fc.prepared"] = HostTensor(DType::kI64, {1, 8});
  CHECK_THROWS_AS(serialize_packed(file), InternalError);
  file = small_packed_file();
  file.tensors["prepared"] = file.tensors["prepared.alpha"] = HostTensor(DType::kF32, {1});
  CHECK(parse_packed(serialize_packed(file), "m.tbn").prepared.empty());
}

TEST_CASE("a header of many keys is read and written in time that grows as they do", "[packed]") {
  const auto round_trip = [](std::size_t count) {
    PackedFile file = small_packed_file();
    for (std::size_t i = 0; i < count; ++i) file.metadata["k" + std::to_string(i)] = "v";
    const std::vector<std::byte> bytes = serialize_packed(file);
    CHECK(serialize_packed(parse_packed(bytes, "m.tbn")) == bytes);
  };
  CHECK(test::growth_of(round_trip, 3'000) < test::kMostGrowth);
}
