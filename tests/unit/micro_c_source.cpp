// What the C source says of itself; that it computes the right thing is for tests/mcu.
#include "export/c_arrays.h"
#include "export/c_source.h"
#include "export/c_text.h"
#include "micro/lower.h"
#include "support/catch.h"
#include "support/micro_cases.h"
#include "support/random_model.h"

using namespace tbn;
using namespace tbn::test;

namespace {

CSource source_of(const Model& packed) {
  const micro::Network network = micro::lower(packed);
  const std::vector<float> image = random_images(packed.graph, 1, 3);
  micro::Ranges ranges;
  micro::observe_ranges(network, micro::channels_last(network.input, image.data()), ranges);
  return c_source(micro::quantize(network, ranges), "net");
}

}  // namespace

TEST_CASE("c source: the paper's network takes 3,316 bytes at most, and an arena of 1,040") {
  GraphBuilder b("mlp");
  Value x = b.input({1, 28, 28}).flatten();
  // As the passes leave it: relu in the first layer.
  x = x.linear(128, {.bias = false, .weights = tiled(4), .activation = ActivationKind::kRelu});
  const Graph graph = b.finish(x.linear(10, {.bias = false, .weights = binary()}));
  const CSource source = source_of(random_packed(graph, 1));
  CHECK(source.weights() == 3136 + 160);
  CHECK(source.scalars() == 2 * (4 + 1));
  CHECK(source.arena_bytes <= 1040);
  REQUIRE(source.steps.size() == 2);
  CHECK(source.steps[0].multiply_adds == 25088);
}

TEST_CASE("c source: the same network gives the same text") {
  for (const MicroCase& micro_case : micro_cases()) {
    INFO(micro_case.name);
    const CSource a = source_of(micro_case.packed), b = source_of(micro_case.packed);
    CHECK(a.source == b.source);
    CHECK(a.header == b.header);
  }
}

TEST_CASE("c source: a network's name cannot leave its comment") {
  GraphBuilder b("evil*/int x;/*");
  const Graph graph = b.finish(b.input({1, 2, 2}).flatten().linear(2, {.weights = binary()}));
  const CSource source = source_of(random_packed(graph, 1));
  CHECK(source.source.find("int x") == std::string::npos);
  CHECK(source.source.find("\n#include \"net.h\"") != std::string::npos);
  CHECK(source.header.find("int x") == std::string::npos);
}

TEST_CASE("c source: names for C") {
  CHECK(is_c_name("mnist_mlp"));
  CHECK(is_c_name("_2"));
  for (const char* name : {"", "2a", "a-b", "a b", "a.b", "\xc3\xa4"}) CHECK_FALSE(is_c_name(name));
  CHECK_FALSE(is_c_name(std::string(41, 'a')));
}

TEST_CASE("c source: names that would write over what others include are refused, in any case") {
  for (const char* name :
       {"mnist_mlp", "model", "digits", "string_net", "main_net", "tbn_digits"}) {
    INFO(name);
    CHECK(c_name_problem(name).empty());
  }
  const auto refused = [](const char* word, std::initializer_list<const char*> names) {
    for (const char* name : names) {
      INFO(name);
      CHECK(c_name_problem(name).find(word) != std::string::npos);
    }
  };
  refused("no name for C", {"", "2a", "a-b", "../a", "a/b"});
  refused("where a program begins", {"main", "Main", "MAIN"});
  refused("keyword", {"int", "While", "class", "restrict", "xor"});
  refused("C library", {"string", "STRING", "stdint", "math", "unistd", "Time"});
  refused("tbn's own", {"tbn", "tbn_micro", "TBN_Micro", "tbn_micro_f32", "tbn_c"});
  refused("keep for compilers", {"__model", "_Model", "_x", "_", "a__b", "model_"});
}

TEST_CASE("c source: what tbn-export wrote is known by its first line") {
  GraphBuilder b("net");
  const Graph graph = b.finish(b.input({1, 2, 2}).flatten().linear(2, {.weights = binary()}));
  const CSource source = source_of(random_packed(graph, 1));
  CHECK(is_exported_c(source.source));
  CHECK(is_exported_c(source.header));
  for (const char* text :
       {"", "int main(void) { return 0; }", "/* my own */\n, written by tbn-export",
        "// copied: /* net, written by tbn-export */"}) {
    INFO(text);
    CHECK_FALSE(is_exported_c(text));
  }
}

TEST_CASE("c source: the words of a tile hold 32 inputs of each row, its tail the rest in bytes") {
  micro::RowSigns rows{.rows = 2, .positive = std::vector<std::uint8_t>(2 * 41, 0)};
  rows.positive[0] = 1;        // row 0, input 0
  rows.positive[31] = 1;       // row 0, input 31
  rows.positive[41 + 33] = 1;  // row 1, input 33
  rows.positive[41 + 40] = 1;  // row 1, input 40
  const TileWords tile = tile_words(rows);
  CHECK(tile.words == std::vector<std::uint32_t>{0x80000001u, 0});
  CHECK(tile.tail == std::vector<std::uint8_t>{0, 2, 0, 1});
}
