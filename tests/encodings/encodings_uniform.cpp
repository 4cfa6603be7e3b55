// Integers of a few bits: which float becomes which, how they lie in a file, and what is refused.
#include "encodings/encoding.h"
#include "encodings/uniform.h"
#include "graph/node_rows.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/random_model.h"
#include "tbn/error.h"
#include "tbn/policy.h"
#include "tbn/runtime.h"

using namespace tbn;
using tbn::test::message_of;

namespace {

Graph linear_layer(std::int64_t bits) {
  GraphBuilder b("net");
  return b.finish(b.input({3}).linear(2, {.bias = false, .weights = uniform(bits)}).named("fc"));
}

}  // namespace

TEST_CASE("a level is the quotient, clamped to what the bits hold, halves to even") {
  CHECK(level_of(0.74f, 0.5f, 8) == 1);
  CHECK(level_of(0.75f, 0.5f, 8) == 2);  // 1.5
  CHECK(level_of(0.25f, 0.5f, 8) == 0);  // 0.5
  CHECK(level_of(-0.75f, 0.5f, 8) == -2);
  CHECK(level_of(1000, 0.5f, 8) == 127);
  CHECK(level_of(-1000, 0.5f, 8) == -128);
  CHECK(level_of(-1000, -0.5f, 8) == 127);  // a step may have learned to be negative
  CHECK(level_of(3, 1, 2) == 1);
  CHECK(level_of(-3, 1, 2) == -2);
  CHECK(level_of(0, 0, 4) == 0);
  CHECK(level_of(1, 0, 4) == 0);
  CHECK(level_of(3e38f, 1e-38f, 3) == 3);  // infinite quotients are clamped too
}

TEST_CASE("every level of every width comes back from its bits") {
  for (std::int64_t bits = kFewestLevelBits; bits <= kMostLevelBits; ++bits) {
    CAPTURE(bits);
    std::vector<std::int8_t> row;
    for (std::int64_t level = lowest_level(bits); level <= highest_level(bits); ++level) {
      row.push_back(static_cast<std::int8_t>(level));
    }
    row.push_back(-1);  // so that rows of 2 to 7 bits end inside of a byte
    const std::int64_t row_bytes = level_row_bytes(std::ssize(row), bits);
    std::vector<std::uint8_t> packed(static_cast<std::size_t>(row_bytes), 0xff);
    pack_levels(row, bits, packed);
    std::vector<std::int8_t> back(row.size());
    unpack_levels(packed, bits, back);
    CHECK(back == row);
  }
}

TEST_CASE("levels lie in two's complement, the lowest bits first, each row from a byte on") {
  Model model{.graph = linear_layer(3), .tensors = {}};
  model.tensors["fc.weight"] =
      HostTensor::of<float>({2, 3}, std::vector<float>{1, -1, 3, -4, 0, 2});
  model.tensors["fc.alpha"] = HostTensor::of<float>({2}, std::vector<float>(2, 3.0f));
  const Model packed = pack_model(model);
  const auto steps = packed.tensors.at("fc.alpha").values<float>();
  CHECK(steps[0] == Approx(1));
  const auto levels = packed.tensors.at("fc.levels").values<std::uint8_t>();
  // 001, 111, 011 and 100, 000, 010, read from their last bit.
  CHECK(std::vector<std::uint8_t>(levels.begin(), levels.end()) ==
        std::vector<std::uint8_t>{0b11111001, 0b0, 0b10000100, 0b0});
}

TEST_CASE("a folded norm takes the steps in") {
  GraphBuilder b("net");
  const Graph graph = b.finish(b.input({3}).linear(2, {.weights = uniform(4)}).batch_norm());
  const Model packed = pack_model(test::random_trained(graph, 1));
  CHECK(packed.tensors.contains("linear1.levels"));
  CHECK(packed.tensors.contains("linear1.scale"));
  CHECK_FALSE(packed.tensors.contains("linear1.alpha"));
}

TEST_CASE("uniform weights of other widths are refused where they are said, and in files") {
  Graph graph = linear_layer(8);
  for (const std::int64_t bits : {0, 1, 9, 64}) {
    const std::string wanted =
        "linear 'fc': uniform weights have 2 to 8 bits, not " + std::to_string(bits);
    CHECK(message_of<ConfigError>(
              [&] { apply_policy(graph, {.standard = uniform(bits), .rules = {}}); }) == wanted);
    std::string json = to_json(linear_layer(8));
    json.replace(json.find("\"bits\":8"), 8, "\"bits\":" + std::to_string(bits));
    CHECK(test::says(message_of<DataError>([&] { graph_from_json(json, "file"); }),
                     {"file: ", bits < 2 ? "'weights'" : wanted}));
  }
}

TEST_CASE("levels that do not end with zeros are refused") {
  Model packed = test::random_packed(linear_layer(3), 1);
  CHECK_NOTHROW(Network::from(packed));
  packed.tensors.at("fc.levels").values<std::uint8_t>()[3] = 0x02;  // bit 9 of row 1
  CHECK(message_of<DataError>([&] { Network::from(packed, {}, "file"); }) ==
        "file: linear 'fc': row 1 of its 3 levels does not end with zeros");
}

TEST_CASE("rows of 8 bits are read where they lie, others once they are unpacked") {
  for (const std::int64_t bits : {7, 8}) {
    const Model packed = test::random_packed(linear_layer(bits), 2);
    const LayerRows rows = layer_rows(packed.graph, packed.tensors, packed.graph.node(1));
    const auto& integers = std::get<IntegerRows>(rows.values);
    CHECK(integers.bits == bits);
    CHECK((rows.keep == nullptr) == (bits == 8));
  }
}
