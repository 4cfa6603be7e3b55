// A graph's canonical JSON and its strict reader.
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"
#include "tbn/graph.h"

using namespace tbn;
using tbn::test::message_of;

namespace {

// The ops on sequences, of an image.
Value tokens(Value x) {
  x = x.pad({.top = 1, .bottom = 2, .left = 3, .right = 4}).conv(6).slice(1, 1, 4).slice(2, 4, 2);
  x = x.to_tokens().layer_norm({.eps = 1e-3}).class_token().slice(0, 1, 8);
  x = x.position_embedding(PositionKind::kSinusoidal).position_embedding();
  x = x.attention({.heads = 2, .grid = {4, 2}, .window = 2, .shift = 1, .relative_bias = true});
  x = attention(x, x * x, x - x.moving_average(5), {.heads = 2});
  x = x.transpose().matmul(x).add_identity({.orthogonal = true});
  return x.sequence_pool(PoolKind::kMax).expand(3).sequence_pool(PoolKind::kMean);
}

// One node of every kind, with attributes off their defaults.
Graph every_op() {
  GraphBuilder b("every");
  Value x = b.input({2, 12, 12}).normalize({0.5f, 1.25f}, {0.25f, 3.0f});
  const TiledWeights odd{.p = 3,
                         .alpha = AlphaScope::kLayer,
                         .alpha_from = AlphaSource::kWeight,
                         .latent = LatentForm::kFull};
  Value y = x.conv(6, {.kernel = {3, 1},
                       .stride = {2, 1},
                       .padding = {0, 2},
                       .groups = 2,
                       .bias = true,
                       .weights = odd,
                       .scale = true,
                       .activation = ActivationKind::kSilu});
  y = y.batch_norm({.eps = 1e-3, .momentum = 0.25}).gelu();
  y = (y + y).max_pool({.kernel = 3, .stride = 1, .padding = 1}).avg_pool({.kernel = {2, 1}});
  y = b.add(Affine{ActivationKind::kRelu}, {y}).dropout(0.125);
  Value z = y.global_avg_pool();
  z = concat({z + z.flatten(), tokens(y)}, 0);
  return b.finish(z.linear(4, {.bias = false, .weights = tiled(2)}));
}

}  // namespace

TEST_CASE("a graph survives the way to JSON and back, and gives the same bytes") {
  const Graph graph = every_op();
  const std::string text = to_json(graph);
  const Graph back = graph_from_json(text, "file");
  CHECK(back == graph);
  CHECK(to_json(back) == text);
}

TEST_CASE("every_op has every op, so that a new one is tested too") {
  std::vector<bool> seen(std::variant_size_v<OpVariant>, false);
  for (const Node& node : every_op().nodes) seen[node.op.index()] = true;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    INFO("alternative " << i << " of Op");
    CHECK(seen[i]);
  }
}

TEST_CASE("the reader names the file and the node, and what is wrong") {
  const auto refused = [](const std::string& nodes, const std::string& output = "0") {
    return message_of<DataError>([&] {
      graph_from_json("{\"name\":\"n\",\"nodes\":[" + nodes + "],\"output\":" + output + "}",
                      "f.tbn");
    });
  };
  const std::string input = R"({"name":"input","op":"input","shape":[3,4,4]})";
  CHECK(refused("").find("f.tbn: the graph: ") == 0);
  CHECK(refused(input + R"(,{"name":"a","op":"warp","inputs":[0]})") ==
        "f.tbn: node 1 of the graph: its op is unknown to this version of tbn; it may come from a "
        "newer one");
  CHECK(refused(input + R"(,{"name":"a","op":"flatten","inputs":[0],"colour":1})") ==
        "f.tbn: node 1 of the graph: it has an attribute that its op does not know");
  CHECK_THAT(refused(input + R"(,{"name":"a","op":"flatten","inputs":[1]})"),
             StartsWith("f.tbn: node 1 of the graph: "));
  CHECK_THAT(refused(input + R"(,{"name":"a","op":"dropout","inputs":[0],"rate":"x"})"),
             StartsWith("f.tbn: node 1 of the graph: attribute 'rate': "));
  CHECK_THAT(refused(R"({"name":"input","op":"input","shape":[2147483647,2147483647,4]})"),
             ContainsSubstring("has more than 2147483647 values"));
  CHECK_THAT(refused(input, "7"), StartsWith("f.tbn: the graph: "));
}

TEST_CASE("a node that claims a weight beyond the limit is refused before memory is asked for") {
  const std::string text =
      R"({"name":"n","nodes":[{"name":"input","op":"input","shape":[2147483647]},)"
      R"({"name":"fc","op":"linear","inputs":[0],"out_features":2147483647}],"output":1})";
  CHECK(message_of<DataError>([&] { graph_from_json(text, "f.tbn"); }) ==
        "f.tbn: the graph: linear 'fc': its weight has 2147483647 x 2147483647 values, more than "
        "the 2,147,483,647 that a layer may have");
}
