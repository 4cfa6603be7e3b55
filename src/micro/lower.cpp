// Takes the packed graph node by node; ops that only reshape values add no step.
#include "micro/lower.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>

#include "encodings/support.h"
#include "micro/window.h"
#include "tbn/error.h"

namespace tbn::micro {

namespace {

constexpr std::int64_t kMost = 65535;  // sizes are 16 bits in the kernels
// Of a value or of a layer's weights; what a small file can make us allocate.
constexpr std::int64_t kMostValues = std::int64_t{1} << 24;

constexpr Support kSupport = {.flat_tiles = true,
                              .integers = true,
                              .backend = "microcontrollers",
                              .way_out =
                                  "export the network as .tbn without --calibrate, which every "
                                  "processor runs"};

[[noreturn]] void refuse(const Node& node, const std::string& why) {
  throw ConfigError(describe(node) + ": " + why);
}

[[noreturn]] void refuse_op(const Node& node) {
  refuse(node,
         "microcontrollers run conv2d, linear, pooling, add, affine, activations and flatten "
         "alone; export the network as .tbn without --calibrate, which every processor runs, or "
         "choose one without this op");
}

Map map_of(const Shape& shape) {
  if (shape.size() == 3) return {shape[1], shape[2], shape[0]};
  if (shape.size() == 2) return {shape[0], 1, shape[1]};
  return {1, 1, shape.empty() ? 1 : shape[0]};
}

// Input k of a window, channels first, in the order in which a window's values lie.
std::vector<std::size_t> channels_last_order(std::int64_t channels, std::int64_t places) {
  std::vector<std::size_t> order;
  for (std::int64_t place = 0; place < places; ++place) {
    for (std::int64_t c = 0; c < channels; ++c) {
      order.push_back(static_cast<std::size_t>(c * places + place));
    }
  }
  return order;
}

template <class T>
std::vector<T> reordered(std::span<const T> rows, const std::vector<std::size_t>& order) {
  std::vector<T> out;
  out.reserve(rows.size());
  for (std::size_t first = 0; first < rows.size(); first += order.size()) {
    for (const std::size_t k : order) out.push_back(rows[first + k]);
  }
  return out;
}

class Lowering {
 public:
  Lowering(const Model& model, const RowsOf& rows_of)
      : graph_(model.graph), tensors_(model.tensors), rows_of_(rows_of) {
    values_.resize(graph_.nodes.size(), -1);
    flattened_.resize(graph_.nodes.size());
  }

  Network run() {
    network_.name = graph_.name;
    for (NodeId id = 0; id < static_cast<NodeId>(graph_.nodes.size()); ++id) lower_node(id);
    network_.output = values_[static_cast<std::size_t>(graph_.output)];
    return std::move(network_);
  }

 private:
  void lower_node(NodeId id) {
    const Node& node = graph_.node(id);
    for (const std::int64_t side : node.shape) {
      if (side > kMost) refuse(node, "a side of its output exceeds 65,535");
    }
    if (node.shape.size() > 3) {
      refuse(node, "its output " + to_string(node.shape) +
                       " has more than 3 dimensions; microcontrollers run vectors [F], sequences "
                       "[T, F] and images [C, H, W]");
    }
    if (element_count(node.shape) > kMostValues) {
      refuse(node, "its output has more than 16,777,216 values, too many for a microcontroller");
    }
    std::visit(Overloaded{
                   [&](const Input&) { take_input(id, node); },
                   [&](const Normalize& op) { normalize(id, node, op); },
                   [&](const Conv2d& op) { conv2d(id, node, op); },
                   [&](const Linear& op) { linear(id, node, op); },
                   [&](const Affine& op) { affine(id, node, op); },
                   [&](const Activation& op) { activate(id, node, op.kind, input(node)); },
                   [&](const Add& op) { add(id, node, op); },
                   [&](const MaxPool2d& op) {
                     pool(id, node, {PoolKind::kMax, {op.kernel, op.stride, op.padding}});
                   },
                   [&](const AvgPool2d& op) {
                     pool(id, node, {PoolKind::kMean, {op.kernel, op.stride, 0}});
                   },
                   [&](const GlobalAvgPool&) {
                     const Map map = input_map(node);
                     pool(id, node, {PoolKind::kMean, {{map.h, map.w}, 1, 0}});
                   },
                   [&](const Flatten&) { flatten(id, node); },
                   [&](const auto&) { refuse_op(node); },  // no microcontroller runs it yet
               },
               node.op);
  }

  int input(const Node& node, std::size_t which = 0) const {
    return values_[static_cast<std::size_t>(node.inputs[which])];
  }
  std::span<const float> floats(const std::string& name) const {
    return tensors_.at(name).values<float>();
  }
  std::vector<float> floats_of(const Node& node, const char* suffix) const {
    const auto values = floats(node.name + suffix);
    return {values.begin(), values.end()};
  }

  int new_value(const Map& map) {
    network_.sizes.push_back(map.size());
    return static_cast<int>(network_.sizes.size()) - 1;
  }
  static void check_finite(const Node& node, const std::vector<float>& scalars) {
    for (const float scalar : scalars) {
      if (!std::isfinite(scalar)) refuse(node, "its scalars are too large for float arithmetic");
    }
  }
  static void check_finite(const Node& node, const Layer& layer) {
    check_finite(node, layer.gains);
    check_finite(node, layer.biases);
    const auto* flat = std::get_if<FlatSigns>(&layer.weights);
    if (flat != nullptr) check_finite(node, flat->alphas);
    const auto* dense = std::get_if<DenseWeights>(&layer.weights);
    if (dense != nullptr) check_finite(node, dense->values);
  }
  int add_step(const Node& node, Action action, std::vector<int> inputs, const Map& in) {
    if (const auto* layer = std::get_if<Layer>(&action)) check_finite(node, *layer);
    if (const auto* scale = std::get_if<ScaleChannels>(&action)) {
      check_finite(node, scale->gains);
      check_finite(node, scale->biases);
    }
    const Map out = map_of(node.shape);
    const int output = new_value(out);
    network_.steps.push_back({node.name, std::move(action), std::move(inputs), output, in, out});
    return output;
  }
  Map input_map(const Node& node) const { return map_of(graph_.node(node.inputs.front()).shape); }
  void set(NodeId id, int value) { values_[static_cast<std::size_t>(id)] = value; }

  void take_input(NodeId id, const Node& node) {
    network_.takes_bytes = node.shape.size() == 3;
    network_.input = map_of(node.shape);
    set(id, new_value(network_.input));
  }

  void normalize(NodeId id, const Node& node, const Normalize& op) {
    ScaleChannels scale{.normalizes_input = true};
    for (std::size_t c = 0; c < op.mean.size(); ++c) {
      scale.gains.push_back(1.0f / op.std[c]);
      scale.biases.push_back(-op.mean[c] / op.std[c]);
      scale.means.push_back(op.mean[c]);
    }
    set(id, add_step(node, std::move(scale), {input(node)}, input_map(node)));
  }

  void affine(NodeId id, const Node& node, const Affine& op) {
    ScaleChannels scale{.gains = floats_of(node, ".scale"), .biases = floats_of(node, ".bias")};
    scale.relu = op.activation == ActivationKind::kRelu;
    finish(id, node, std::move(scale), {input(node)}, op.activation);
  }

  void add(NodeId id, const Node& node, const Add& op) {
    finish(id, node, Sum{op.activation == ActivationKind::kRelu}, {input(node), input(node, 1)},
           op.activation);
  }

  // A step with the activation that the graph fused into it: relu is a bound of its output, another
  // one a step of its own.
  void finish(NodeId id, const Node& node, Action action, std::vector<int> inputs,
              ActivationKind activation) {
    const int value = add_step(node, std::move(action), std::move(inputs), input_map(node));
    const bool fused = activation == ActivationKind::kNone || activation == ActivationKind::kRelu;
    if (fused) return set(id, value);
    activate(id, node, activation, value);
  }
  void activate(NodeId id, const Node& node, ActivationKind kind, int value) {
    if (kind == ActivationKind::kNone) return set(id, value);
    set(id, add_step(node, Activate{kind}, {value}, map_of(node.shape)));
  }

  static void check(const Node& node, const Window& window) {
    for (const Size2& size : {window.kernel, window.stride, window.padding}) {
      if (size.h > kMost || size.w > kMost) {
        refuse(node, "its kernel, stride or padding exceeds 65,535");
      }
    }
  }

  void pool(NodeId id, const Node& node, const Pool& action) {
    check(node, action.window);
    set(id, add_step(node, action, {input(node)}, input_map(node)));
  }

  // An image lies with its channels last and is flattened channels first; vectors and sequences
  // lie as they are flattened. Where only linear layers read the vector, their weights are
  // reordered instead of the values.
  void flatten(NodeId id, const Node& node) {
    const Map map = input_map(node);
    const bool image = graph_.node(node.inputs.front()).shape.size() == 3;
    if (!image || map.h * map.w == 1 || map.c == 1) return set(id, input(node));
    bool linear_only = graph_.output != id;
    for (const Node& reader : graph_.nodes) {
      if (std::find(reader.inputs.begin(), reader.inputs.end(), id) == reader.inputs.end()) {
        continue;
      }
      linear_only &= std::holds_alternative<Linear>(reader.op) && !is_flat(reader);
    }
    if (!linear_only) return set(id, add_step(node, ChannelsFirst{}, {input(node)}, map));
    flattened_[static_cast<std::size_t>(id)] = map;
    set(id, input(node));
  }

  bool is_flat(const Node& node) const {
    return std::holds_alternative<FlatTile>(rows_of_(graph_, tensors_, node).values);
  }

  void conv2d(NodeId id, const Node& node, const Conv2d& op) {
    const std::int64_t channels = graph_.node(node.inputs.front()).shape.front();
    Layer layer{.window = {op.kernel, op.stride, op.padding}};
    check(node, layer.window);
    layer.depthwise = op.groups > 1;
    if (layer.depthwise && op.groups != channels) {
      refuse(node, "microcontrollers run convolutions of one group or of one per channel, not of " +
                       std::to_string(op.groups));
    }
    const std::int64_t seen = layer.depthwise ? 1 : channels;
    set_weights(layer, node, seen, op.kernel.h * op.kernel.w);
    set_epilogue(layer, node, op.bias, op.activation);
    finish(id, node, std::move(layer), {input(node)}, op.activation);
  }

  void linear(NodeId id, const Node& node, const Linear& op) {
    const Shape& shape = graph_.node(node.inputs.front()).shape;
    if (shape.size() == 3) {
      refuse(node, "its input is an image " + to_string(shape) +
                       ", and microcontrollers run linear on vectors [F] and sequences [T, F] "
                       "alone; put a flatten before it, or export the network as .tbn");
    }
    Layer layer;
    const auto& flattened = flattened_[static_cast<std::size_t>(node.inputs.front())];
    const Map map = flattened ? *flattened : Map{1, 1, shape.back()};
    set_weights(layer, node, map.c, map.h * map.w);
    set_epilogue(layer, node, op.bias, op.activation);
    finish(id, node, std::move(layer), {input(node)}, op.activation);
  }

  // `channels` and `places` of an output's inputs.
  void set_weights(Layer& layer, const Node& node, std::int64_t channels, std::int64_t places) {
    const WeightShape shape = weight_shape(graph_, node);
    layer.outputs = shape.outputs;
    layer.inputs = shape.inputs;
    if (shape.outputs > kMost || shape.inputs > kMost) {
      refuse(node, "it has more than 65,535 outputs or inputs per output");
    }
    if (shape.outputs * shape.inputs > kMostValues) {
      refuse(node, "it has more than 16,777,216 weights, too many for a microcontroller");
    }
    LayerRows stored = rows_of_(graph_, tensors_, node);
    const std::string refused = refusal(kSupport, stored, describe(node));
    if (!refused.empty()) throw ConfigError(refused);
    // The sums of flat tiles know slices alone.
    const LayerRows rows = with_output_gains(std::move(stored));
    const std::vector<std::size_t> order = channels_last_order(channels, places);
    layer.gains = rows.term().gain.values;
    layer.weights = std::visit(
        Overloaded{[&](const SignRows& signs) -> Weights { return row_signs(signs, rows, order); },
                   [&](const FlatTile& flat) -> Weights { return flat_signs(flat); },
                   [&](const IntegerRows& integers) -> Weights {
                     return integer_weights(integers, rows, order);
                   },
                   [&](const FloatRows& dense) -> Weights {
                     return DenseWeights{reordered(dense.values, order)};
                   }},
        rows.values);
  }

  static RowSigns row_signs(const SignRows& signs, const LayerRows& rows,
                            const std::vector<std::size_t>& order) {
    const Term& term = rows.term();
    RowSigns own = {.rows = term.rows,
                    .copies = rows.outputs / term.rows,
                    .row_step = term.row_step,
                    .copy_step = term.copy_step,
                    .positive = {}};
    for (std::int64_t r = 0; r < own.rows; ++r) {
      for (const std::size_t k : order) {
        own.positive.push_back(signs.is_positive(r, static_cast<std::int64_t>(k)) ? 1 : 0);
      }
    }
    return own;
  }

  static IntegerWeights integer_weights(const IntegerRows& integers, const LayerRows& rows,
                                        const std::vector<std::size_t>& order) {
    const Term& term = rows.term();
    return {.rows = term.rows,
            .copies = rows.outputs / term.rows,
            .row_step = term.row_step,
            .copy_step = term.copy_step,
            .values = reordered(integers.values, order)};
  }

  static FlatSigns flat_signs(const FlatTile& flat) {
    FlatSigns own = {.positive = {}, .alphas = {flat.alphas.begin(), flat.alphas.end()}};
    for (std::int64_t i = 0; i < flat.q; ++i) own.positive.push_back(flat.is_positive(i) ? 1 : 0);
    return own;
  }

  void set_epilogue(Layer& layer, const Node& node, bool bias, ActivationKind activation) {
    layer.relu = activation == ActivationKind::kRelu;
    if (bias) layer.biases = floats_of(node, ".bias");
  }

  const Graph& graph_;
  const TensorMap& tensors_;
  const RowsOf& rows_of_;
  Network network_;
  std::vector<int> values_;                    // of each node
  std::vector<std::optional<Map>> flattened_;  // the map that a node is the values of, as they lie
};

}  // namespace

std::int64_t multiply_adds(const MicroStep& step) {
  const auto* layer = std::get_if<Layer>(&step.action);
  if (layer == nullptr) return 0;
  const std::int64_t each = layer->depthwise ? layer->outputs : outputs_of(*layer).rows;
  return step.out.h * step.out.w * each * layer->inputs;
}

Network lower(const Model& packed, const RowsOf& rows_of) {
  return Lowering(packed, rows_of).run();
}

}  // namespace tbn::micro
