// Per-output loops over the formulas.
#include "support/naive_eval.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>

#include "support/naive_context.h"

namespace tbn::test {

namespace {

double activate(ActivationKind kind, double x) {
  switch (kind) {
    case ActivationKind::kNone:
      return x;
    case ActivationKind::kRelu:
      return std::max(x, 0.0);
    case ActivationKind::kGelu:
      return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case ActivationKind::kSilu:
      return x / (1 + std::exp(-x));
    case ActivationKind::kTanh:
      return std::tanh(x);
    case ActivationKind::kSigmoid:
      return 1 / (1 + std::exp(-x));
  }
  throw std::logic_error("an activation without a formula");
}

// Of weight k: its bit of the tile, and its slice.
bool interleaved(const TiledWeights& tiled) {
  return tiled.p > 1 && tiled.order == TileOrder::kInterleave;
}
std::int64_t bit_of(const TiledWeights& tiled, std::int64_t n, std::int64_t m, std::int64_t k) {
  return interleaved(tiled) ? k / m / tiled.p * m + k % m : k % (n * m / tiled.p);
}
std::int64_t slice_of(const TiledWeights& tiled, std::int64_t n, std::int64_t m, std::int64_t k) {
  return interleaved(tiled) ? k / m % tiled.p : k / (n * m / tiled.p);
}

// t[j], j < q: the sign of the aggregated latents, or the packed bit.
Values tile_signs(const Context& c, const TiledWeights& tiled, std::int64_t n, std::int64_t m) {
  const std::int64_t q = n * m / tiled.p;
  Values t(at(q));
  if (c.has("tile")) {
    const auto bytes = c.model.tensors.at(c.node.name + ".tile").values<std::uint8_t>();
    const std::int64_t row_bits = n % tiled.p == 0 ? m : q;
    for (std::int64_t j = 0; j < q; ++j) {
      const std::int64_t row = j / row_bits, bit = j % row_bits;
      const int byte = bytes[at(row * ((row_bits + 7) / 8) + bit / 8)];
      t[at(j)] = (byte >> (bit % 8)) % 2 == 1 ? 1 : -1;
    }
    return t;
  }
  const Values w = c.tensor("latent");
  Values s(at(q), 0.0);
  if (w.size() == s.size()) {
    s = w;
  } else {
    for (std::int64_t k = 0; k < n * m; ++k) s[at(bit_of(tiled, n, m, k))] += w[at(k)];
  }
  for (std::int64_t j = 0; j < q; ++j) t[at(j)] = s[at(j)] > 0 ? 1 : -1;
  return t;
}

// alpha of each weight: stored, or the mean magnitude of A or W over the weights that share it.
Values weight_alphas(const Context& c, const TiledWeights& tiled, std::int64_t n, std::int64_t m) {
  if (!c.has("alpha") && c.has("tile")) return Values(at(n * m), 1.0);  // in the scale already
  std::vector<std::size_t> scalar;
  for (std::int64_t k = 0; k < n * m; ++k) {
    const std::int64_t slice = slice_of(tiled, n, m, k);
    scalar.push_back(at(tiled.alpha == AlphaScope::kTile     ? slice
                        : tiled.alpha == AlphaScope::kOutput ? k / m
                                                             : 0));
  }
  Values alphas;
  if (c.has("alpha")) {
    alphas = c.tensor("alpha");
  } else {
    const Values a = c.tensor(tiled.alpha_from == AlphaSource::kWeight ? "alpha_latent" : "latent");
    alphas.assign(scalar.back() + 1, 0.0);
    const double share = static_cast<double>(alphas.size()) / static_cast<double>(n * m);
    for (std::int64_t k = 0; k < n * m; ++k) {
      const bool full = a.size() == scalar.size();
      alphas[scalar[at(k)]] += share * std::abs(a[at(full ? k : bit_of(tiled, n, m, k))]);
    }
  }
  Values all;
  for (const std::size_t i : scalar) all.push_back(alphas[i]);
  return all;
}

// The integers as stored, or what rounds to them, times the steps.
Values uniform_weights(const Context& c, const UniformWeights& uniform, std::int64_t n,
                       std::int64_t m) {
  const double half = std::pow(2.0, static_cast<double>(uniform.bits - 1));
  Values steps = c.has("alpha") ? c.tensor("alpha") : Values(at(n), 1.0);
  Values all;
  if (!c.has("levels")) {
    const Values w = c.tensor("weight");
    // In single precision, as the quotients.
    const float factor = 1 / static_cast<float>(half - 1);
    for (double& step : steps) {
      step = factor * std::max(std::abs(static_cast<float>(step)), 1e-12f);
    }
    for (std::int64_t k = 0; k < n * m; ++k) {
      // The quotient is rounded to single precision: which side of a half it is on is defined
      // there.
      const auto quotient = static_cast<float>(w[at(k)] / steps[at(k / m)]);
      const double level = std::nearbyint(static_cast<double>(quotient));
      all.push_back(steps[at(k / m)] * std::min(std::max(level, -half), half - 1));
    }
    return all;
  }
  const auto bytes = c.model.tensors.at(c.node.name + ".levels").values<std::uint8_t>();
  const std::int64_t row_bytes = std::ssize(bytes) / n;
  for (std::int64_t k = 0; k < n * m; ++k) {
    double level = 0;
    for (std::int64_t i = 0; i < uniform.bits; ++i) {
      const std::int64_t place = k % m * uniform.bits + i;
      const int byte = bytes[at(k / m * row_bytes + place / 8)];
      const double value = std::pow(2.0, static_cast<double>(i));
      if ((byte >> (place % 8)) % 2 == 1) level += i == uniform.bits - 1 ? -value : value;
    }
    all.push_back(steps[at(k / m)] * level);
  }
  return all;
}

Values weights_of_layer(const Context& c, const WeightEncoding& encoding, std::int64_t n,
                        std::int64_t m) {
  if (std::holds_alternative<FloatWeights>(encoding)) return c.tensor("weight");
  if (const auto* uniform = std::get_if<UniformWeights>(&encoding)) {
    return uniform_weights(c, *uniform, n, m);
  }
  const auto* tiled = std::get_if<TiledWeights>(&encoding);
  const Values t = tile_signs(c, *tiled, n, m);
  Values b = weight_alphas(c, *tiled, n, m);
  for (std::int64_t k = 0; k < n * m; ++k) b[at(k)] *= t[at(bit_of(*tiled, n, m, k))];
  return b;
}

double finish(const Context& c, bool scale, bool bias, ActivationKind activation, std::size_t n,
              double u) {
  if (scale) u *= c.tensor("scale")[n];
  if (bias) u += c.tensor("bias")[n];
  return activate(activation, u);
}

// The value at row i, column j of map `channel`; 0 in the padding.
double pixel(const Values& x, const Shape& shape, std::int64_t channel, std::int64_t i,
             std::int64_t j) {
  if (i < 0 || j < 0 || i >= shape[1] || j >= shape[2]) return 0;
  return x[at((channel * shape[1] + i) * shape[2] + j)];
}

Values eval_conv(const Context& c, const Conv2d& op) {
  const Shape& in = c.input_shape();
  const std::int64_t group_inputs = in[0] / op.groups;
  const std::int64_t m = group_inputs * op.kernel.h * op.kernel.w;
  const Values w = weights_of_layer(c, op.weights, op.out_channels, m);
  Values y;
  for (std::int64_t n = 0; n < c.node.shape[0]; ++n) {
    const std::int64_t first = n / (op.out_channels / op.groups) * group_inputs;
    for (std::int64_t i = 0; i < c.node.shape[1]; ++i) {
      for (std::int64_t j = 0; j < c.node.shape[2]; ++j) {
        double u = 0;
        for (std::int64_t k = 0; k < m; ++k) {
          const std::int64_t kw = k % op.kernel.w, kh = k / op.kernel.w % op.kernel.h;
          const std::int64_t channel = first + k / (op.kernel.w * op.kernel.h);
          u += w[at(n * m + k)] * pixel(c.input(), in, channel, i * op.stride.h + kh - op.padding.h,
                                        j * op.stride.w + kw - op.padding.w);
        }
        y.push_back(finish(c, op.scale, op.bias, op.activation, at(n), u));
      }
    }
  }
  return y;
}

Values eval_linear(const Context& c, const Linear& op) {
  const std::int64_t m = c.input_shape().back();
  const Values w = weights_of_layer(c, op.weights, op.out_features, m);
  Values y;
  for (std::int64_t i = 0; i < c.count(); ++i) {
    const std::int64_t n = i % op.out_features, position = i / op.out_features;
    double u = 0;
    for (std::int64_t k = 0; k < m; ++k) u += w[at(n * m + k)] * c.input()[at(position * m + k)];
    y.push_back(finish(c, op.scale, op.bias, op.activation, at(n), u));
  }
  return y;
}

// f(value, position) of each position of the first input.
template <class F>
Values each(const Context& c, F f) {
  Values y;
  for (std::int64_t i = 0; i < c.count(); ++i) y.push_back(f(c.input()[at(i)], i));
  return y;
}

// Folds the values of every window, from `start`, skipping what lies outside of the map.
template <class F>
Values pool(const Context& c, Size2 kernel, Size2 stride, Size2 padding, double start, F fold) {
  const Shape& in = c.input_shape();
  Values y;
  for (std::int64_t i = 0; i < c.count(); ++i) {
    const std::int64_t w = i % c.node.shape[2], h = i / c.node.shape[2] % c.node.shape[1];
    const std::int64_t channel = i / c.node.shape[2] / c.node.shape[1];
    double result = start;
    for (std::int64_t k = 0; k < kernel.h * kernel.w; ++k) {
      const std::int64_t row = h * stride.h + k / kernel.w - padding.h;
      const std::int64_t column = w * stride.w + k % kernel.w - padding.w;
      if (row < 0 || column < 0 || row >= in[1] || column >= in[2]) continue;
      result = fold(result, pixel(c.input(), in, channel, row, column));
    }
    y.push_back(result);
  }
  return y;
}

double plus(double a, double b) { return a + b; }

Values eval_avg_pool(const Context& c, Size2 kernel, Size2 stride) {
  Values y = pool(c, kernel, stride, 0, 0, plus);
  for (double& v : y) v /= static_cast<double>(kernel.h * kernel.w);
  return y;
}

Values eval_global_avg_pool(const Context& c) {
  const std::size_t size = c.input().size() / at(c.node.shape[0]);
  Values y(at(c.node.shape[0]), 0.0);
  for (std::size_t i = 0; i < c.input().size(); ++i) {
    y[i / size] += c.input()[i] / static_cast<double>(size);
  }
  return y;
}

Values eval_batch_norm(const Context& c, const BatchNorm& op) {
  const Values gamma = c.tensor("weight"), beta = c.tensor("bias");
  const Values mean = c.tensor("running_mean"), var = c.tensor("running_var");
  return each(c, [&](double x, std::int64_t i) {
    const std::size_t k = c.channel(i);
    return (x - mean[k]) / std::sqrt(var[k] + op.eps) * gamma[k] + beta[k];
  });
}

Values eval_node(const Context& c, std::span<const float> input) {
  const auto same = [](double x, std::int64_t) { return x; };
  return std::visit(
      Overloaded{
          [&](const Input&) { return Values(input.begin(), input.end()); },
          [&](const Normalize& op) {
            return each(c, [&](double x, std::int64_t i) {
              return (x - op.mean[c.channel(i)]) / op.std[c.channel(i)];
            });
          },
          [&](const Conv2d& op) { return eval_conv(c, op); },
          [&](const Linear& op) { return eval_linear(c, op); },
          [&](const BatchNorm& op) { return eval_batch_norm(c, op); },
          [&](const Affine& op) {
            return each(c, [&](double x, std::int64_t i) {
              return finish(c, true, true, op.activation, c.channel(i), x);
            });
          },
          [&](const Activation& op) {
            return each(c, [&](double x, std::int64_t) { return activate(op.kind, x); });
          },
          [&](const Add& op) {
            return each(c, [&](double x, std::int64_t i) {
              return activate(op.activation, x + c.input(1)[at(i)]);
            });
          },
          [&](const MaxPool2d& op) {
            return pool(c, op.kernel, op.stride, op.padding,
                        -std::numeric_limits<double>::infinity(), larger);
          },
          [&](const AvgPool2d& op) { return eval_avg_pool(c, op.kernel, op.stride); },
          [&](const GlobalAvgPool&) { return eval_global_avg_pool(c); },
          [&](const Flatten&) { return each(c, same); },
          [&](const Dropout&) { return each(c, same); },
          [&](const Subtract&) {
            return each(c, [&](double x, std::int64_t i) { return x - c.input(1)[at(i)]; });
          },
          [&](const Multiply&) {
            return each(c, [&](double x, std::int64_t i) { return x * c.input(1)[at(i)]; });
          },
          [&](const auto& op) { return naive_value(c, op); },
      },
      c.node.op);
}

template <class A>
double error_of_values(std::span<const A> a, std::span<const double> b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double largest = 1, difference = 0;
  for (const double v : b) largest = std::max(largest, std::abs(v));
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - b[i]);
    if (!std::isfinite(d)) return std::numeric_limits<double>::infinity();
    difference = std::max(difference, d);
  }
  return difference / largest;
}

}  // namespace

std::vector<double> naive_eval(const Model& model, std::span<const float> input) {
  std::vector<Values> values;
  for (const Node& node : model.graph.nodes) {
    values.push_back(eval_node({model, node, values}, input));
  }
  return values[at(model.graph.output)];
}

std::vector<double> naive_weights(const Model& model, const Node& node) {
  const WeightShape shape = weight_shape(model.graph, node);
  return weights_of_layer({model, node, {}}, *weights_of(node.op), shape.outputs, shape.inputs);
}

double relative_error(std::span<const float> a, std::span<const double> b) {
  return error_of_values(a, b);
}
double relative_error(std::span<const double> a, std::span<const double> b) {
  return error_of_values(a, b);
}

}  // namespace tbn::test
