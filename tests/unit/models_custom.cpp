// Networks composed of layers: against a network of the zoo, the task's words, and each refusal.
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"
#include "tbn/models.h"
#include "tbn/policy.h"

using namespace tbn;
using tbn::test::message_of;
using tbn::test::says;

namespace {

LayerSpec conv(std::int64_t channels, std::int64_t kernel, std::int64_t stride = 1,
               std::string name = {}) {
  return {.op = Conv2d{.out_channels = channels, .kernel = kernel, .stride = stride},
          .name = std::move(name)};
}
const LayerSpec kNorm = {.op = BatchNorm{}};
const LayerSpec kRelu = {.op = Activation{ActivationKind::kRelu}};
const LayerSpec kClassifier = {.op = Linear{.out_features = task_word("classes")},
                               .name = "classifier"};

LayerSpec residual(LayerList layers, LayerList shortcut = {}) {
  return {.kind = LayerKind::kResidual, .branches = {std::move(layers), std::move(shortcut)}};
}
LayerSpec block(std::string name, LayerList layers) {
  return {.kind = LayerKind::kBlock, .name = std::move(name), .branches = {std::move(layers)}};
}
LayerSpec repeat(std::int64_t times, std::string name, LayerList layers) {
  return {.kind = LayerKind::kRepeat,
          .name = std::move(name),
          .times = times,
          .branches = {std::move(layers)}};
}
LayerSpec join(Op op, std::vector<LayerList> branches) {
  return {.op = std::move(op), .branches = std::move(branches)};
}

Graph build(LayerList layers, Shape input = {1, 28, 28}, TaskSpec task = {}) {
  return build_model({.type = "custom",
                      .options = {{"layers", std::move(layers)}},
                      .input = std::move(input),
                      .task = std::move(task)});
}

std::string refusal(LayerList layers, Shape input = {1, 28, 28}, TaskSpec task = {}) {
  return message_of<ConfigError>([&] { build(layers, input, task); });
}

const TaskSpec kForecast = {.task = Task::kForecasting, .output = {24, 7}};

}  // namespace

TEST_CASE("a residual network composed of layers is the zoo's, node by node") {
  const auto body = [](std::int64_t channels, std::int64_t stride) {
    return LayerList{conv(channels, 3, stride), kNorm, kRelu, conv(channels, 3), kNorm};
  };
  const auto wider = [&](std::int64_t channels) {
    LayerSpec norm = kNorm;
    norm.name = "shortcut_norm";
    return LayerList{residual(body(channels, 2), {conv(channels, 1, 2, "shortcut"), norm}), kRelu};
  };
  const Graph custom = build({conv(16, 3),
                              kNorm,
                              kRelu,
                              block("block1", {residual(body(16, 1)), kRelu}),
                              block("block2", wider(32)),
                              block("block3", wider(64)),
                              {.op = GlobalAvgPool{}},
                              kClassifier});
  const Graph zoo = build_model({.type = "resnet_small",
                                 .options = {{"channels", std::vector<std::int64_t>{16, 32, 64}}},
                                 .input = {1, 28, 28}});
  CHECK(custom.nodes == zoo.nodes);
  CHECK(custom.output == zoo.output);
}

TEST_CASE("a custom network takes the weight policy by its layers' names") {
  Graph graph = build({conv(16, 3, 1, "stem"),
                       repeat(2, "block", {conv(16, 3), kNorm, kRelu}),
                       {.op = GlobalAvgPool{}},
                       kClassifier});
  apply_policy(graph, {.standard = tiled(4),
                       .rules = {{.match = {"stem", "classifier"}, .encoding = FloatWeights{}},
                                 {.match = {"block.1.*"}, .encoding = tiled(8)}}});
  std::vector<std::int64_t> factors;
  for (const Node& node : graph.nodes) {
    if (const WeightEncoding* weights = weights_of(node.op)) {
      const auto* tile = std::get_if<TiledWeights>(weights);
      factors.push_back(tile != nullptr ? tile->p : 0);
    }
  }
  CHECK(factors == std::vector<std::int64_t>{0, 4, 8, 0});
}

TEST_CASE("repeats name what they hold by turn, and without a name count on") {
  const Graph graph = build({repeat(2, "a", {repeat(2, "b", {kRelu})}),
                             repeat(2, "", {kRelu}),
                             {.op = Flatten{}},
                             kClassifier});
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.name);
  CHECK(names == std::vector<std::string>{"input", "a.0.b.0.relu1", "a.0.b.1.relu1",
                                          "a.1.b.0.relu1", "a.1.b.1.relu1", "relu1", "relu2",
                                          "flatten1", "classifier"});
}

TEST_CASE("branches give the inputs of ops that take several, in order") {
  const LayerSpec half = {.op = Slice{.axis = 0, .begin = 0, .length = 1}};
  const Graph graph = build({join(Concat{.axis = 0}, {{}, {half}, {kRelu}}),
                             join(Subtract{}, {{}, {kRelu}}),
                             {.op = Reshape{{-1, 14}}},
                             join(Attention{.heads = 2}, {{{.op = Linear{.out_features = 8}}},
                                                          {{.op = Linear{.out_features = 8}}},
                                                          {{.op = Linear{.out_features = 8}}}}),
                             {.op = SequencePool{}},
                             kClassifier},
                            {2, 28, 28});
  // 2 + 1 + 2 channels of 784 pixels are 280 rows of 14.
  CHECK(graph.node(3).inputs == std::vector<NodeId>{0, 1, 2});
  CHECK(graph.node(3).shape == Shape{5, 28, 28});
  CHECK(graph.node(5).inputs == std::vector<NodeId>{3, 4});
  CHECK(graph.node(6).shape == Shape{280, 14});
  CHECK(graph.node(10).inputs == std::vector<NodeId>{7, 8, 9});
  CHECK(graph.node(10).shape == Shape{280, 8});
}

TEST_CASE("the task's words stand for its numbers, in clouds and in series") {
  const LayerSpec transpose = {.op = Transpose{}};
  const Graph forecast = build({transpose,
                                {.op = Linear{.out_features = task_word("horizon")}},
                                transpose,
                                {.op = Linear{.out_features = task_word("series")}}},
                               {96, 7}, kForecast);
  CHECK(forecast.output_shape() == Shape{24, 7});
  const Graph parts = build(
      {join(Concat{.axis = 1},
            {{},
             {{.op = SequencePool{PoolKind::kMax}}, {.op = Expand{.count = task_word("points")}}}}),
       kClassifier},
      {1024, 3}, {.task = Task::kSegmentation, .output = {1024, 50}});
  CHECK(parts.node(3).shape == Shape{1024, 6});
  CHECK(parts.output_shape() == Shape{1024, 50});
  CHECK(refusal({{.op = Linear{.out_features = task_word("horizon")}}}) ==
        "model.layers[0].linear.out_features: 'horizon' has no value in classification of [1, 28, "
        "28]; write a number");
  CHECK(says(refusal({{.op = Expand{.count = task_word("points")}}}), {"expand.count", "points"}));
}

TEST_CASE("what does not fit names the layer by its path and its place in the file") {
  LayerSpec wrong = conv(10, 3);
  std::get<Conv2d>(wrong.op).groups = 3;
  wrong.place = "net.yaml:7:9";
  CHECK(refusal({repeat(2, "b", {kRelu, residual({wrong})})}, {4, 8, 8}) ==
        "net.yaml:7:9: model.layers[0].repeat.layers[1].residual.layers[0].conv2d: conv2d "
        "'b.0.conv1': input has 4 channels, which 3 groups do not divide");
  CHECK(
      says(refusal({residual({conv(8, 3)})}),
           {"model.layers[0].residual: its layers give [8, 28, 28] and its shortcut gives [1, 28, "
            "28], which must be equal"}));
  CHECK(says(refusal({{.op = Flatten{}}, {.op = Linear{.out_features = 12}}}),
             {"the layers give [12], and classification needs [10]", "{out_features: classes}"}));
  CHECK(says(refusal({kRelu}, {96, 7}, kForecast),
             {"the layers give [96, 7], and forecasting needs [24, 7]"}));
  CHECK(refusal({}) == "model.layers: must name at least one layer, is empty");
  CHECK(says(refusal({{.op = Add{}}}), {"model.layers[0].add", "takes 2 inputs, has 1"}));
  CHECK(says(refusal({{.op = Reshape{{-1, 100}}}}), {"each dimension must be at least 1, is -1"}));
  CHECK(says(refusal({{.op = Reshape{{-1, -1}}}}), {"each dimension must be at least 1, is -1"}));
  CHECK(says(refusal({conv(4, 3, 1, "a"), conv(4, 3, 1, "a")}),
             {"model.layers[1].conv2d", "another node is named 'a' already"}));
}

TEST_CASE("a kernel too large to count is refused") {
  constexpr std::int64_t kHuge = 2147483647;
  const LayerSpec huge = {.op = Conv2d{.out_channels = 8, .kernel = kHuge, .padding = kHuge}};
  CHECK(says(refusal({huge}, {64, 28, 28}), {"model.layers[0].conv2d", "its weight [8, 64, "}));
}

TEST_CASE("what the data set, the policy and the export make cannot be a layer") {
  CHECK(says(refusal({{.op = Input{{1}}}}), {"model.layers[0].input", "the data set"}));
  CHECK(says(refusal({{.op = Affine{}}}), {"model.layers[0].affine", "write batch_norm"}));
  CHECK(says(refusal({{.op = Activation{}}}), {"model.layers[0].activation.kind: is missing"}));
  LayerSpec fused = kClassifier;
  std::get<Linear>(fused.op).activation = ActivationKind::kRelu;
  CHECK(says(refusal({fused}), {"model.layers[0].linear.activation", "write relu"}));
  LayerSpec scaled = kClassifier;
  std::get<Linear>(scaled.op).scale = true;
  CHECK(says(refusal({scaled}), {"model.layers[0].linear.scale"}));
}

TEST_CASE("repeats and nesting are bounded") {
  LayerList deep = {kRelu};
  for (int i = 0; i < kMaxLayerDepth - 1; ++i) deep = {block("", std::move(deep))};
  LayerList whole = deep;
  whole.push_back({.op = Flatten{}});
  whole.push_back(kClassifier);
  CHECK(build(whole).nodes.size() == 4);
  CHECK(says(refusal({block("", deep)}), {"nested deeper than 16 levels"}));

  // With flatten and linear 9,998 ops; the input and its normalisation count too.
  LayerList many = {repeat(9996, "", {kRelu}), {.op = Flatten{}}, kClassifier};
  CHECK(build(many).nodes.size() == 9999);
  many[0].times = 9997;
  CHECK(says(refusal(many), {"model.layers[2].linear", "more than 10000 nodes"}));
  LayerList bomb = {kRelu};
  for (int i = 0; i < 8; ++i) bomb = {repeat(10000, "n", std::move(bomb))};
  CHECK(says(refusal(bomb), {"more than 10000 nodes"}));
  CHECK(says(refusal({repeat(10001, "", {kRelu})}), {"repeat.times", "is 10001"}));
  CHECK(says(refusal({repeat(0, "", {kRelu})}), {"repeat.times", "is 0"}));
  CHECK(says(refusal({repeat(10000, "", {})}), {"repeat.layers: must not be empty"}));
}

TEST_CASE("names of layers are those that a node may have") {
  for (const char* name : {".", "a.", "a..b", "a b", "\x1b[2J", "a/b"}) {
    INFO(name);
    CHECK(
        says(refusal({conv(4, 3, 1, name)}), {"model.layers[0].conv2d.name: must be at most 64"}));
  }
  CHECK(!refusal({conv(4, 3, 1, std::string(65, 'a'))}).empty());
  CHECK(check_layer_name("layer1.0").empty());
}

TEST_CASE("fresh names reuse a number that a renamed node gave back") {
  GraphBuilder b("names");
  Value x = b.input({4}).relu().relu().named("second").relu().relu();
  const Graph graph = b.finish(x);
  std::vector<std::string> names;
  for (const Node& node : graph.nodes) names.push_back(node.name);
  CHECK(names == std::vector<std::string>{"input", "relu1", "second", "relu2", "relu3"});
}
