// Between the floats or bytes of the caller, row-major as the graph says, and activations.
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/kernels/transposition.h"
#include "runtime/cuda/step/ops.h"

namespace tbn::cuda {
namespace {

struct Normalized {
  const float *mean, *deviation;
  __device__ float operator()(float x, int c) const { return (x - mean[c]) / deviation[c]; }
};

struct Scaled {
  const float *scale, *bias;
  __device__ float operator()(float x, int c) const { return scale[c] * x + bias[c]; }
};

// Values that keep their places; `inner` of one channel lie together.
template <class From, class To, class F>
__global__ void __launch_bounds__(256) convert_values(const From* x, To* y, std::int64_t count,
                                                      std::int64_t inner, int channels, F f) {
  for (std::int64_t i = first_index(); i < count; i += index_step()) {
    put(y + i, f(to_float(x[i]), static_cast<int>(i / inner % channels)));
  }
}

template <class From, class To, class F>
void convert(const Shape& shape, const From* x, To* y, std::int64_t batch, F f,
             cudaStream_t stream) {
  const std::int64_t each = element_count(shape);
  if (batch * each == 0) return;
  const std::int64_t channels = shape[channel_axis(shape)];
  const std::int64_t inner = channel_axis(shape) == 0 ? each / channels : 1;
  launch("convert_values", convert_values<From, To, F>, grid_over(batch * each), stream, x, y,
         batch * each, inner, static_cast<int>(channels), f);
}

template <class From, class T, class F>
void import_as(const Border& border, const From* x, T* y, std::int64_t batch, F f,
               cudaStream_t stream) {
  const Shape& s = border.shape;
  if (!border.last || is_flat(s)) return convert(s, x, y, batch, f, stream);
  const Matrices matrices = {batch, static_cast<int>(first_of(s)), static_cast<int>(others_of(s))};
  launch_transpose(x, y, matrices, f, stream);
}

template <class From>
void import_values(const Border& border, Precision precision, const From* x, void* y,
                   std::int64_t batch, cudaStream_t stream) {
  with_type(precision, [&]<class T>(T*) {
    if (border.mean == nullptr) {
      import_as(border, x, static_cast<T*>(y), batch, Unchanged{}, stream);
    } else {
      import_as(border, x, static_cast<T*>(y), batch, Normalized{border.mean, border.deviation},
                stream);
    }
  });
}

// `f` is given the channel of each value; of values with the first dimension last, where its second
// dimension is.
template <class T, class F>
void export_as(const Border& border, const T* x, float* y, std::int64_t batch, F f,
               cudaStream_t stream) {
  const Shape& s = border.shape;
  if (!border.last || is_flat(s)) return convert(s, x, y, batch, f, stream);
  const Matrices matrices = {batch, static_cast<int>(others_of(s)), static_cast<int>(first_of(s))};
  launch_transpose(x, y, matrices, f, stream);
}

}  // namespace

void run_import(const Border& border, Precision precision, const float* x, void* y,
                std::int64_t batch, cudaStream_t stream) {
  import_values(border, precision, x, y, batch, stream);
}

void run_import(const Border& border, Precision precision, const std::uint8_t* x, void* y,
                std::int64_t batch, cudaStream_t stream) {
  import_values(border, precision, x, y, batch, stream);
}

void run_export(const Border& border, Precision precision, const void* x, float* y,
                std::int64_t batch, cudaStream_t stream) {
  with_type(precision, [&]<class T>(T*) {
    const auto* values = static_cast<const T*>(x);
    if (border.scale == nullptr) {
      export_as(border, values, y, batch, Unchanged{}, stream);
    } else {
      export_as(border, values, y, batch, Scaled{border.scale, border.bias}, stream);
    }
  });
}

}  // namespace tbn::cuda
