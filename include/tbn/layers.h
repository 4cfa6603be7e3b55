/// @file
/// Networks composed of layers as data, without a builder in C++: what `model: {type: custom}` and
/// its list `layers` say. A list is a chain: each layer takes what the one before it gives.
///
///     LayerList layers = {{.op = Conv2d{.out_channels = 64, .kernel = 3}, .name = "stem"},
///                         {.op = BatchNorm{}},
///                         {.op = Activation{ActivationKind::kRelu}},
///                         {.op = GlobalAvgPool{}},
///                         {.op = Linear{.out_features = task_word("classes")}}};
///     Graph graph = build_model({.type = "custom", .options = {{"layers", layers}}, ...});
///
/// The same in YAML:
///
///     layers:
///       - conv2d: {out_channels: 64, kernel: 3, name: stem}    # an op of ops.h, its attributes
///       - batch_norm
///       - relu                                                 # also gelu, silu, tanh, sigmoid
///       - block: {name: head, layers: [...]}                   # names head.conv1, head.norm1
///       - repeat: {times: 3, name: mixer, layers: [...]}       # names mixer.0.conv1, ...
///       - residual: {layers: [...], shortcut: [...]}           # layers(x) + shortcut(x)
///       - residual: {layers: [...]}                            # layers(x) + x
///       - concat: {axis: 0, branches: [[...], [...]]}          # each branch takes x; [] is x
///       - linear: {out_features: classes}                      # a word for the task's number
///
/// As concat, with branches: add, subtract, multiply, matmul, and attention of q, k and v.
/// A reshape may leave one dimension to be found: {shape: [64, -1]}.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tbn/ops.h"
#include "tbn/task.h"

namespace tbn {

/// What an entry of a list is: one op, or layers put together.
enum class LayerKind {
  kOp,       ///< one op, or an op over several branches
  kBlock,    ///< a list under a common prefix of names
  kRepeat,   ///< a list several times over
  kResidual  ///< the sum of a list and a shortcut
};

/// One entry of a list of layers.
struct LayerSpec {
  LayerKind kind = LayerKind::kOp;  ///< decides which of the fields below mean something
  Op op = {};                       ///< kOp; its numbers may be task words
  std::string name = {};   ///< kOp: the node's; else put before the names inside, "" for no prefix
  std::int64_t times = 1;  ///< kRepeat
  /// kOp: what gives the inputs of an op that takes several, none for an op of one input. kBlock
  /// and kRepeat: one, the layers. kResidual: the layers and the shortcut (empty: x itself).
  std::vector<std::vector<LayerSpec>> branches = {};
  std::string place = {};  ///< "file:line:column", for errors; no part of the network

  bool operator==(const LayerSpec& other) const {
    return kind == other.kind && op == other.op && name == other.name && times == other.times &&
           branches == other.branches;
  }
};
/// A chain of layers.
using LayerList = std::vector<LayerSpec>;

constexpr int kMaxLayerDepth = 16;               ///< how deep lists may lie within lists
constexpr std::int64_t kMaxLayerNodes = 10'000;  ///< nodes of the graph, repeats counted

/// Words that stand for numbers which only the task knows, in any integer attribute: `classes`,
/// `points` and `steps` (rows of the input), `horizon` (steps to forecast) and `series` (columns to
/// forecast). A word is stored as a number that no attribute can have.
const std::vector<std::string>& task_words();
/// The number that stands for `word`. Throws ConfigError for a word that is not in task_words().
std::int64_t task_word(std::string_view word);
/// The same; nothing for a word that is not in task_words().
std::optional<std::int64_t> find_task_word(std::string_view word);
/// The word that `number` stands for, or "" where it is an ordinary number.
std::string_view word_of(std::int64_t number);

/// "conv2d", "relu", "repeat", ...: every name that a layer may have in YAML.
const std::vector<std::string>& layer_names();
/// The name of this layer among them.
std::string layer_name(const LayerSpec& layer);
/// The layer of that name with default attributes. Nothing where layer_names() has no such name.
std::optional<LayerSpec> find_layer(std::string_view name);

/// Why a list of layers may not name this op, or "" where it may.
std::string_view refused_op(std::string_view name);
/// Why a list of layers may not set this attribute, or "" where it may.
std::string_view refused_attribute(std::string_view name);
/// What is wrong with the name that a user gives a layer, or "".
std::string check_layer_name(std::string_view name);

}  // namespace tbn
