// One step after another, each value in a vector of its own.
#include "micro/float_run.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "micro/window.h"

namespace tbn::micro {

namespace {

float activated(ActivationKind kind, float x) {
  switch (kind) {
    case ActivationKind::kNone:
      return x;
    case ActivationKind::kRelu:
      return std::max(x, 0.0f);
    case ActivationKind::kGelu:
      return 0.5f * x * (1.0f + std::erf(x * 0.70710678f));
    case ActivationKind::kSilu:
      return x / (1.0f + std::exp(-x));
    case ActivationKind::kTanh:
      return std::tanh(x);
    case ActivationKind::kSigmoid:
      return 1.0f / (1.0f + std::exp(-x));
  }
  return x;
}

class FloatRun {
 public:
  FloatRun(const MicroStep& step, std::vector<std::span<const float>> inputs, std::span<float> y)
      : step_(step), inputs_(std::move(inputs)), y_(y) {}

  void operator()(const Layer& layer) const {
    const std::vector<float> weights = multipliers(layer);
    const Outputs outputs = outputs_of(layer);
    std::vector<float> window(static_cast<std::size_t>(layer.inputs));
    std::vector<float> sums(static_cast<std::size_t>(outputs.rows));
    for (std::int64_t pixel = 0; pixel < step_.out.h * step_.out.w; ++pixel) {
      const auto y = y_.subspan(static_cast<std::size_t>(pixel * layer.outputs));
      if (!layer.depthwise) {
        gather<float>(step_, layer, pixel, 0, inputs_[0], 0, window);
        for (std::int64_t r = 0; r < outputs.rows; ++r) {
          sums[static_cast<std::size_t>(r)] = product(weights, r, window);
        }
      }
      outputs.each([&](std::int64_t c, std::int64_t row, std::int64_t copy) {
        if (layer.depthwise) {
          gather<float>(step_, layer, pixel, channel_of(step_, c), inputs_[0], 0, window);
          sums[static_cast<std::size_t>(row)] = product(weights, row, window);
        }
        const auto at = static_cast<std::size_t>(c);
        float value = layer.gains[gain_of(layer.gains.size(), layer, c, copy)] *
                      sums[static_cast<std::size_t>(row)];
        if (!layer.biases.empty()) value += layer.biases[at];
        y[at] = layer.relu ? std::max(value, 0.0f) : value;
      });
    }
  }

  void operator()(const Pool& pool) const {
    for (std::int64_t i = 0; i < step_.out.h * step_.out.w; ++i) {
      for (std::int64_t c = 0; c < step_.out.c; ++c) {
        y_[static_cast<std::size_t>(i * step_.out.c + c)] = pooled(pool, i, c);
      }
    }
  }
  void operator()(const Sum& sum) const {
    for (std::size_t i = 0; i < y_.size(); ++i) {
      const float value = inputs_[0][i] + inputs_[1][i];
      y_[i] = sum.relu ? std::max(value, 0.0f) : value;
    }
  }
  void operator()(const ScaleChannels& scale) const {
    for (std::size_t i = 0; i < y_.size(); ++i) {
      const std::size_t c = i % scale.gains.size();
      const float value = scale.means.empty() ? scale.gains[c] * inputs_[0][i] + scale.biases[c]
                                              : scale.gains[c] * (inputs_[0][i] - scale.means[c]);
      y_[i] = scale.relu ? std::max(value, 0.0f) : value;
    }
  }
  void operator()(const Activate& op) const {
    for (std::size_t i = 0; i < y_.size(); ++i) y_[i] = activated(op.kind, inputs_[0][i]);
  }
  void operator()(const ChannelsFirst&) const {
    const std::int64_t pixels = step_.in.h * step_.in.w;
    for (std::int64_t i = 0; i < step_.in.size(); ++i) {
      const std::int64_t to = i % step_.in.c * pixels + i / step_.in.c;
      y_[static_cast<std::size_t>(to)] = inputs_[0][static_cast<std::size_t>(i)];
    }
  }

 private:
  static float product(std::span<const float> weights, std::int64_t row,
                       std::span<const float> window) {
    const auto first = static_cast<std::size_t>(row) * window.size();
    double sum = 0;
    for (std::size_t k = 0; k < window.size(); ++k) {
      sum += static_cast<double>(weights[first + k]) * window[k];
    }
    return static_cast<float>(sum);
  }

  float pooled(const Pool& pool, std::int64_t pixel, std::int64_t c) const {
    float most = -std::numeric_limits<float>::infinity();
    double sum = 0;
    each_tap(step_, pool.window, pixel, [&](std::int64_t from, std::int64_t) {
      if (from < 0) return;
      const float value = inputs_[0][static_cast<std::size_t>(from * step_.in.c + c)];
      // A value that is not a number stays one.
      most = value > most || std::isnan(value) ? value : most;
      sum += value;
    });
    if (pool.kind == PoolKind::kMax) return most;
    return static_cast<float>(sum / static_cast<double>(pool.window.taps()));
  }

  const MicroStep& step_;
  std::vector<std::span<const float>> inputs_;
  std::span<float> y_;
};

}  // namespace

std::vector<float> multipliers(const Layer& layer) {
  using Floats = std::vector<float>;
  const auto of_signs = [](const RowSigns& rows) {
    Floats weights;
    for (const std::uint8_t positive : rows.positive) weights.push_back(positive != 0 ? 1 : -1);
    return weights;
  };
  const auto of_flat = [&](const FlatSigns& flat) {
    const std::size_t q = flat.positive.size();
    Floats weights(static_cast<std::size_t>(layer.outputs * layer.inputs));
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const float alpha = flat.alphas[flat.alphas.size() == 1 ? 0 : k / q];
      weights[k] = flat.positive[k % q] != 0 ? alpha : -alpha;
    }
    return weights;
  };
  return std::visit(Overloaded{of_signs, of_flat,
                               [](const IntegerWeights& rows) {
                                 return Floats(rows.values.begin(), rows.values.end());
                               },
                               [](const DenseWeights& dense) { return dense.values; }},
                    layer.weights);
}

std::vector<float> run_floats(const Network& network, std::span<const float> input,
                              const ValueObserver& observer) {
  std::vector<std::vector<float>> values(network.sizes.size());
  values[0].assign(input.begin(), input.end());
  if (observer) observer(0, values[0]);
  for (const MicroStep& step : network.steps) {
    std::vector<std::span<const float>> inputs;
    inputs.reserve(step.inputs.size());
    for (const int value : step.inputs)
      inputs.emplace_back(values[static_cast<std::size_t>(value)]);
    std::vector<float>& output = values[static_cast<std::size_t>(step.output)];
    output.resize(static_cast<std::size_t>(step.out.size()));
    std::visit(FloatRun(step, std::move(inputs), output), step.action);
    if (observer) observer(step.output, output);
  }
  return values[static_cast<std::size_t>(network.output)];
}

}  // namespace tbn::micro
