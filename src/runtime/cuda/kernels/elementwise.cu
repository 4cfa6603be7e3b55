// Ops that treat each value by itself, or by its place in the example: normalize, affine,
// activations, sums, differences, products, positions. All may write over their input.
#include "runtime/cuda/device/launch.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/kernels/pack.h"
#include "runtime/cuda/layer/epilogue.h"
#include "runtime/cuda/step/ops.h"

namespace tbn::cuda {
namespace {

// What is computed of the values a and b at a place of an example; b is a where there is one input.
struct Activate {
  int kind;
  static constexpr bool kPlaced = false;
  __device__ float operator()(float a, float, unsigned) const { return activate(kind, a); }
};
struct Sum {
  int activation;
  static constexpr bool kPlaced = false;
  __device__ float operator()(float a, float b, unsigned) const {
    return activate(activation, a + b);
  }
};
struct Difference {
  static constexpr bool kPlaced = false;
  __device__ float operator()(float a, float b, unsigned) const { return a - b; }
};
struct Product {
  static constexpr bool kPlaced = false;
  __device__ float operator()(float a, float b, unsigned) const { return a * b; }
};

// The channel of a place: `inner` values of one channel lie together.
struct Channels {
  unsigned count, inner;
  __device__ unsigned of(unsigned place) const { return place / inner % count; }
};
struct Normalized {
  Channels channels;
  const float *mean, *deviation;
  static constexpr bool kPlaced = true;
  __device__ float operator()(float a, float, unsigned place) const {
    const unsigned c = channels.of(place);
    return (a - mean[c]) / deviation[c];
  }
};
struct Scaled {
  Channels channels;
  const float *scale, *bias;
  int activation;
  static constexpr bool kPlaced = true;
  __device__ float operator()(float a, float, unsigned place) const {
    const unsigned c = channels.of(place);
    return activate(activation, scale[c] * a + bias[c]);
  }
};
struct AtPlace {
  const float* table;
  static constexpr bool kPlaced = true;
  __device__ float operator()(float a, float, unsigned place) const { return a + table[place]; }
};
struct PlusIdentity {
  unsigned size;
  static constexpr bool kPlaced = true;
  __device__ float operator()(float a, float, unsigned place) const {
    return place % (size + 1) == 0 ? a + 1.0f : a;
  }
};

// y[i] = f(a[i], b[i], i mod period), `count` values of examples of `period`.
template <class T, class F>
__global__ void __launch_bounds__(256)
    map_values(const T* a, const T* b, T* y, std::int64_t count, unsigned period, F f) {
  constexpr int kSize = kPackValues<T>;
  const std::int64_t packs = count / kSize;
  for (std::int64_t i = first_index(); i < packs; i += index_step()) {
    Pack<T> x = load_pack(a, i * kSize);
    const Pack<T> z = a == b ? x : load_pack(b, i * kSize);
    unsigned place = F::kPlaced ? static_cast<unsigned>(i * kSize % period) : 0;
#pragma unroll
    for (int j = 0; j < kSize; ++j) {
      x.values[j] = from_float<T>(f(to_float(x.values[j]), to_float(z.values[j]), place));
      if (F::kPlaced && ++place == period) place = 0;
    }
    store_pack(y, i * kSize, x);
  }
  for (std::int64_t i = packs * kSize + first_index(); i < count; i += index_step()) {
    const auto place = static_cast<unsigned>(i % period);
    y[i] = from_float<T>(f(to_float(a[i]), to_float(b[i]), place));
  }
}

template <class F>
DeviceStep map_step(const StepContext& context, const Shape& shape, F f) {
  const std::int64_t each = element_count(shape);
  return {.run = [precision = context.precision, each, f](const Call& call) {
    const std::int64_t count = call.batch * each;
    if (count == 0) return;
    with_type(precision, [&]<class T>(T*) {
      launch("map_values", map_values<T, F>, grid_over(count / kPackValues<T> + 1), call.stream,
             static_cast<const T*>(call.inputs.front()), static_cast<const T*>(call.inputs.back()),
             static_cast<T*>(call.output), count, static_cast<unsigned>(each), f);
    });
  }};
}

Channels channels_of(const Shape& shape, bool last) {
  const auto count = static_cast<unsigned>(shape[channel_axis(shape)]);
  const bool together = channel_axis(shape) == 0 && shape.size() > 1 && !last;
  const auto values = static_cast<unsigned>(element_count(shape));
  return {count, together && count > 0 ? std::max(1u, values / count) : 1u};
}

}  // namespace

DeviceStep make_normalize(const StepContext& context, const Normalize& op, const Shape& shape,
                          bool last) {
  return map_step(context, shape,
                  Normalized{channels_of(shape, last), context.tables.keep(op.mean),
                             context.tables.keep(op.std)});
}

DeviceStep make_affine(const StepContext& context, const Affine& op, std::span<const float> scale,
                       std::span<const float> bias, const Shape& shape, bool last) {
  return map_step(context, shape,
                  Scaled{channels_of(shape, last), context.tables.keep(scale),
                         context.tables.keep(bias), static_cast<int>(op.activation)});
}

DeviceStep make_activation(const StepContext& context, ActivationKind kind, const Shape& shape) {
  if (kind == ActivationKind::kNone) return make_identity(context, shape);
  return map_step(context, shape, Activate{static_cast<int>(kind)});
}

DeviceStep make_add(const StepContext& context, ActivationKind activation, const Shape& shape) {
  return map_step(context, shape, Sum{static_cast<int>(activation)});
}

DeviceStep make_subtract(const StepContext& context, const Shape& shape) {
  return map_step(context, shape, Difference{});
}

DeviceStep make_multiply(const StepContext& context, const Shape& shape) {
  return map_step(context, shape, Product{});
}

DeviceStep make_position_embedding(const StepContext& context, std::span<const float> table,
                                   const Shape& shape) {
  return map_step(context, shape, AtPlace{context.tables.keep(table)});
}

DeviceStep make_add_identity(const StepContext& context, const Shape& shape) {
  return map_step(context, shape, PlusIdentity{static_cast<unsigned>(shape[0])});
}

DeviceStep make_identity(const StepContext& context, const Shape& shape) {
  const std::int64_t each = element_count(shape) * value_bytes(context.precision);
  return {.run = [each](const Call& call) {
    if (call.output == call.inputs[0] || call.batch * each == 0) return;
    check(cudaMemcpyAsync(call.output, call.inputs[0], static_cast<std::size_t>(call.batch * each),
                          cudaMemcpyDeviceToDevice, call.stream),
          "copying values");
  }};
}

}  // namespace tbn::cuda
