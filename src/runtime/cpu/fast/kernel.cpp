// Chooses the kernel of each node, and the order of the values between them.
#include "runtime/cpu/fast/kernel.h"

#include <algorithm>

#include "runtime/cpu/reference/kernel.h"

namespace tbn::fast {
namespace {

// What the loops know activations by.
static_assert(static_cast<int>(ActivationKind::kNone) == 0 &&
              static_cast<int>(ActivationKind::kRelu) == 1 &&
              static_cast<int>(ActivationKind::kGelu) == 2 &&
              static_cast<int>(ActivationKind::kSilu) == 3 &&
              static_cast<int>(ActivationKind::kTanh) == 4 &&
              static_cast<int>(ActivationKind::kSigmoid) == 5);

// The most values that the tables of one output row's inputs may take (64 MiB): what a small
// hostile file can make us ask for. It fits 32-bit offsets too.
constexpr std::int64_t kMaxTableValues = std::int64_t{1} << 24;
// Inputs of an output whose sum of bytes fits 31 bits.
constexpr std::int64_t kMaxByteInputs = std::int64_t{1} << 22;
// The same under weights of 8 bits, whatever a file's prepared ones are.
constexpr std::int64_t kMaxIntegerInputs = kMaxByteInputs / 128;

bool is_image(const Shape& shape) { return shape.size() == 3; }

// A node's kernel, and whether the images that it takes and gives lie channels last.
struct Made {
  Kernel kernel;
  bool takes_last = false;
  bool gives_last = false;
};

bool tables_fit(int bits, std::int64_t table, const LayerImages& shape) {
  const std::int64_t pixel = (shape.channels + bits - 1) / bits * table;
  const std::int64_t most = kMaxTableValues / pixel;  // pixels
  return shape.stored_width() <= most && shape.kernel.h <= most / shape.stored_width();
}

class Maker {
 public:
  Maker(const Graph& graph, const TensorMap& tensors, const RowsOf& rows_of, InputRounding rounding,
        const Isa& isa, const Prepared& prepared)
      : graph_(graph),
        tensors_(tensors),
        rows_of_(rows_of),
        rounding_(rounding),
        isa_(isa),
        prepared_(prepared) {}

  // `last` says of each node before this one whether its image lies channels last.
  Made make(const Node& node, const std::vector<bool>& last) const {
    const Shape& input = node.inputs.empty() ? node.shape : graph_.node(node.inputs[0]).shape;
    const bool any_last = std::any_of(node.inputs.begin(), node.inputs.end(), [&](NodeId id) {
      return last[static_cast<std::size_t>(id)];
    });
    const auto same = [](Kernel kernel, bool order) {
      return Made{std::move(kernel), order, order};
    };
    const auto own = [&](const char* tensor) -> std::span<const float> {
      return tensors_.at(node.name + "." + tensor).values<float>();
    };
    const std::int64_t count = element_count(node.shape);
    if (const auto* conv = std::get_if<Conv2d>(&node.op)) return make_conv(*conv, node, input);
    if (std::holds_alternative<Linear>(node.op)) return {make_linear(node)};
    if (const auto* pool = std::get_if<MaxPool2d>(&node.op)) {
      return same(make_max_pool(isa_, *pool, input, node.shape), true);
    }
    if (const auto* pool = std::get_if<AvgPool2d>(&node.op)) {
      return same(make_avg_pool(isa_, *pool, input, node.shape), true);
    }
    if (const auto* pad = std::get_if<Pad2d>(&node.op)) {
      return same(make_pad2d(*pad, input, node.shape), true);
    }
    if (std::holds_alternative<Transpose>(node.op)) return {make_transpose(isa_, input)};
    if (std::holds_alternative<GlobalAvgPool>(node.op)) {
      return {make_global_avg_pool(isa_, input), true, false};
    }
    if (const auto* add = std::get_if<Add>(&node.op)) {
      return same(make_add(isa_, add->activation, count), any_last);
    }
    if (std::holds_alternative<Subtract>(node.op) || std::holds_alternative<Multiply>(node.op)) {
      return same(reference::make_kernel(graph_, tensors_, node), any_last);
    }
    if (const auto* activation = std::get_if<Activation>(&node.op)) {
      if (activation->kind == ActivationKind::kNone) return same(make_identity(count), any_last);
      return same(make_activation(isa_, activation->kind, count), any_last);
    }
    if (const auto* affine = std::get_if<Affine>(&node.op);
        affine && (any_last || !is_image(input))) {
      const auto channels = static_cast<std::int64_t>(own("scale").size());
      return same(make_affine(isa_, *affine, own("scale"), own("bias"), count / channels), true);
    }
    if (const auto* norm = std::get_if<LayerNorm>(&node.op)) {
      return {make_layer_norm(isa_, *norm, own("weight"), own("bias"), node.shape)};
    }
    if (const auto* attention = std::get_if<Attention>(&node.op)) {
      const auto bias = attention->relative_bias ? own("relative_bias") : std::span<const float>();
      return {make_attention(isa_, *attention, bias, node.inputs.size(), node.shape)};
    }
    return {reference::make_kernel(graph_, tensors_, node)};
  }

 private:
  // The kernels of this folder know one term.
  LayerRows rows_of_node(const Node& node) const {
    return with_one_term(rows_of_(graph_, tensors_, node));
  }

  Made make_conv(const Conv2d& conv, const Node& node, const Shape& input) const {
    const LayerImages shape = {.channels = input[0],
                               .in_h = input[1],
                               .in_w = input[2],
                               .out_h = node.shape[1],
                               .out_w = node.shape[2],
                               .kernel = conv.kernel,
                               .stride = conv.stride,
                               .padding = conv.padding};
    const bool depthwise = conv.groups == input[0] && conv.groups == node.shape[0];
    if (conv.groups != 1 && !depthwise) {
      return {reference::make_kernel(graph_, tensors_, node, rows_of_)};
    }
    const LayerRows rows = rows_of_node(node);
    if (conv.groups == 1) return {make_product_layer(node, shape, rows), true, true};
    LayerOutputs layer = layer_outputs(rows, tensors_, node);
    return {make_depthwise(isa_, shape, std::move(layer), dense_rows(rows)), true, true};
  }

  Kernel make_linear(const Node& node) const {
    const LayerRows rows = rows_of_node(node);
    const std::int64_t positions = element_count(node.shape) / rows.outputs;
    const LayerImages shape = {
        .channels = rows.inputs, .in_h = positions, .out_h = positions, .per_row = true};
    return make_product_layer(node, shape, rows);
  }

  Kernel make_product_layer(const Node& node, const LayerImages& shape,
                            const LayerRows& rows) const {
    const Geometry geometry = {shape.channels, shape.kernel, shape.stored_width()};
    auto product = make_product(shape, geometry, LayerWeights(rows, node.name, prepared_));
    return make_layer_kernel(isa_, shape, layer_outputs(rows, tensors_, node), std::move(product));
  }

  // Where the tables of an input serve many rows and taps, and few lanes and inputs are left empty.
  // For 32 rows, loading a table takes as long as the look-ups in it.
  bool byte_tables_pay(const LayerImages& shape, const Geometry& geometry,
                       std::int64_t rows) const {
    constexpr std::int64_t kLeastRows = 64,
                           kLeastUses = 160;  // where they have begun to be quicker
    const ByteTableOps* ops = isa_.byte_tables;
    if (ops == nullptr || !tables_fit(ops->bits, ops->table, shape)) return false;
    const auto mostly_full = [](std::int64_t count, std::int64_t unit) {
      return 3 * ((count + unit - 1) / unit * unit) <= 4 * count;
    };
    const std::int64_t uses = rows * geometry.taps() / (shape.stride.h * shape.stride.w);
    return rows >= kLeastRows && uses >= kLeastUses && mostly_full(rows, ops->rows) &&
           mostly_full(shape.channels, ops->bits);
  }

  // For a single pixel look-ups are faster than sums of bytes, and exact.
  std::unique_ptr<Product> make_product(const LayerImages& shape, const Geometry& geometry,
                                        const LayerWeights& weights) const {
    const bool signs = weights.are_signs();
    const bool tables =
        signs && isa_.signs != nullptr && tables_fit(isa_.signs->bits, isa_.signs->table, shape);
    const bool one_pixel = shape.out_h * shape.out_w == 1;
    const std::int64_t padded = (shape.channels + 3) / 4 * 4 * geometry.taps();
    if (signs && rounding_ == InputRounding::kBytes && !(one_pixel && tables) &&
        padded <= kMaxByteInputs) {
      if (byte_tables_pay(shape, geometry, weights.rows())) {
        return make_byte_table_product(*isa_.byte_tables, *isa_.bytes, weights, geometry);
      }
      return make_byte_product(*isa_.bytes, weights, geometry);
    }
    if (weights.are_integers() && rounding_ == InputRounding::kBytes &&
        padded <= kMaxIntegerInputs) {
      return make_integer_product(*isa_.integers, *isa_.bytes, weights, geometry);
    }
    if (tables) return make_sign_product(*isa_.signs, weights, geometry);
    return make_float_product(*isa_.floats, weights, geometry);
  }

  const Graph& graph_;
  const TensorMap& tensors_;
  const RowsOf& rows_of_;
  InputRounding rounding_;
  const Isa& isa_;
  const Prepared& prepared_;
};

// An input of a node in the other order.
struct Reordered {
  std::size_t input;
  Shape shape;
  bool to_last;
  std::int64_t values() const { return lines(element_count(shape)); }
};

// The kernel on inputs that are copied in the other order first, into memory that all parts share.
Kernel with_reordered(const Isa& isa, const Kernel& kernel, const std::vector<Reordered>& inputs,
                      std::size_t all_inputs) {
  // In the shared memory: the addresses of all inputs, the copies, and what the kernel keeps there.
  const std::int64_t addresses =
      lines(static_cast<std::int64_t>(all_inputs * sizeof(const float*) / sizeof(float)));
  std::int64_t own = addresses;
  for (const Reordered& r : inputs) own += r.values();
  const auto inner = [own](const Buffers& b) {
    const auto* pointers = reinterpret_cast<const float* const*>(b.shared);
    return Buffers{{pointers, b.inputs.size()}, b.output, b.scratch, b.shared + own};
  };
  Kernel outer = {.scratch_values = kernel.scratch_values,
                  .parts = kernel.parts,
                  .shared_values = own + kernel.shared_values,
                  .name = kernel.name};
  outer.run = [&isa, inputs, addresses, inner, run = kernel.run](const Buffers& b) {
    auto* pointers = reinterpret_cast<const float**>(b.shared);
    std::copy(b.inputs.begin(), b.inputs.end(), pointers);
    float* to = b.shared + addresses;
    for (const Reordered& r : inputs) {
      (r.to_last ? to_channels_last : to_channels_first)(isa, r.shape, b.inputs[r.input], to);
      pointers[r.input] = to;
      to += r.values();
    }
    if (run) run(inner(b));
  };
  outer.part = [inner, part = kernel.part](const Buffers& b, std::int64_t i) { part(inner(b), i); };
  return outer;
}

// Whether the two orders of an image are one.
bool is_flat(const Shape& shape) { return shape[0] == 1 || shape[1] * shape[2] == 1; }

}  // namespace

Kernels make_kernels(const Graph& graph, const TensorMap& tensors, const RowsOf& rows_of,
                     InputRounding rounding, const Isa& isa, const Prepared& prepared) {
  const Maker maker(graph, tensors, rows_of, rounding, isa, prepared);
  Kernels kernels;
  for (const Node& node : graph.nodes) {
    Made made = maker.make(node, kernels.channels_last);
    std::vector<Reordered> reordered;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const Shape& shape = graph.node(node.inputs[i]).shape;
      if (!is_image(shape) || is_flat(shape)) continue;
      const bool last = kernels.channels_last[static_cast<std::size_t>(node.inputs[i])];
      if (last != made.takes_last) reordered.push_back({i, shape, made.takes_last});
    }
    if (!reordered.empty())
      made.kernel = with_reordered(isa, made.kernel, reordered, node.inputs.size());
    kernels.of_nodes.push_back(std::move(made.kernel));
    kernels.channels_last.push_back(made.gives_last && is_image(node.shape));
  }
  return kernels;
}

}  // namespace tbn::fast
