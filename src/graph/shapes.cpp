// Shape rules: what each op makes of its inputs' shapes, and what it says where they do not fit.
#include <limits>

#include "base/shape.h"
#include "tbn/error.h"
#include "tbn/graph.h"

namespace tbn {
namespace {

constexpr std::int64_t kMaxValues = std::numeric_limits<std::int32_t>::max();

// The rules of one node, with its name for the errors.
class ShapeRules {
 public:
  ShapeRules(const std::string& where, const std::vector<Shape>& inputs)
      : where_(where), inputs_(inputs) {}

  Shape operator()(const Input& op) const {
    arity(0);
    if (op.shape.empty() || op.shape.size() > 4)
      fail("shape must have 1 to 4 dimensions, has " + std::to_string(op.shape.size()));
    for (std::int64_t d : op.shape) {
      if (d < 1) fail("shape " + to_string(op.shape) + " has a dimension below 1");
    }
    return op.shape;
  }

  Shape operator()(const Normalize& op) const {
    const Shape& x = one();
    const auto channels = static_cast<std::size_t>(x.front());
    if (op.mean.size() != channels || op.std.size() != channels) {
      fail("has " + std::to_string(op.mean.size()) + " means and " + std::to_string(op.std.size()) +
           " standard deviations for " + std::to_string(channels) + " channels");
    }
    for (float s : op.std) {
      if (!(s > 0)) fail("standard deviations must be above 0");
    }
    return x;
  }

  Shape operator()(const Conv2d& op) const {
    const Shape& x = image();
    positive("out_channels", op.out_channels);
    positive("groups", op.groups);
    if (x[0] % op.groups != 0) {
      fail("input has " + std::to_string(x[0]) + " channels, which " + std::to_string(op.groups) +
           " groups do not divide");
    }
    if (op.out_channels % op.groups != 0) {
      fail("has " + std::to_string(op.out_channels) + " output channels, which " +
           std::to_string(op.groups) + " groups do not divide");
    }
    return {op.out_channels, window("height", x[1], op.kernel.h, op.stride.h, op.padding.h),
            window("width", x[2], op.kernel.w, op.stride.w, op.padding.w)};
  }

  Shape operator()(const Linear& op) const {
    Shape x = one();
    positive("out_features", op.out_features);
    x.back() = op.out_features;
    return x;
  }

  Shape operator()(const BatchNorm& op) const {
    const Shape& x = one();
    if (x.size() != 1 && x.size() != 3) fail("input must be [F] or [C, H, W], is " + to_string(x));
    if (!(op.eps > 0)) fail("eps must be above 0");
    if (!(op.momentum >= 0 && op.momentum <= 1)) fail("momentum must be between 0 and 1");
    return x;
  }

  Shape operator()(const Affine&) const { return one(); }
  Shape operator()(const Activation&) const { return one(); }

  Shape operator()(const Add&) const {
    arity(2);
    if (inputs_[0] != inputs_[1]) {
      fail("inputs have shapes " + to_string(inputs_[0]) + " and " + to_string(inputs_[1]) +
           ", which must be equal");
    }
    return inputs_[0];
  }

  Shape operator()(const MaxPool2d& op) const {
    const Shape& x = image();
    if (2 * op.padding.h > op.kernel.h || 2 * op.padding.w > op.kernel.w) {
      fail("padding must be at most half the kernel");
    }
    return {x[0], window("height", x[1], op.kernel.h, op.stride.h, op.padding.h),
            window("width", x[2], op.kernel.w, op.stride.w, op.padding.w)};
  }

  Shape operator()(const AvgPool2d& op) const {
    const Shape& x = image();
    return {x[0], window("height", x[1], op.kernel.h, op.stride.h, 0),
            window("width", x[2], op.kernel.w, op.stride.w, 0)};
  }

  Shape operator()(const GlobalAvgPool&) const { return {image()[0]}; }
  Shape operator()(const Flatten&) const { return {element_count(one())}; }

  Shape operator()(const Dropout& op) const {
    if (!(op.rate >= 0 && op.rate < 1)) fail("rate must be at least 0 and below 1");
    return one();
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw ConfigError(where_ + ": " + what); }

  void arity(std::size_t wanted) const {
    if (inputs_.size() != wanted) {
      fail("takes " + std::to_string(wanted) + " inputs, has " + std::to_string(inputs_.size()));
    }
  }
  const Shape& one() const {
    arity(1);
    return inputs_[0];
  }
  const Shape& image() const {
    if (one().size() != 3) fail("input must be [C, H, W], is " + to_string(inputs_[0]));
    return inputs_[0];
  }
  void positive(const char* what, std::int64_t value) const {
    if (value < 1 || value > kMaxValues) {
      fail(std::string(what) + " must be at least 1, is " + std::to_string(value));
    }
  }
  // Output length of a window that slides over `size` values with `padding` zeros at both ends.
  std::int64_t window(const char* side, std::int64_t size, std::int64_t kernel, std::int64_t stride,
                      std::int64_t padding) const {
    positive("kernel", kernel);
    positive("stride", stride);
    if (padding < 0 || padding > kMaxValues) {
      fail("padding must be at least 0, is " + std::to_string(padding));
    }
    const std::int64_t padded = size + 2 * padding;
    if (kernel > padded) {
      fail("kernel " + std::to_string(kernel) + " is larger than the input's " + side + " " +
           std::to_string(size) + " with padding " + std::to_string(padding));
    }
    return (padded - kernel) / stride + 1;
  }

  const std::string& where_;
  const std::vector<Shape>& inputs_;
};

}  // namespace

Shape infer_shape(const Op& op, const std::string& name, const std::vector<Shape>& inputs) {
  const std::string where = std::string(op_name(op)) + " '" + name + "'";
  const Shape shape = std::visit(ShapeRules(where, inputs), op);
  const auto count = checked_element_count(shape);
  if (!count || *count > kMaxValues) {
    throw ConfigError(where + ": its output " + to_string(shape) + " has more than " +
                      std::to_string(kMaxValues) + " values");
  }
  return shape;
}

void resolve_defaults(Op& op) {
  const auto same = [](std::int64_t padding, std::int64_t kernel) {
    return padding == -1 ? (kernel - 1) / 2 : padding;
  };
  const auto or_kernel = [](Size2 stride, Size2 kernel) {
    return stride == Size2(0) ? kernel : stride;
  };
  if (auto* conv = std::get_if<Conv2d>(&op)) {
    conv->padding = {same(conv->padding.h, conv->kernel.h), same(conv->padding.w, conv->kernel.w)};
  } else if (auto* max_pool = std::get_if<MaxPool2d>(&op)) {
    max_pool->stride = or_kernel(max_pool->stride, max_pool->kernel);
  } else if (auto* avg_pool = std::get_if<AvgPool2d>(&op)) {
    avg_pool->stride = or_kernel(avg_pool->stride, avg_pool->kernel);
  }
}

WeightShape weight_shape(const Graph& graph, const Node& node) {
  if (const auto* conv = std::get_if<Conv2d>(&node.op)) {
    const Shape& x = graph.node(node.inputs.front()).shape;
    return {conv->out_channels, x[0] / conv->groups * conv->kernel.h * conv->kernel.w};
  }
  const auto* linear = std::get_if<Linear>(&node.op);
  TBN_CHECK(linear != nullptr, describe(node) + " has no weight");
  return {linear->out_features, graph.node(node.inputs.front()).shape.back()};
}

TileLayout tile_layout_of(const Graph& graph, const Node& node) {
  const auto* tiled = std::get_if<TiledWeights>(weights_of(node.op));
  TBN_CHECK(tiled != nullptr, describe(node) + " is not tiled");
  const WeightShape shape = weight_shape(graph, node);
  return tile_layout(shape.outputs, shape.inputs, tiled->p, describe(node));
}

bool reuses_rows(const Graph& graph, const Node& node) {
  const WeightEncoding* encoding = weights_of(node.op);
  if (encoding == nullptr || !std::holds_alternative<TiledWeights>(*encoding)) return false;
  const TileLayout layout = tile_layout_of(graph, node);
  const auto* conv = std::get_if<Conv2d>(&node.op);
  const bool same_inputs = conv == nullptr || conv->groups == 1 || layout.p == 1;
  return layout.form == TileForm::kRows && same_inputs;
}

}  // namespace tbn
