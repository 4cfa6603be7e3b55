// Compact packed files: pairs of tensors, quotes, generators by name, and what a reader refuses.
#include "file/compact.h"

#include "file/json.h"
#include "file/safetensors.h"
#include "support/bytes.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/packed_files.h"
#include "tbn/error.h"
#include "tbn/file.h"

using namespace tbn;
using test::message_of;
using test::sealed;
using test::to_bytes;
using test::to_text;

namespace {

HostTensor vector_of(std::vector<float> values) {
  return HostTensor::of<float>({std::ssize(values)}, std::span<const float>(values));
}

// One pair of each kind, and what looks like one and is none.
PackedFile compact_file() {
  PackedFile file = test::small_packed_file();
  file.graph_json = R"({"common":[],"name":"it's \"x\"","nodes":[]})";
  file.features = {"compact", "generated", "tiled"};
  file.tensors["conv.scale"] = vector_of({1, 2, 3});
  file.tensors["conv.alpha"] = vector_of({7, 8, 9});
  file.tensors["conv.bias"] = vector_of({4, 5, 6});
  file.tensors["fc.alpha"] = vector_of({0.5F, -1.25F});
  file.tensors["fc.bias"] = vector_of({1, 2});
  file.tensors["norm.weight"] = vector_of({1});
  file.tensors["norm.bias"] = vector_of({2});
  file.tensors["longer.scale"] = vector_of({1, 2});
  file.tensors["longer.bias"] = vector_of({1});
  file.tensors["half.scale"] = HostTensor(DType::kF16, {2});
  file.tensors["half.bias"] = vector_of({1, 2});
  file.tensors["wide.weight"] = HostTensor(DType::kF32, {2, 2});
  file.tensors["wide.bias"] = vector_of({1, 2});
  file.tensors["bias"] = vector_of({1});
  file.test_vectors =
      TestVectors{.input = {}, .output = HostTensor(DType::kF32, {2, 1}), .generator = "example-1"};
  return file;
}

std::string refused(const std::string& features, const std::string& more,
                    const std::string& tensors = "", const std::string& data = "",
                    const std::string& graph = "{'common':[]}") {
  const std::string metadata = R"(,"tbn.features":")" + features +
                               R"(","tbn.format":"1.0","tbn.graph":")" + graph + "\"" + more;
  return message_of<DataError>(
      [&] { parse_packed(to_bytes(sealed(metadata, tensors, data)), "m.tbn"); });
}

std::string entry(const std::string& name, const std::string& shape, int begin, int end) {
  return ",\"" + name + R"(":{"dtype":"U8","shape":)" + shape + R"(,"data_offsets":[)" +
         std::to_string(begin) + "," + std::to_string(end) + "]}";
}

}  // namespace

TEST_CASE("a compact file survives a round trip, and holds each pair in one entry", "[packed]") {
  const PackedFile file = compact_file();
  const std::vector<std::byte> bytes = serialize_packed(file);
  const PackedFile parsed = parse_packed(bytes, "m.tbn");
  CHECK(parsed == file);
  CHECK(serialize_packed(parsed) == bytes);
  const SafetensorsFile raw = parse_safetensors(bytes, "m.tbn");
  std::vector<std::string> names;
  for (const auto& [name, tensor] : raw.tensors) names.push_back(name);
  CHECK(names == std::vector<std::string>{"bias", "conv.alpha", "conv.scale+bias", "fc.alpha+bias",
                                          "fc.tile", "half.bias", "half.scale", "longer.bias",
                                          "longer.scale", "norm.weight+bias", "verify.output",
                                          "wide.bias", "wide.weight"});
  CHECK(raw.tensors.at("conv.scale+bias") ==
        HostTensor::of<float>({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}));
  CHECK(raw.metadata.at("tbn.graph") == R"({'common':[],'name':'it"s \'x\'','nodes':[]})");
  CHECK(raw.metadata.at("tbn.verify") == "example-1");
  CHECK(raw.metadata.at("tbn.features") == "compact,generated,tiled");
}

TEST_CASE("a flip of any bit and every truncation of a compact file is refused", "[packed]") {
  std::string text = to_text(serialize_packed(compact_file()));
  for (std::size_t at = 0; at < text.size(); ++at) {
    REQUIRE_THROWS_AS(parse_packed(to_bytes(text.substr(0, at)), "m"), DataError);
    for (int bit = 0; bit < 8; ++bit) {
      text[at] = static_cast<char>(text[at] ^ (1 << bit));
      REQUIRE_THROWS_AS(parse_packed(to_bytes(text), "m"), DataError);
      text[at] = static_cast<char>(text[at] ^ (1 << bit));
    }
  }
}

TEST_CASE("pairs of other names and shapes, and tensors that are there twice, are refused",
          "[packed]") {
  CHECK(refused("compact", "", entry("a.bias+scale", "[2,1]", 0, 2), "ab") ==
        "m.tbn: tensor 'a.bias+scale' has the name of no pair");
  CHECK(refused("compact", "", entry("a.scale+alpha+bias", "[2,1]", 0, 2), "ab") ==
        "m.tbn: tensor 'a.scale+alpha+bias' has the name of no pair");
  for (const char* shape : {"[2]", "[1,2]", "[2,1,1]"}) {
    CHECK(test::says(refused("compact", "", entry("a.scale+bias", shape, 0, 2), "ab"),
                     {"m.tbn: tensor 'a.scale+bias' is [", ", and a pair is [2, n]"}));
  }
  CHECK(refused("compact", "", entry("a.bias", "[1]", 0, 1) + entry("a.scale+bias", "[2,1]", 1, 3),
                "abc") == "m.tbn: holds tensor 'a.bias' twice");
  CHECK(refused("compact", "",
                entry("a.alpha+bias", "[2,1]", 0, 2) + entry("a.scale+bias", "[2,1]", 2, 4),
                "abcd") == "m.tbn: holds tensor 'a.bias' twice");
  CHECK(test::says(refused("compact", "", entry("verify.weight+bias", "[2,1]", 0, 2), "ab"),
                   {"has a reserved name"}));
}

TEST_CASE("the short form of a graph and the feature 'compact' come together", "[packed]") {
  CHECK(refused("compact", "", "", "", "{}") ==
        "m.tbn: names the feature 'compact', and its graph is in full");
  CHECK(refused("", "", "", "", R"({\"common\":[]})") ==
        "m.tbn: its graph is in short form, and it does not name the feature 'compact'");
  CHECK(test::says(refused("", "", "", "", "{'common':[]}"), {"m.tbn: tbn.graph: JSON"}));
  PackedFile file = compact_file();
  file.graph_json = R"({"name":"n","nodes":[]})";
  CHECK_THROWS_AS(serialize_packed(file), InternalError);
}

TEST_CASE("a generator comes with outputs, without inputs and with its feature", "[packed]") {
  const std::string verify = R"(,"tbn.verify":"example-1")";
  const std::string output = entry("verify.output", "[1]", 0, 1);
  CHECK(test::says(refused("compact,generated", "", output, "a"),
                   {"metadata 'tbn.verify' is missing"}));
  CHECK(test::says(refused("compact,generated", verify),
                   {"names a generator of test vectors and holds no verify.output"}));
  CHECK(test::says(refused("compact,generated", R"(,"tbn.verify":"")", output, "a"),
                   {"names no generator of its test vectors"}));
  CHECK(test::says(
      refused("compact,generated", verify, output + entry("verify.input", "[1]", 1, 2), "ab"),
      {"holds verify.input and names a generator of it as well"}));
  CHECK(test::says(refused("compact", verify, output, "a"), {"only one of the test vectors"}));
}

TEST_CASE("without the feature, 'tbn.verify' is free text and a plus is part of a name",
          "[packed]") {
  PackedFile file = test::small_packed_file();
  file.metadata["tbn.verify"] = "by hand";
  file.tensors["a.scale+bias"] = HostTensor(DType::kF32, {2, 1});
  const PackedFile parsed = parse_packed(serialize_packed(file), "m.tbn");
  CHECK(parsed.metadata == file.metadata);
  CHECK(parsed.tensors == file.tensors);
}
