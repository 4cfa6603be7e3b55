// The inputs of one output pixel, as both plain forms of a network gather them.
#pragma once

#include <span>
#include <vector>

#include "micro/network.h"

namespace tbn::micro {

// Where in the input tap (dy, dx) of the window at output pixel (y, x) lies; -1 in the padding.
inline std::int64_t input_pixel(const Window& window, const Map& in, std::int64_t y, std::int64_t x,
                                std::int64_t dy, std::int64_t dx) {
  const std::int64_t row = y * window.stride.h - window.padding.h + dy;
  const std::int64_t column = x * window.stride.w - window.padding.w + dx;
  const bool inside = row >= 0 && row < in.h && column >= 0 && column < in.w;
  return inside ? row * in.w + column : -1;
}

// Calls f(input pixel, tap) for each tap of the window at output pixel `pixel`.
template <class F>
void each_tap(const MicroStep& step, const Window& window, std::int64_t pixel, const F& f) {
  for (std::int64_t tap = 0; tap < window.taps(); ++tap) {
    f(input_pixel(window, step.in, pixel / step.out.w, pixel % step.out.w, tap / window.kernel.w,
                  tap % window.kernel.w),
      tap);
  }
}

// The window of a layer at an output pixel, in the order of its weights: [inputs]. `channel` is the
// one that is seen in depthwise layers.
template <class T>
void gather(const MicroStep& step, const Layer& layer, std::int64_t pixel, std::int64_t channel,
            std::span<const T> x, T padding, std::span<T> out) {
  const bool channels_first = std::holds_alternative<FlatSigns>(layer.weights);
  const std::int64_t seen = layer.depthwise ? 1 : step.in.c, taps = layer.window.taps();
  each_tap(step, layer.window, pixel, [&](std::int64_t from, std::int64_t tap) {
    for (std::int64_t c = 0; c < seen; ++c) {
      const std::int64_t k = channels_first ? c * taps + tap : tap * seen + c;
      const std::int64_t at = from * step.in.c + (layer.depthwise ? channel : c);
      out[static_cast<std::size_t>(k)] = from < 0 ? padding : x[static_cast<std::size_t>(at)];
    }
  });
}

// The channel that output c of a depthwise layer sees.
inline std::int64_t channel_of(const MicroStep& step, std::int64_t c) {
  return c * step.in.c / step.out.c;
}

// Calls f(output, row, copy) for each output of a layer, whose gains count as gain_of() says.
struct Outputs {
  std::int64_t rows = 0;
  std::int64_t copies = 1;
  std::int64_t row_step = 1;
  std::int64_t copy_step = 0;
  template <class F>
  void each(const F& f) const {
    for (std::int64_t copy = 0; copy < copies; ++copy) {
      for (std::int64_t row = 0; row < rows; ++row) {
        f(row * row_step + copy * copy_step, row, copy);
      }
    }
  }
};
inline Outputs outputs_of(const Layer& layer) {
  const auto copied = [](const auto& rows) {
    return Outputs{rows.rows, rows.copies, rows.row_step, rows.copy_step};
  };
  const Outputs single = {.rows = layer.outputs};
  return std::visit(Overloaded{[&](const RowSigns& rows) { return copied(rows); },
                               [&](const FlatSigns&) { return single; },
                               [&](const IntegerWeights& rows) { return copied(rows); },
                               [&](const DenseWeights&) { return single; }},
                    layer.weights);
}
// Which of a layer's gains an output takes.
inline std::size_t gain_of(std::size_t gains, const Layer& layer, std::int64_t output,
                           std::int64_t copy) {
  if (gains == 1) return 0;
  return static_cast<std::size_t>(static_cast<std::int64_t>(gains) == layer.outputs ? output
                                                                                    : copy);
}

}  // namespace tbn::micro
