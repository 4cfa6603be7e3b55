// The plain loops in float, on registers of W lanes. Products of matrices take up to R registers of
// columns at once, and as many pixels as leave room for their sums. Of internal linkage on purpose:
// each file keeps the copy that its own compiler flags made (see isa.h).
#pragma once

#include "runtime/cpu/fast/isa.h"
#include "runtime/cpu/vector_math.h"

namespace tbn::fast {
namespace {

template <int W, int R = 2>
struct Loops {
  typedef float Register __attribute__((vector_size(W * 4)));
  typedef float Loose __attribute__((vector_size(W * 4), aligned(4), may_alias));

  typedef int Indices __attribute__((vector_size(W * 4), may_alias));

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

  // Where a register holds all rows a whole number of times, and their copies lie side by side.
  template <class Act>
  static void finish_few(const Finish& finish, std::int64_t rows, const float* sum, float* y,
                         Act act) {
    float repeated[W];
    for (int l = 0; l < W; ++l) repeated[l] = sum[l & (rows - 1)];  // rows is a power of 2
    const std::int64_t outputs = rows * finish.copies;
    std::int64_t c = 0;
    for (; c + W <= outputs; c += W) {
      for (int l = 0; l < W; ++l) {
        y[c + l] = act(finish.gain[c + l] * repeated[l] + finish.bias[c + l]);
      }
    }
    for (; c < outputs; ++c) y[c] = act(finish.gain[c] * repeated[c % W] + finish.bias[c]);
  }

  static void finish(const Finish& finish, std::int64_t first, std::int64_t rows, const float* sums,
                     std::int64_t stride, std::int64_t pixels, float* y, std::int64_t y_stride) {
    const bool few = rows < W && W % rows == 0 && first == 0 && finish.copies > 1 &&
                     finish.row_step == 1 && finish.copy_step == rows;
    with_activation(finish.activation, [&](auto act) {
      for (std::int64_t i = 0; i < pixels; ++i) {
        const float* __restrict sum = sums + i * stride;
        if (few) {
          finish_few(finish, rows, sum, y + i * y_stride, act);
          continue;
        }
        for (std::int64_t copy = 0; copy < finish.copies; ++copy) {
          const std::int64_t c = first * finish.row_step + copy * finish.copy_step;
          const float* __restrict gain = finish.gain + c;
          const float* __restrict bias = finish.bias + c;
          float* __restrict to = y + i * y_stride + c;
          if (finish.row_step == 1) {
            for (std::int64_t r = 0; r < rows; ++r) to[r] = act(gain[r] * sum[r] + bias[r]);
          } else {
            const std::int64_t step = finish.row_step;
            for (std::int64_t r = 0; r < rows; ++r) {
              to[r * step] = act(gain[r * step] * sum[r] + bias[r * step]);
            }
          }
        }
      }
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
  // W rows of W values in registers: each round takes rows i and i + W / 2 one value in turn, and
  // log2 W rounds bring value j of row i to value i of row j.
  static void transpose_block(const float* x, std::int64_t x_stride, float* y,
                              std::int64_t y_stride) {
    alignas(W * 4) int places[2][W];
    for (int l = 0; l < W; ++l) {
      places[0][l] = l / 2 + (l % 2) * W;
      places[1][l] = places[0][l] + W / 2;
    }
    const Indices low = *reinterpret_cast<const Indices*>(places[0]);
    const Indices high = *reinterpret_cast<const Indices*>(places[1]);
    Register rows[W], mixed[W];
#pragma GCC unroll 16
    for (int i = 0; i < W; ++i) rows[i] = load(x + i * x_stride);
#pragma GCC unroll 4
    for (int round = W; round > 1; round /= 2) {
#pragma GCC unroll 8
      for (int i = 0; i < W / 2; ++i) {
        mixed[2 * i] = __builtin_shuffle(rows[i], rows[i + W / 2], low);
        mixed[2 * i + 1] = __builtin_shuffle(rows[i], rows[i + W / 2], high);
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
  // The sum of f(x[i]), in four registers.
  template <class F>
  static float sum_of(const float* x, std::int64_t count, F f) {
    float sums[4 * W] = {};
    std::int64_t i = 0;
    for (; i + 4 * W <= count; i += 4 * W) {
      for (int l = 0; l < 4 * W; ++l) sums[l] += f(x[i + l]);
    }
    float sum = 0;
    for (; i < count; ++i) sum += f(x[i]);
    for (int half = 2 * W; half > 0; half /= 2) {
      for (int l = 0; l < half; ++l) sums[l] += sums[l + half];
    }
    return sum + sums[0];
  }

  static void softmax(float* values, std::int64_t count) {
    float lanes[W], sums[W] = {};
    for (int l = 0; l < W; ++l) lanes[l] = -__builtin_inff();
    for (std::int64_t i = 0; i < count; i += W) {
      for (int l = 0; l < W; ++l) lanes[l] = values[i + l] > lanes[l] ? values[i + l] : lanes[l];
    }
    float top = lanes[0];
    for (int l = 1; l < W; ++l) top = lanes[l] > top ? lanes[l] : top;
    for (std::int64_t i = 0; i < count; i += W) {
      float* at = values + i;
      for (int l = 0; l < W; ++l) {
        at[l] = cpu::vector_exp(at[l] - top);
        sums[l] += at[l];
      }
    }
    float sum = 0;
    for (int l = 0; l < W; ++l) sum += sums[l];
    const float factor = 1.0f / sum;
    for (std::int64_t i = 0; i < count; i += W) {
      for (int l = 0; l < W; ++l) values[i + l] *= factor;
    }
  }

  // The variance is of the differences from a rounded mean, less what their own mean says about the
  // rounding, so that a mean far from 0 costs it no digits.
  static void layer_norm(const float* weight, const float* bias, double eps, const float* x,
                         float* y, std::int64_t count) {
    const float n = static_cast<float>(count);
    const float mean = sum_of(x, count, [](float v) { return v; }) / n;
    const float rest = sum_of(x, count, [=](float v) { return v - mean; }) / n;
    const float centre = mean + rest;
    const float squares = sum_of(x, count, [=](float v) { return (v - centre) * (v - centre); });
    const double variance = static_cast<double>(squares / n) + eps;
    const float factor = 1.0f / static_cast<float>(__builtin_sqrt(variance));
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
