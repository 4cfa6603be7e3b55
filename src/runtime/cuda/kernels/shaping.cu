// Ops that move runs of values: joined and cut shapes, repeated rows, learned tokens, zeros around
// an image.
#include <functional>
#include <numeric>

#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/kernels/pack.h"
#include "runtime/cuda/step/ops.h"

namespace tbn::cuda {
namespace {

// Run i of `length` values, from x[i / repeats * x_step + x_begin] to y[i * y_step + y_begin].
struct Runs {
  std::int64_t count = 1, length = 0;
  std::int64_t x_step = 0, x_begin = 0, repeats = 1;
  std::int64_t y_step = 0, y_begin = 0;
  bool whole_packs(std::int64_t size) const {
    return (length | x_step | x_begin | y_step | y_begin) % size == 0;
  }
};

template <int kSize, class From, class T>
__global__ void __launch_bounds__(256) copy_runs(const From* x, T* y, Runs runs) {
  const std::int64_t packs = runs.length / kSize;
  for (std::int64_t i = first_index(); i < runs.count * packs; i += index_step()) {
    const std::int64_t run = i / packs, inside = i % packs * kSize;
    const std::int64_t from = run / runs.repeats * runs.x_step + runs.x_begin + inside;
    const std::int64_t to = run * runs.y_step + runs.y_begin + inside;
    if constexpr (kSize > 1) {
      store_pack(y, to, load_pack(x, from));
    } else {
      y[to] = from_float<T>(to_float(x[from]));
    }
  }
}

template <class T>
void move_runs(const void* x, void* y, const Runs& runs, cudaStream_t stream) {
  constexpr int kSize = kPackValues<T>;
  const std::int64_t values = runs.count * runs.length;
  if (values == 0) return;
  if (runs.whole_packs(kSize)) {
    launch("copy_runs", copy_runs<kSize, T, T>, grid_over(values / kSize), stream,
           static_cast<const T*>(x), static_cast<T*>(y), runs);
  } else {
    launch("copy_runs", copy_runs<1, T, T>, grid_over(values), stream, static_cast<const T*>(x),
           static_cast<T*>(y), runs);
  }
}

std::int64_t product(const Shape& shape, std::size_t begin, std::size_t end) {
  const auto at = [&](std::size_t i) { return shape.begin() + static_cast<std::ptrdiff_t>(i); };
  return std::accumulate(at(begin), at(end), std::int64_t{1}, std::multiplies<>());
}

// A shape and an axis of it as the values lie.
Shape as_stored(const Shape& shape, bool last) {
  return last ? Shape{shape[1], shape[2], shape[0]} : shape;
}
std::size_t axis_as_stored(std::int64_t axis, bool last) {
  return static_cast<std::size_t>(last ? (axis + 2) % 3 : axis);
}

// y[h][w][c] = x[h - top][w - left][c], or 0.
struct Padding {
  int in_h, in_w, out_h, out_w, top, left, channels;
};

template <class T>
__global__ void __launch_bounds__(256)
    pad_image(const T* x, T* y, std::int64_t count, Padding padding) {
  for (std::int64_t i = first_index(); i < count; i += index_step()) {
    const auto c = static_cast<int>(i % padding.channels);
    const std::int64_t pixel = i / padding.channels;
    const int w = static_cast<int>(pixel % padding.out_w) - padding.left;
    const int h = static_cast<int>(pixel / padding.out_w % padding.out_h) - padding.top;
    const std::int64_t image = pixel / padding.out_w / padding.out_h;
    const bool inside = h >= 0 && h < padding.in_h && w >= 0 && w < padding.in_w;
    y[i] = inside ? x[((image * padding.in_h + h) * padding.in_w + w) * padding.channels + c]
                  : from_float<T>(0.0f);
  }
}

}  // namespace

DeviceStep make_concat(const StepContext& context, const Concat& op,
                       const std::vector<Shape>& inputs, bool last) {
  const std::size_t axis = axis_as_stored(op.axis, last);
  std::vector<std::int64_t> lengths;
  for (const Shape& input : inputs) {
    const Shape shape = as_stored(input, last);
    lengths.push_back(product(shape, axis, shape.size()));
  }
  const std::int64_t each = product(as_stored(inputs.front(), last), 0, axis);
  const std::int64_t whole = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  return {.run = [=, precision = context.precision](const Call& call) {
    Runs runs = {.count = call.batch * each, .y_step = whole};
    for (std::size_t i = 0; i < lengths.size(); ++i) {
      runs.length = runs.x_step = lengths[i];
      with_type(precision,
                [&]<class T>(T*) { move_runs<T>(call.inputs[i], call.output, runs, call.stream); });
      runs.y_begin += lengths[i];
    }
  }};
}

DeviceStep make_slice(const StepContext& context, const Slice& op, const Shape& input, bool last) {
  const Shape shape = as_stored(input, last);
  const std::size_t axis = axis_as_stored(op.axis, last);
  const std::int64_t entry = product(shape, axis + 1, shape.size());
  const std::int64_t each = product(shape, 0, axis);
  const Runs runs = {.count = each,
                     .length = op.length * entry,
                     .x_step = shape[axis] * entry,
                     .x_begin = op.begin * entry,
                     .y_step = op.length * entry};
  return {.run = [=, precision = context.precision](const Call& call) {
    Runs all = runs;
    all.count *= call.batch;
    with_type(precision,
              [&]<class T>(T*) { move_runs<T>(call.inputs[0], call.output, all, call.stream); });
  }};
}

DeviceStep make_expand(const StepContext& context, const Expand& op, const Shape& input) {
  const std::int64_t features = input[0];
  return {.run = [=, precision = context.precision, repeats = op.count](const Call& call) {
    const Runs runs = {.count = call.batch * repeats,
                       .length = features,
                       .x_step = features,
                       .repeats = repeats,
                       .y_step = features};
    with_type(precision,
              [&]<class T>(T*) { move_runs<T>(call.inputs[0], call.output, runs, call.stream); });
  }};
}

DeviceStep make_class_token(const StepContext& context, std::span<const float> token,
                            const Shape& input) {
  const float* table = context.tables.keep(token);
  const std::int64_t each = element_count(input), features = input[1];
  return {.run = [=, precision = context.precision](const Call& call) {
    if (call.batch * features == 0) return;
    const std::int64_t whole = each + features;
    const Runs first = {.count = call.batch, .length = features, .y_step = whole};
    const Runs others = {
        .count = call.batch, .length = each, .x_step = each, .y_step = whole, .y_begin = features};
    with_type(precision, [&]<class T>(T*) {
      launch("copy_runs", copy_runs<1, float, T>, grid_over(call.batch * features), call.stream,
             table, static_cast<T*>(call.output), first);
      move_runs<T>(call.inputs[0], call.output, others, call.stream);
    });
  }};
}

DeviceStep make_pad2d(const StepContext& context, const Pad2d& op, const Shape& input,
                      const Shape& output) {
  const auto number = [](std::int64_t x) { return static_cast<int>(x); };
  const Padding padding = {number(input[1]), number(input[2]), number(output[1]), number(output[2]),
                           number(op.top),   number(op.left),  number(input[0])};
  return {.run = [=, precision = context.precision, each = element_count(output)](const Call& c) {
    if (c.batch * each == 0) return;
    with_type(precision, [&]<class T>(T*) {
      launch("pad_image", pad_image<T>, grid_over(c.batch * each), c.stream,
             static_cast<const T*>(c.inputs[0]), static_cast<T*>(c.output), c.batch * each,
             padding);
    });
  }};
}

}  // namespace tbn::cuda
