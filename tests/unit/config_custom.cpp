// `model.layers` in YAML: what is read, every refusal with its place, and printing it back.
#include <algorithm>

#include "config/layers.h"
#include "config/load.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"
#include "tbn/models.h"

namespace tbn {
namespace {

using test::message_of;
using test::says;

Config parsed(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  return parse_config(yaml, "t.yaml", overrides);
}

LayerList layers_of(const Config& config) {
  return std::get<LayerList>(config.model.options.at("layers"));
}

// Of one layer, in flow style: "relu".
LayerSpec layer(const std::string& yaml) {
  const LayerList layers = layers_of(parsed("model: {type: custom, layers: [" + yaml + "]}"));
  REQUIRE(layers.size() == 1);
  return layers.front();
}

// The refusal of one layer, after "t.yaml:1:40: model.layers[0]".
std::string refusal(const std::string& yaml) {
  const std::string message =
      message_of<ConfigError>([&] { parsed("model: {type: custom, layers: [" + yaml + "]}"); });
  const std::string path = "model.layers[0]";
  const std::size_t at = message.find(path);
  REQUIRE(at != std::string::npos);
  REQUIRE(message.compare(0, 9, "t.yaml:1:") == 0);
  return message.substr(at + path.size());
}

}  // namespace

TEST_CASE("a layer is a word or a map of one word to attributes") {
  CHECK(layer("relu") == LayerSpec{.op = Activation{ActivationKind::kRelu}});
  CHECK(layer("activation: {kind: silu}") == LayerSpec{.op = Activation{ActivationKind::kSilu}});
  CHECK(layer("batch_norm:") == LayerSpec{.op = BatchNorm{}});
  CHECK(layer("batch_norm: {momentum: 0.01, name: n}") ==
        LayerSpec{.op = BatchNorm{.momentum = 0.01}, .name = "n"});
  CHECK(
      layer("conv2d: {out_channels: 6, kernel: [3, 5], stride: 2, bias: true}") ==
      LayerSpec{.op = Conv2d{.out_channels = 6, .kernel = {3, 5}, .stride = {2, 2}, .bias = true}});
  CHECK(layer("linear: {out_features: classes}") ==
        LayerSpec{.op = Linear{.out_features = task_word("classes")}});
  CHECK(layer("reshape: {shape: [points, -1]}") ==
        LayerSpec{.op = Reshape{{task_word("points"), -1}}});
  CHECK(layer("position_embedding: {kind: sinusoidal}") ==
        LayerSpec{.op = PositionEmbedding{PositionKind::kSinusoidal}});
  CHECK(layer("sequence_pool: {kind: max}") == LayerSpec{.op = SequencePool{PoolKind::kMax}});
}

TEST_CASE("groups and branches hold lists of layers") {
  const LayerSpec relu = {.op = Activation{ActivationKind::kRelu}};
  const LayerSpec norm = {.op = BatchNorm{}};
  CHECK(layer("repeat: {times: 3, name: b, layers: [relu]}") ==
        LayerSpec{.kind = LayerKind::kRepeat, .name = "b", .times = 3, .branches = {{relu}}});
  CHECK(layer("block: {name: b, layers: [relu, batch_norm]}") ==
        LayerSpec{.kind = LayerKind::kBlock, .name = "b", .branches = {{relu, norm}}});
  CHECK(layer("residual: {layers: [relu]}") ==
        LayerSpec{.kind = LayerKind::kResidual, .branches = {{relu}, {}}});
  CHECK(layer("residual: {layers: [relu], shortcut: [batch_norm]}") ==
        LayerSpec{.kind = LayerKind::kResidual, .branches = {{relu}, {norm}}});
  CHECK(layer("concat: {axis: 1, branches: [[relu], []]}") ==
        LayerSpec{.op = Concat{.axis = 1}, .branches = {{relu}, {}}});
  CHECK(layer("attention: {heads: 4}") == LayerSpec{.op = Attention{.heads = 4}});
}

TEST_CASE("layers that cannot be read are refused with what to write") {
  struct Case {
    const char* yaml;
    const char* message;
  };
  const Case cases[] = {
      {"conv2d: {out_channels: 4, kernl: 3}", ".conv2d.kernl: unknown key (did you mean kernel?)"},
      {"conv2d: {kernel: 3}", ".conv2d.out_channels: is missing"},
      {"conv2d: {out_channels: 1.5}", ".conv2d.out_channels: must be a whole number, is 1.5"},
      {"conv2d: {out_channels: 4294967296}",
       ".conv2d.out_channels: must be between 1 and 2147483647, is 4294967296"},
      {"conv2d: {out_channels: 0}", ".conv2d.out_channels: must be between 1 and 2147483647, is 0"},
      {"conv2d: {out_channels: 4, padding: -2}",
       ".conv2d.padding: must be between -1 and 2147483647, is -2"},
      {"linear: {out_features: -1}",
       ".linear.out_features: must be between 1 and 2147483647, is -1"},
      {"max_pool2d: {kernel: 0}", ".max_pool2d.kernel: must be between 1 and 2147483647, is 0"},
      {"max_pool2d: {stride: [1, -1]}",
       ".max_pool2d.stride: must be between 0 and 2147483647, is -1"},
      {"reshape: {shape: [-2, 3]}", ".reshape.shape: must be between -1 and 2147483647, is -2"},
      {"slice: {length: 2, begin: -1}", ".slice.begin: must be between 0 and 2147483647, is -1"},
      {"conv2d: {out_channels: clases}",
       ".conv2d.out_channels: must be a whole number, classes, points, steps, horizon or series, "
       "is 'clases'"},
      {"conv2d: {out_channels: 4, kernel: [3, 3, 3]}",
       ".conv2d.kernel: must be one number or [height, width], is a list of 3"},
      {"conv2d: {out_channels: 4, bias: yes}", ".conv2d.bias: must be true or false, is 'yes'"},
      {"conv2d: {out_channels: 4, weights: tiled}",
       ".conv2d.weights: the form of the weights is for the section weights: give the layer a "
       "name, and a rule in weights.rules"},
      {"linear: {out_features: 4, activation: relu}",
       ".linear.activation: is made by the export; write relu (or gelu, ...) as a layer"},
      {"linear: {out_features: 4, scale: true}",
       ".linear.scale: is made by the export; write a batch_norm after the layer"},
      {"linear: 10", ".linear: must be a map of attributes, is '10'"},
      {"conv: {out_channels: 4}", ": 'conv' is no layer (did you mean conv2d?)"},
      {"batchnorm", ": 'batchnorm' is no layer (did you mean batch_norm?)"},
      {"affine", ": 'affine' is made by the export; write batch_norm"},
      {"{relu: {}, gelu: {}}",
       ": must be one layer, has 2 keys; write relu: {gelu: ...}, or indent what belongs to relu"},
      {"[relu]", ": must be a layer such as relu or conv2d: {...}, is a list"},
      {"relu: {kind: gelu}", ".relu.kind: unknown key; there are name"},
      {"relu: {branches: [[relu]]}", ".relu.branches: unknown key; there are name"},
      {"relu: {name: a b}",
       ".relu.name: must be at most 64 letters, digits, '_', '-' and single dots, is 'a b'"},
      {"activation", ".activation.kind: is missing"},
      {"activation: {kind: none}",
       ".activation.kind: must be relu, gelu, silu, tanh or sigmoid, is 'none'"},
      {"reshape: {shape: []}", ".reshape.shape: must have 1 to 4 dimensions, has 0"},
      {"add", ".add.branches: is missing: the layer joins what two lists of layers give"},
      {"add: {branches: [relu, relu]}", ".add.branches[0]: must be a list of layers, is 'relu'"},
      {"add: {branches: []}", ".add.branches: must be a list of lists of layers, is empty"},
      {"repeat: {layers: [relu]}", ".repeat.times: is missing"},
      {"repeat: {times: 0, layers: [relu]}", ".repeat.times: must be between 1 and 10000, is 0"},
      {"repeat: {times: 2, layers: []}", ".repeat.layers: must name at least one layer, is empty"},
      {"residual: {shortcut: [relu]}", ".residual.layers: is missing"},
      {"dropout: {rate: .nan}", ".dropout.rate: must be finite, is .nan"},
  };
  for (const Case& c : cases) {
    INFO(c.yaml);
    const std::string message = refusal(c.yaml);
    CHECK(message.substr(0, message.find('\n')) == c.message);
  }
  CHECK(says(refusal("flurb"), {": 'flurb' is no layer; there are conv2d, linear, batch_norm"}));
}

TEST_CASE("problems of layers are reported with all others, by line") {
  CHECK(message_of<ConfigError>([] {
          parsed(
              "optim: {lrr: 1}\n"
              "model:\n"
              "  type: custom\n"
              "  layers:\n"
              "    - conv2d: {out_channels: 8, kernl: 3}\n"
              "    - repeat:\n"
              "        times: 2\n"
              "        layers:\n"
              "          - gelo\n"
              "          - residual: {layers: [relu], shortcat: []}\n"
              "train: {epochs: many}\n");
        }) ==
        "t.yaml:1:9: optim.lrr: unknown key (did you mean optim.lr?)\n"
        "t.yaml:5:33: model.layers[0].conv2d.kernl: unknown key (did you mean kernel?)\n"
        "t.yaml:9:13: model.layers[1].repeat.layers[0]: 'gelo' is no layer (did you mean gelu?)\n"
        "t.yaml:10:40: model.layers[1].repeat.layers[1].residual.shortcat: unknown key (did you "
        "mean shortcut?)\n"
        "t.yaml:11:17: train.epochs: must be a whole number, is 'many'");
  CHECK(says(message_of<ConfigError>([] { parsed("model: {type: custom, layers: []}"); }),
             {"t.yaml:1:31: model.layers: must name at least one layer, is empty"}));
  CHECK(says(message_of<ConfigError>([] { parsed("model: {type: custom, layer: []}"); }),
             {"model.layer: unknown key (did you mean model.layers?)"}));
  CHECK(says(message_of<ConfigError>([] { parsed("model: {type: resnet18, layers: [relu]}"); }),
             {"model.layers: unknown key"}));
}

TEST_CASE("a shape that does not fit names the line of its layer") {
  const Config config = parsed(
      "model:\n"
      "  type: custom\n"
      "  layers:\n"
      "    - relu\n"
      "    - conv2d: {out_channels: 8, kernel: 99, padding: 0}\n");
  CHECK(message_of<ConfigError>([&] {
          build_model({.type = "custom", .options = config.model.options, .input = {1, 28, 28}});
        }) ==
        "t.yaml:5:7: model.layers[1].conv2d: conv2d 'conv1': kernel 99 is larger than the input's "
        "height 28 with padding 0");
}

TEST_CASE("a vision transformer is a few lines of layers") {
  const Config config = parsed(R"(
model:
  type: custom
  layers:
    - conv2d: {out_channels: 32, kernel: 7, stride: 7, padding: 0, name: patches}
    - reshape: {shape: [32, -1]}
    - transpose
    - class_token
    - position_embedding
    - repeat:
        times: 3
        name: block
        layers:
          - residual:
              layers:
                - layer_norm
                - linear: {out_features: 96, name: qkv}
                - attention: {heads: 4}
                - linear: {out_features: 32, name: out}
          - residual:
              layers:
                - layer_norm
                - linear: {out_features: 64, name: up}
                - gelu
                - linear: {out_features: 32, name: down}
    - sequence_pool
    - linear: {out_features: classes, name: classifier}
)");
  const Graph graph =
      build_model({.type = "custom", .options = config.model.options, .input = {1, 28, 28}});
  CHECK(graph.output_shape() == Shape{10});
  CHECK(graph.nodes[4].shape == Shape{17, 32});
  std::int64_t weights = 0;
  for (const Node& node : graph.nodes) {
    if (weights_of(node.op) == nullptr) continue;
    const WeightShape shape = weight_shape(graph, node);
    weights += shape.outputs * shape.inputs;
  }
  CHECK(weights == 49 * 32 + 3 * (32 * 96 + 32 * 32 + 2 * 32 * 64) + 32 * 10);
}

TEST_CASE("a list of layers from the command line replaces the file's") {
  const Config config = parsed("model: {type: custom, layers: [relu]}",
                               {"model.layers=[gelu, {conv2d: {out_channels: 4}}]"});
  CHECK(layers_of(config) ==
        LayerList{{.op = Activation{ActivationKind::kGelu}}, {.op = Conv2d{.out_channels = 4}}});
  CHECK(message_of<ConfigError>([] { parsed("model: {type: custom}", {"model.layers=[glu]"}); }) ==
        "command line: model.layers[0]: 'glu' is no layer (did you mean gelu?)");
}

TEST_CASE("every layer prints as text that reads back equal") {
  LayerList layers;
  for (const std::string& name : layer_names()) {
    LayerSpec layer = *find_layer(name);
    layer.name = "true";  // must be put in quotes
    for (LayerList& branch : layer.branches) branch = {{.op = GlobalAvgPool{}}};
    if (auto* activation = std::get_if<Activation>(&layer.op);
        activation != nullptr && activation->kind == ActivationKind::kNone) {
      activation->kind = ActivationKind::kTanh;
    }
    // What has no useful default.
    if (auto* reshape = std::get_if<Reshape>(&layer.op)) reshape->shape = {-1, 3};
    if (auto* conv = std::get_if<Conv2d>(&layer.op)) conv->out_channels = 4;
    if (auto* linear = std::get_if<Linear>(&layer.op)) linear->out_features = 4;
    const std::string op = layer.kind == LayerKind::kOp ? name : "";
    if (op == "add" || op == "subtract" || op == "multiply" || op == "matmul" || op == "concat") {
      layer.branches = {{}, {{.op = Flatten{}}, {.op = Transpose{}}}};
    }
    layers.push_back(std::move(layer));
  }
  layers.push_back({.op = Conv2d{.out_channels = task_word("classes"),
                                 .kernel = {3, 5},
                                 .stride = {task_word("steps"), 2},
                                 .padding = {0, -1},
                                 .groups = 2,
                                 .bias = true}});
  layers.push_back({.op = Linear{.out_features = 3, .bias = false}});
  layers.push_back({.op = LayerNorm{.eps = 1e-12}});
  layers.push_back(
      {.op =
           Attention{.heads = 3, .grid = {4, 8}, .window = 2, .shift = 1, .relative_bias = true}});
  layers.push_back({.op = Slice{.axis = 1, .begin = 2, .length = 3}});
  CHECK(layers.size() > 30);

  Config config = parsed("model: {type: custom, layers: [relu]}");
  config.model.options["layers"] =
      LayerList{{.kind = LayerKind::kRepeat, .name = "r", .times = 7, .branches = {layers}},
                {.kind = LayerKind::kResidual, .branches = {layers, layers}}};
  const std::string text = print_config(config);
  INFO(text);
  const Config read = parsed(text);
  CHECK(read == config);
  CHECK(print_config(read) == text);
}

TEST_CASE("printed layers leave out what is the default") {
  const LayerList layers = layers_of(parsed(
      "model: {type: custom, layers: [conv2d: {out_channels: 8, kernel: [3, 3], groups: 1}, relu, "
      "residual: {layers: [gelu], shortcut: []}, add: {branches: [[relu], []]}]}"));
  CHECK(layers_text(layers, 2) ==
        "  - conv2d: {out_channels: 8, kernel: 3}\n"
        "  - relu\n"
        "  - residual:\n"
        "      layers:\n"
        "        - gelu\n"
        "  - add:\n"
        "      branches:\n"
        "        -\n"
        "          - relu\n"
        "        - []\n");
}

TEST_CASE("nesting of layers in a file is bounded") {
  const auto nested = [](int levels) {
    std::string yaml = "[relu]";
    for (int i = 1; i < levels; ++i) yaml = "[add: {branches: [" + yaml + "]}]";
    return "model: {type: custom, layers: " + yaml + "}";
  };
  CHECK(layers_of(parsed(nested(kMaxLayerDepth))).size() == 1);
  CHECK(says(message_of<ConfigError>([&] { parsed(nested(kMaxLayerDepth + 1)); }),
             {"layers are nested deeper than 16 levels"}));
  CHECK(says(message_of<ConfigError>([&] { parsed(nested(60)); }), {"nested deeper than 80"}));
}

}  // namespace tbn
