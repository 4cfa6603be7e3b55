// The plain loops in float, on registers of W lanes. Products of matrices take up to R registers of
// columns at once, and as many pixels as leave room for their sums. Of internal linkage on purpose:
// each file keeps the copy that its own compiler flags made (see isa.h).
#pragma once

#include "runtime/cpu/common/vector_math.h"
#include "runtime/cpu/fast/isa.h"
#include "runtime/cpu/fast/unrolled.h"

namespace tbn::fast {
namespace {

template <int W, int R = 2>
struct Loops {
  typedef float Register __attribute__((vector_size(W * 4)));
  typedef float Loose __attribute__((vector_size(W * 4), aligned(4), may_alias));

  static Register load(const float* at) { return *reinterpret_cast<const Loose*>(at); }
  static void store(float* at, Register value) { *reinterpret_cast<Loose*>(at) = value; }

  // ------------------------------------------------------------ products of matrices
  // N registers of outputs of P pixels: every weight that is loaded meets P inputs.
  template <int N, int P>
  static void multiply_block(const float* weights, std::int64_t weight_stride, Window window,
                             const float* base, const std::int64_t* at, float* sums,
                             std::int64_t stride) {
    const float* x[P];
    Register sum[P][N];
#pragma GCC unroll 16
    for (int j = 0; j < P; ++j) {
      x[j] = base + at[j];
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) sum[j][i] = Register{};
    }
    for (std::int64_t s = 0; s < window.segments; ++s) {
      for (std::int64_t k = 0; k < window.run; ++k, weights += weight_stride) {
        Register w[N];
#pragma GCC unroll 4
        for (int i = 0; i < N; ++i) w[i] = load(weights + W * i);
#pragma GCC unroll 16
        for (int j = 0; j < P; ++j) {
          const float value = x[j][s * window.pitch + k];
#pragma GCC unroll 4
          for (int i = 0; i < N; ++i) sum[j][i] += value * w[i];
        }
      }
    }
#pragma GCC unroll 16
    for (int j = 0; j < P; ++j) {
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) store(sums + j * stride + W * i, sum[j][i]);
    }
  }

  template <int N>
  static void multiply_columns(const float* weights, std::int64_t weight_stride, Window window,
                               const float* base, Places places, float* sums, std::int64_t stride) {
    constexpr int kMost = W >= 16 ? 12 : W >= 8 ? 6 : R == 4 ? 5 : 4;
    const auto block = [&]<int P>(std::int64_t i) {
      multiply_block<N, P>(weights, weight_stride, window, base, places.at + i, sums + i * stride,
                           stride);
      return i + P;
    };
    std::int64_t i = 0;
    while (i + kMost <= places.count) i = block.template operator()<kMost>(i);
    while (i + 4 <= places.count) i = block.template operator()<4>(i);
    while (i + 2 <= places.count) i = block.template operator()<2>(i);
    while (i < places.count) i = block.template operator()<1>(i);
  }

  static void multiply(const float* weights, std::int64_t weight_stride, std::int64_t columns,
                       Window window, const float* base, Places places, float* sums,
                       std::int64_t stride) {
    const auto part = [&] {
      if constexpr (R == 4) {
        if (columns > 3 * W) return multiply_columns<4>;
        if (columns > 2 * W) return multiply_columns<3>;
      }
      return columns > W ? multiply_columns<2> : multiply_columns<1>;
    }();
    part(weights, weight_stride, window, base, places, sums, stride);
  }

  template <int N, int P>
  static void channels_block(const float* weights, std::int64_t channels, const float* x,
                             std::int64_t step, Places taps, float* sums) {
    Register sum[P][N] = {};
    for (std::int64_t k = 0; k < taps.count; ++k) {
      const float* at = x + taps.at[k];
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) {
        const Register w = load(weights + k * channels + W * i);
#pragma GCC unroll 4
        for (int j = 0; j < P; ++j) sum[j][i] += load(at + j * step + W * i) * w;
      }
    }
#pragma GCC unroll 4
    for (int j = 0; j < P; ++j) {
#pragma GCC unroll 4
      for (int i = 0; i < N; ++i) store(sums + j * channels + W * i, sum[j][i]);
    }
  }

  template <int N>
  static void channels_pixels(const float* weights, std::int64_t channels, const float* x,
                              std::int64_t step, std::int64_t pixels, Places taps, float* sums) {
    std::int64_t i = 0;
    for (; i + 4 <= pixels; i += 4) {
      channels_block<N, 4>(weights, channels, x + i * step, step, taps, sums + i * channels);
    }
    for (; i < pixels; ++i) {
      channels_block<N, 1>(weights, channels, x + i * step, step, taps, sums + i * channels);
    }
  }

  static void multiply_channels(const float* weights, std::int64_t channels, const float* x,
                                std::int64_t step, std::int64_t pixels, Places taps, float* sums) {
    constexpr int kMost = W >= 16 ? 4 : 2;
    std::int64_t c = 0;
    for (; c + kMost * W <= channels; c += kMost * W) {
      channels_pixels<kMost>(weights + c, channels, x + c, step, pixels, taps, sums + c);
    }
    for (; c < channels; c += W) {
      channels_pixels<1>(weights + c, channels, x + c, step, pixels, taps, sums + c);
    }
  }

  // ------------------------------------------------------------ value by value
  // Calls f(act) with the function of an activation, so that loops hold no choice.
  template <class F>
  static void with_activation(int activation, F f) {
    switch (activation) {  // the order of ActivationKind, which kernel.cpp checks
      case 1:
        return f([](float x) { return x < 0.0f ? 0.0f : x; });
      case 2:
        return f([](float x) { return x * cpu::vector_normal(x); });
      case 3:
        return f([](float x) { return x / (1.0f + cpu::vector_exp(-x)); });
      case 4:
        return f([](float x) { return cpu::vector_tanh(x); });
      case 5:
        return f([](float x) { return 1.0f / (1.0f + cpu::vector_exp(-x)); });
      default:
        return f([](float x) { return x; });
    }
  }

  // What one pixel's outputs are made of: to[l] = act(gain[l] * sum[l] + bias[l] + residual[l]).
  template <bool kResidual, class Act>
  struct Outputs {
    const float* gain;
    const float* bias;
    const float* residual;
    float* y;
    Act act;

    void put(std::int64_t c, float sum) const {
      const float value = gain[c] * sum + bias[c];
      y[c] = act(kResidual ? value + residual[c] : value);
    }
    // Writes a register of outputs that lie side by side.
    void put_register(std::int64_t c, const float* sum) const {
      float out[W];
      for (int l = 0; l < W; ++l) {
        const float value = gain[c + l] * sum[l] + bias[c + l];
        out[l] = act(kResidual ? value + residual[c + l] : value);
      }
      for (int l = 0; l < W; ++l) y[c + l] = out[l];
    }
  };

  // Where a register holds all rows a whole number of times, and their copies lie side by side.
  template <class Outputs>
  static void finish_few(const Finish& finish, std::int64_t rows, const float* sum, Outputs to) {
    float repeated[W];
    for (int l = 0; l < W; ++l) repeated[l] = sum[l & (rows - 1)];  // rows is a power of 2
    const std::int64_t outputs = rows * finish.copies;
    std::int64_t c = 0;
    for (; c + W <= outputs; c += W) to.put_register(c, repeated);
    for (; c < outputs; ++c) to.put(c, repeated[c % W]);
  }

  template <class Outputs>
  static void finish_pixel(const Finish& finish, std::int64_t first, std::int64_t rows,
                           const float* sum, Outputs to) {
    for (std::int64_t copy = 0; copy < finish.copies; ++copy) {
      const std::int64_t c = first * finish.row_step + copy * finish.copy_step;
      std::int64_t r = 0;
      if (finish.row_step == 1) {
        for (; r + W <= rows; r += W) to.put_register(c + r, sum + r);
      }
      for (; r < rows; ++r) to.put(c + r * finish.row_step, sum[r]);
    }
  }

  template <bool kResidual, class Act>
  static void finish_pixels(const Finish& finish, std::int64_t first, std::int64_t rows,
                            const float* sums, std::int64_t stride, std::int64_t pixels, float* y,
                            std::int64_t y_stride, Act act) {
    const bool few = rows < W && W % rows == 0 && first == 0 && finish.copies > 1 &&
                     finish.row_step == 1 && finish.copy_step == rows;
    for (std::int64_t i = 0; i < pixels; ++i) {
      const float* residual = kResidual ? finish.residual + i * y_stride : nullptr;
      const Outputs<kResidual, Act> to = {finish.gain, finish.bias, residual, y + i * y_stride,
                                          act};
      const float* sum = sums + i * stride;
      if (few) {
        finish_few(finish, rows, sum, to);
      } else {
        finish_pixel(finish, first, rows, sum, to);
      }
    }
  }

  static void finish(const Finish& finish, std::int64_t first, std::int64_t rows, const float* sums,
                     std::int64_t stride, std::int64_t pixels, float* y, std::int64_t y_stride) {
    with_activation(finish.activation, [&](auto act) {
      const auto part = finish.residual != nullptr ? finish_pixels<true, decltype(act)>
                                                   : finish_pixels<false, decltype(act)>;
      part(finish, first, rows, sums, stride, pixels, y, y_stride, act);
    });
  }

  static void activate(int activation, float* values, std::int64_t count) {
    with_activation(activation, [&](auto act) {
      for (std::int64_t i = 0; i < count; ++i) values[i] = act(values[i]);
    });
  }

  static void add(const float* a, const float* b, float* y, std::int64_t count) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) y[i] = a[i] + b[i];
  }

  static void largest(const float* x, float* y, std::int64_t count) {
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) y[i] = x[i] > y[i] || x[i] != x[i] ? x[i] : y[i];
  }

  static void affine(const float* scale, const float* bias, int activation, const float* x,
                     float* y, std::int64_t count) {
    with_activation(activation, [&](auto act) {
#pragma GCC ivdep
      for (std::int64_t i = 0; i < count; ++i) y[i] = act(scale[i] * x[i] + bias[i]);
    });
  }

  // ------------------------------------------------------------ order
  // W / 2 values of each, in turn, from place First on. Makes its list of places from the last to
  // the first.
  template <int First, int N = W, int... Places>
  [[gnu::always_inline]] static inline Register in_turn(Register a, Register b) {
    if constexpr (N == 0) {
      return __builtin_shufflevector(a, b, Places...);
    } else {
      return in_turn<First, N - 1, First + (N - 1) / 2 + (N - 1) % 2 * W, Places...>(a, b);
    }
  }

  // W rows of W values in registers: each round takes rows i and i + W / 2 one value in turn, and
  // log2 W rounds bring value j of row i to value i of row j.
  static void transpose_block(const float* x, std::int64_t x_stride, float* y,
                              std::int64_t y_stride) {
    Register rows[W], mixed[W];
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) rows[i] = load(x + i * x_stride);
#pragma GCC unroll 4
    for (int round = W; round > 1; round /= 2) {
#pragma GCC unroll 8
      for (int i = 0; i < W / 2; ++i) {
        mixed[2 * i] = in_turn<0>(rows[i], rows[i + W / 2]);
        mixed[2 * i + 1] = in_turn<W / 2>(rows[i], rows[i + W / 2]);
      }
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i) rows[i] = mixed[i];
    }
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) store(y + i * y_stride, rows[i]);
  }

  static void transpose(const float* x, std::int64_t rows, std::int64_t columns,
                        std::int64_t x_stride, float* y, std::int64_t y_stride) {
    const std::int64_t whole_rows = rows / W * W, whole_columns = columns / W * W;
    for (std::int64_t i = 0; i < whole_rows; i += W) {
      for (std::int64_t j = 0; j < whole_columns; j += W) {
        transpose_block(x + i * x_stride + j, x_stride, y + j * y_stride + i, y_stride);
      }
    }
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = i < whole_rows ? whole_columns : 0; j < columns; ++j) {
        y[j * y_stride + i] = x[i * x_stride + j];
      }
    }
  }

  // ------------------------------------------------------------ rows
  // All lanes combined by f, each half with the other.
  template <class F>
  static float folded(Register all, F f) {
    float lanes[W];
    store(lanes, all);
#pragma GCC unroll 4
    for (int half = W / 2; half > 0; half /= 2) {
      for (int l = 0; l < half; ++l) lanes[l] = f(lanes[l], lanes[l + half]);
    }
    return lanes[0];
  }
  static float sum_of(Register all) {
    return folded(all, [](float a, float b) { return a + b; });
  }
  static float largest_of(Register all) {
    return folded(all, [](float a, float b) { return a > b ? a : b; });
  }

  // The sums of x[i] - centre and of its square, each in four registers.
  struct Sums {
    float first = 0;
    float second = 0;
  };
  static Sums sums_about(float centre, const float* x, std::int64_t count) {
    Register first[4] = {}, second[4] = {};
    std::int64_t i = 0;
    for (; i + 4 * W <= count; i += 4 * W) {
      unrolled<4>([&](auto k) {
        const Register d = load(x + i + k * W) - centre;
        first[k] += d;
        second[k] += d * d;
      });
    }
    Sums sums = {sum_of((first[0] + first[1]) + (first[2] + first[3])),
                 sum_of((second[0] + second[1]) + (second[2] + second[3]))};
    for (; i < count; ++i) {
      const float d = x[i] - centre;
      sums.first += d;
      sums.second += d * d;
    }
    return sums;
  }

  static void softmax(float* values, std::int64_t count) {
    float lanes[W], sums[W] = {};
    for (int l = 0; l < W; ++l) lanes[l] = -__builtin_inff();
    for (std::int64_t i = 0; i < count; i += W) {
      for (int l = 0; l < W; ++l) lanes[l] = values[i + l] > lanes[l] ? values[i + l] : lanes[l];
    }
    const float top = largest_of(load(lanes));
    for (std::int64_t i = 0; i < count; i += W) {
      float* at = values + i;
      for (int l = 0; l < W; ++l) {
        at[l] = cpu::vector_exp(at[l] - top);
        sums[l] += at[l];
      }
    }
    const float factor = 1.0f / sum_of(load(sums));
    for (std::int64_t i = 0; i < count; i += W) {
      for (int l = 0; l < W; ++l) values[i + l] *= factor;
    }
  }

  // The variance is of the differences from a rounded mean, less what their own mean says about the
  // rounding, so that a mean far from 0 costs it no digits.
  static void layer_norm(const float* weight, const float* bias, double eps, const float* x,
                         float* y, std::int64_t count) {
    const float n = static_cast<float>(count);
    const float mean = sums_about(0.0f, x, count).first / n;
    const Sums about_mean = sums_about(mean, x, count);
    const float rest = about_mean.first / n;
    const float centre = mean + rest;
    const double variance = static_cast<double>(about_mean.second / n - rest * rest) + eps;
    const float factor = 1.0f / static_cast<float>(__builtin_sqrt(variance));
#pragma GCC ivdep
    for (std::int64_t i = 0; i < count; ++i) y[i] = (x[i] - centre) * factor * weight[i] + bias[i];
  }

  static constexpr FloatOps kOps = {.lanes = W,
                                    .columns = R * W,
                                    .multiply = multiply,
                                    .multiply_channels = multiply_channels,
                                    .finish = finish,
                                    .activate = activate,
                                    .softmax = softmax,
                                    .transpose = transpose,
                                    .add = add,
                                    .largest = largest,
                                    .affine = affine,
                                    .layer_norm = layer_norm};
};

}  // namespace
}  // namespace tbn::fast
