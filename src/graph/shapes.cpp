// Shape rules: what each op makes of its inputs' shapes, and what it says where they do not fit.
#include <limits>
#include <utility>

#include "base/counted.h"
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
    const auto channels = static_cast<std::size_t>(x[channel_axis(x)]);
    if (op.mean.size() != channels || op.std.size() != channels) {
      fail("has " + counted(std::ssize(op.mean), "mean") + " and " +
           counted(std::ssize(op.std), "standard deviation") + " for " +
           counted(x[channel_axis(x)], "channel"));
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
      fail("input has " + counted(x[0], "channel") + ", which " + counted(op.groups, "group") +
           " do not divide");
    }
    if (op.out_channels % op.groups != 0) {
      fail("has " + counted(op.out_channels, "output channel") + ", which " +
           counted(op.groups, "group") + " do not divide");
    }
    const Shape y = {op.out_channels,
                     window("height", x[1], op.kernel.h, op.stride.h, op.padding.h),
                     window("width", x[2], op.kernel.w, op.stride.w, op.padding.w)};
    const Shape weight = {op.out_channels, x[0] / op.groups, op.kernel.h, op.kernel.w};
    const auto count = checked_element_count(weight);
    if (!count || *count > kMaxValues) {
      fail("its weight " + to_string(weight) + " has more than " + number(kMaxValues) + " values");
    }
    return y;
  }

  Shape operator()(const Linear& op) const {
    Shape x = one();
    positive("out_features", op.out_features);
    x.back() = op.out_features;
    return x;
  }

  Shape operator()(const BatchNorm& op) const {
    const Shape& x = one();
    if (x.size() > 3) fail("input must be [F], [T, F] or [C, H, W], is " + to_string(x));
    if (!(op.eps > 0)) fail("eps must be above 0");
    if (!(op.momentum >= 0 && op.momentum <= 1)) fail("momentum must be between 0 and 1");
    return x;
  }

  Shape operator()(const Affine&) const { return one(); }
  Shape operator()(const Activation&) const { return one(); }

  Shape operator()(const Add&) const { return two_equal(); }
  Shape operator()(const Subtract&) const { return two_equal(); }
  Shape operator()(const Multiply&) const { return two_equal(); }

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

  Shape operator()(const Pad2d& op) const {
    const Shape& x = image();
    for (const std::int64_t side : {op.top, op.bottom, op.left, op.right}) {
      in_range("padding", side, 0);
    }
    return {x[0], op.top + x[1] + op.bottom, op.left + x[2] + op.right};
  }

  Shape operator()(const LayerNorm& op) const {
    if (!(op.eps > 0)) fail("eps must be above 0");
    return one();
  }

  Shape operator()(const Attention& op) const {
    positive("heads", op.heads);
    const Shape x = attended();
    if (x[1] % op.heads != 0) {
      fail(counted(x[1], "feature") + " cannot be split into " + counted(op.heads, "equal head"));
    }
    check_windows(op, x[0]);
    return x;
  }

  Shape operator()(const Reshape& op) const {
    const Shape& x = one();
    if (op.shape.empty() || op.shape.size() > 4) {
      fail("shape must have 1 to 4 dimensions, has " + number(op.shape.size()));
    }
    for (const std::int64_t d : op.shape) positive("each dimension", d);
    if (checked_element_count(op.shape) != element_count(x)) {
      fail("input " + to_string(x) + " has " +
           counted(element_count(x), "value, which does not fill ", "values, which do not fill ") +
           to_string(op.shape));
    }
    return op.shape;
  }

  Shape operator()(const Transpose&) const {
    Shape x = one();
    if (x.size() < 2) fail("input must have 2 dimensions or more, is " + to_string(x));
    std::swap(x[x.size() - 1], x[x.size() - 2]);
    return x;
  }

  Shape operator()(const Concat& op) const {
    if (inputs_.size() < 2) fail("takes 2 or more inputs, has " + number(inputs_.size()));
    Shape joined = inputs_[0];
    const std::size_t at = axis(op.axis, joined);
    for (std::size_t i = 1; i < inputs_.size(); ++i) {
      Shape wanted = inputs_[i];
      if (wanted.size() == joined.size()) wanted[at] = joined[at];
      if (wanted != joined) {
        fail("inputs have shapes " + to_string(inputs_[0]) + " and " + to_string(inputs_[i]) +
             ", which may differ along axis " + number(op.axis) + " alone");
      }
      joined[at] += inputs_[i][at];
    }
    return joined;
  }

  Shape operator()(const Slice& op) const {
    Shape x = one();
    const std::size_t at = axis(op.axis, x);
    positive("length", op.length);
    if (op.begin < 0 || op.begin > x[at] || op.length > x[at] - op.begin) {
      fail("begin " + number(op.begin) + " and length " + number(op.length) +
           " reach beyond axis " + number(op.axis) + " of " + to_string(x));
    }
    x[at] = op.length;
    return x;
  }

  Shape operator()(const ClassToken&) const { return {sequence()[0] + 1, sequence()[1]}; }
  Shape operator()(const PositionEmbedding&) const { return sequence(); }

  Shape operator()(const MatMul&) const {
    arity(2);
    const Shape& a = inputs_[0];
    const Shape& b = inputs_[1];
    if (a.size() != 2 || b.size() != 2 || a[1] != b[0]) {
      fail("inputs have shapes " + to_string(a) + " and " + to_string(b) +
           ", which must be [M, K] and [K, N]");
    }
    return {a[0], b[1]};
  }

  Shape operator()(const AddIdentity&) const {
    const Shape& x = sequence();
    if (x[0] != x[1]) fail("input must be square, is " + to_string(x));
    return x;
  }

  Shape operator()(const SequencePool&) const { return {sequence()[1]}; }

  Shape operator()(const Expand& op) const {
    if (one().size() != 1) fail("input must be [F], is " + to_string(inputs_[0]));
    positive("count", op.count);
    return {op.count, inputs_[0][0]};
  }

  Shape operator()(const MovingAverage& op) const {
    positive("kernel", op.kernel);
    if (op.kernel % 2 == 0) fail("kernel must be odd, is " + number(op.kernel));
    return sequence();
  }

 private:
  [[noreturn]] void fail(const std::string& what) const { throw ConfigError(where_ + ": " + what); }

  void arity(std::size_t wanted) const {
    if (inputs_.size() != wanted) {
      fail("takes " + counted(static_cast<std::int64_t>(wanted), "input") + ", has " +
           number(inputs_.size()));
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
  const Shape& sequence() const {
    if (one().size() != 2) fail("input must be [T, F], is " + to_string(inputs_[0]));
    return inputs_[0];
  }
  const Shape& two_equal() const {
    arity(2);
    if (inputs_[0] != inputs_[1]) {
      fail("inputs have shapes " + to_string(inputs_[0]) + " and " + to_string(inputs_[1]) +
           ", which must be equal");
    }
    return inputs_[0];
  }
  std::size_t axis(std::int64_t value, const Shape& x) const {
    if (value < 0 || value >= static_cast<std::int64_t>(x.size())) {
      fail("axis " + number(value) + " is none of " + to_string(x));
    }
    return static_cast<std::size_t>(value);
  }
  // [T, F] of the queries.
  Shape attended() const {
    if (inputs_.size() == 1) {
      const Shape& x = sequence();
      if (x[1] % 3 != 0) {
        fail("one input holds queries, keys and values, but 3 does not divide its " +
             counted(x[1], "feature"));
      }
      return {x[0], x[1] / 3};
    }
    arity(3);
    for (const Shape& x : inputs_) {
      if (x.size() != 2 || x != inputs_[0]) {
        fail("queries, keys and values must have one shape [T, F], are " + to_string(inputs_[0]) +
             ", " + to_string(inputs_[1]) + " and " + to_string(inputs_[2]));
      }
    }
    return inputs_[0];
  }
  void check_windows(const Attention& op, std::int64_t tokens) const {
    if (op.window == 0) {
      if (op.shift != 0 || op.relative_bias || op.grid != Size2(0)) {
        fail("grid, shift and relative_bias need a window");
      }
      return;
    }
    positive("window", op.window);
    positive("grid", op.grid.h);
    positive("grid", op.grid.w);
    if (op.grid.h * op.grid.w != tokens) {
      fail("a grid of " + number(op.grid.h) + " x " + number(op.grid.w) + " is not " +
           counted(tokens, "token"));
    }
    if (op.grid.h % op.window != 0 || op.grid.w % op.window != 0) {
      fail("windows of " + number(op.window) + " do not fill a grid of " + number(op.grid.h) +
           " x " + number(op.grid.w));
    }
    if (op.shift < 0 || op.shift >= op.window) {
      fail("shift must be at least 0 and below the window, is " + number(op.shift));
    }
  }
  template <class T>
  static std::string number(T value) {
    return std::to_string(value);
  }
  void in_range(const char* what, std::int64_t value, std::int64_t least) const {
    if (value >= least && value <= kMaxValues) return;
    const bool low = value < least;
    fail(std::string(what) + " must be at " +
         (low ? "least " + number(least) : "most " + number(kMaxValues)) + ", is " + number(value));
  }
  void positive(const char* what, std::int64_t value) const { in_range(what, value, 1); }
  // Output length of a window that slides over `size` values with `padding` zeros at both ends.
  std::int64_t window(const char* side, std::int64_t size, std::int64_t kernel, std::int64_t stride,
                      std::int64_t padding) const {
    positive("kernel", kernel);
    positive("stride", stride);
    in_range("padding", padding, 0);
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

}  // namespace tbn
