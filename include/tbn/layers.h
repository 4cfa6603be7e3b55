// Networks composed of layers as data, without a builder in C++: what `model: {type: custom,
// layers:
// [...]}` says. A list is a chain: each layer takes what the one before it gives.
//
//   LayerList layers = {{.op = Conv2d{.out_channels = 64, .kernel = 3}, .name = "stem"},
//                       {.op = BatchNorm{}},
//                       {.op = Activation{ActivationKind::kRelu}},
//                       {.op = GlobalAvgPool{}},
//                       {.op = Linear{.out_features = task_word("classes")}}};
//   Graph graph = build_model({.type = "custom", .options = {{"layers", layers}}, ...});
//
// The same in YAML:
//
//   layers:
//     - conv2d: {out_channels: 64, kernel: 3, name: stem}     # an op of ops.h, with its attributes
//     - batch_norm
//     - relu                                                  # also gelu, silu, tanh, sigmoid
//     - block: {name: head, layers: [...]}                    # names head.conv1, head.norm1, ...
//     - repeat: {times: 3, name: mixer, layers: [...]}        # names mixer.0.conv1 ..
//     mixer.2.conv1
//     - residual: {layers: [...], shortcut: [...]}            # layers(x) + shortcut(x); shortcut
//                                                             # left out: x itself
//     - concat: {axis: 0, branches: [[...], [...]]}           # each branch takes x; [] is x
//     itself;
//                                                             # also add, subtract, multiply,
//                                                             # matmul and attention (q, k, v)
//     - linear: {out_features: classes}                       # a word for a number of the task's
//
// A reshape may leave one dimension to be found: {shape: [64, -1]}.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tbn/ops.h"
#include "tbn/task.h"

namespace tbn {

enum class LayerKind { kOp, kBlock, kRepeat, kResidual };

struct LayerSpec {
  LayerKind kind = LayerKind::kOp;
  Op op = {};              // kOp; its numbers may be task words
  std::string name = {};   // kOp: the node's; else put before the names inside, "" for no prefix
  std::int64_t times = 1;  // kRepeat
  // kOp: what gives the inputs of an op that takes several, none for an op of one input. kBlock and
  // kRepeat: one, the layers. kResidual: the layers and the shortcut (empty: x itself).
  std::vector<std::vector<LayerSpec>> branches = {};
  std::string place = {};  // "file:line:column", for errors; no part of the network

  bool operator==(const LayerSpec& other) const {
    return kind == other.kind && op == other.op && name == other.name && times == other.times &&
           branches == other.branches;
  }
};
using LayerList = std::vector<LayerSpec>;

constexpr int kMaxLayerDepth = 16;               // lists within lists
constexpr std::int64_t kMaxLayerNodes = 10'000;  // of the graph, repeats counted

// Words that stand for numbers which only the task knows, in any integer attribute: `classes`,
// `points` and `steps` (rows of the input), `horizon` (steps to come) and `series` (columns to
// come). A word is a number that no attribute can have.
const std::vector<std::string>& task_words();
std::int64_t task_word(std::string_view word);  // throws ConfigError for another word
std::optional<std::int64_t> find_task_word(std::string_view word);
std::string_view word_of(std::int64_t number);  // "" where it is an ordinary number

// "conv2d", "relu", "repeat", ...: every name that a layer may have.
const std::vector<std::string>& layer_names();
std::string layer_name(const LayerSpec& layer);
// The layer of that name with default attributes. Nothing where layer_names has no such name.
std::optional<LayerSpec> find_layer(std::string_view name);

// Why an op or an attribute of an op cannot be written, or "" where it can.
std::string_view refused_op(std::string_view name);
std::string_view refused_attribute(std::string_view name);
// What is wrong with a layer's name, or "".
std::string check_layer_name(std::string_view name);

}  // namespace tbn
