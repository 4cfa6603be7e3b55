// Chooses the scales of bytes and the fixed-point numbers between them.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/text.h"
#include "micro/float_run.h"
#include "micro/integer.h"
#include "micro/window.h"
#include "tbn/error.h"

namespace tbn::micro {

namespace {

constexpr double kOne = 32768;  // gains count 2^-15
constexpr int kMostShift = 15;

std::int16_t to_int16(double value) {
  return static_cast<std::int16_t>(std::clamp(std::nearbyint(value), -32767.0, 32767.0));
}

double largest(std::span<const double> values) {
  double most = 0;
  for (const double value : values) most = std::max(most, std::abs(value));
  return most;
}

Quantity quantity_of(const Range& range, bool relu, double least_scale) {
  const double low = relu ? 0.0 : std::min<double>(range.low, 0.0);
  const double high = std::max<double>(range.high, 0.0);
  Quantity quantity{.scale = std::max({(high - low) / 255, least_scale, 1e-30})};
  quantity.zero = static_cast<int>(std::clamp(std::nearbyint(-low / quantity.scale), 0.0, 255.0));
  return quantity;
}

// `gains` below 1 and `biases` count bytes of the output.
Requantize fixed_point(const MicroStep& step, std::span<const double> gains,
                       std::span<const double> biases, int zero, bool logits) {
  Requantize fixed{.zero = zero};
  const double most = largest(gains);
  while (!logits && fixed.shift < kMostShift && most * std::ldexp(kOne, fixed.shift + 1) <= 32767) {
    ++fixed.shift;
  }
  for (const double gain : gains) {
    fixed.gains.push_back(to_int16(gain * std::ldexp(kOne, fixed.shift)));
  }
  const double most_bias = std::ldexp(largest(biases), fixed.shift);
  if (most_bias >= std::ldexp(1.0, 29)) {
    throw ConfigError("step " + in_quotes(step.name) +
                      ": a bias is more than 2^29 times the smallest step of its sums, too large "
                      "for 32-bit integers; train with less extreme scalars, or export --form f32");
  }
  if (most_bias == 0) return fixed;
  while (std::nearbyint(std::ldexp(most_bias, -fixed.bias_shift)) > 32767) ++fixed.bias_shift;
  for (const double bias : biases) {
    fixed.biases.push_back(to_int16(std::ldexp(bias, fixed.shift - fixed.bias_shift)));
  }
  return fixed;
}

class Quantizer {
 public:
  Quantizer(Network network, const Ranges& ranges) : ranges_(ranges) {
    result_.network = std::move(network);
    result_.quantities.resize(result_.network.sizes.size());
  }

  IntegerNetwork run() {
    for (const MicroStep& step : result_.network.steps) {
      step_ = &step;
      result_.actions.push_back(std::visit(*this, step.action));
    }
    return std::move(result_);
  }

  IntegerAction operator()(const Layer& layer) {
    IntegerLayer integer{.zero_in = in().zero};
    const std::vector<double> sums = take_weights(layer, integer);
    const auto outputs = static_cast<std::size_t>(layer.outputs);
    // Of each output: what a unit of its integer sum stands for, and what it stands for besides.
    std::vector<double> gains(weight_scales_.size() > 1 ? outputs : layer.gains.size());
    std::vector<double> biases(outputs);
    outputs_of(layer).each([&](std::int64_t output, std::int64_t row, std::int64_t copy) {
      const auto c = static_cast<std::size_t>(output);
      const std::size_t which = gain_of(layer.gains.size(), layer, output, copy);
      const double gain = layer.gains[which] * weight_scale(c) * in().scale;
      gains[gains.size() == outputs ? c : which] = gain;
      biases[c] = (layer.biases.empty() ? 0.0 : static_cast<double>(layer.biases[c])) -
                  gain * in().zero * sums[static_cast<std::size_t>(row)];
    });
    integer.out = finish(gains, biases, layer.relu, ends_network() && !layer.depthwise);
    return integer;
  }

  IntegerAction operator()(const Pool& pool) {
    if (pool.kind == PoolKind::kMax) return keep();
    const std::vector<double> gains = {in().scale / static_cast<double>(pool.window.taps())};
    return IntegerPool{finish(gains, {}, false, false), in().zero};
  }

  IntegerAction operator()(const Sum& sum) {
    const Quantity a = in(), b = quantity(step_->inputs[1]);
    Quantity& y = quantity(step_->output);
    y = quantity_of(range(), sum.relu, std::max(a.scale, b.scale));
    IntegerSum integer{.zeros_in = {a.zero, b.zero}, .zero = y.zero};
    const double most = std::max(a.scale, b.scale) / y.scale;
    while (integer.shift < kMostShift && most * std::ldexp(1.0, integer.shift + 1) <= 32767) {
      ++integer.shift;
    }
    integer.gains = {to_int16(std::ldexp(a.scale / y.scale, integer.shift)),
                     to_int16(std::ldexp(b.scale / y.scale, integer.shift))};
    return integer;
  }

  IntegerAction operator()(const ScaleChannels& scale) {
    if (scale.normalizes_input && is_quantity(scale)) {
      quantity(step_->output) = {scale.gains[0],
                                 static_cast<int>(std::lround(-scale.biases[0] / scale.gains[0]))};
      return IntegerScale{.identity = true};
    }
    std::vector<double> gains, biases;
    for (std::size_t c = 0; c < scale.gains.size(); ++c) {
      gains.push_back(scale.gains[c] * in().scale);
      biases.push_back(scale.biases[c] - gains[c] * in().zero);
    }
    return IntegerScale{finish(gains, biases, scale.relu, false)};
  }

  IntegerAction operator()(const Activate& op) {
    if (op.kind == ActivationKind::kRelu || op.kind == ActivationKind::kNone) return keep();
    const Quantity x = in();
    Quantity& y = quantity(step_->output);
    y = quantity_of(range(), false, 0);
    Network one{.sizes = {1, 1}, .steps = {{step_->name, op, {0}, 1, {}, {}}}, .output = 1};
    ByteTable table;
    for (int q = 0; q < 256; ++q) {
      const float value[] = {static_cast<float>(x.scale * (q - x.zero))};
      const double to = run_floats(one, value)[0] / y.scale + y.zero;
      table.of[static_cast<std::size_t>(q)] =
          static_cast<std::uint8_t>(std::clamp(std::nearbyint(to), 0.0, 255.0));
    }
    return table;
  }

  IntegerAction operator()(const ChannelsFirst&) { return keep(); }

 private:
  Quantity& quantity(int value) { return result_.quantities[static_cast<std::size_t>(value)]; }
  Quantity in() { return quantity(step_->inputs.front()); }
  const Range& range() const { return ranges_[static_cast<std::size_t>(step_->output)]; }
  bool ends_network() const {
    return step_ == &result_.network.steps.back() && step_->output == result_.network.output;
  }
  IntegerAction keep() {
    quantity(step_->output) = in();
    return Unchanged{in().zero};
  }

  // Whether the same line for all channels takes pixels to their values, from a zero among them.
  static bool is_quantity(const ScaleChannels& scale) {
    for (std::size_t c = 1; c < scale.gains.size(); ++c) {
      if (scale.gains[c] != scale.gains[0] || scale.biases[c] != scale.biases[0]) return false;
    }
    const float zero = -scale.biases[0] / scale.gains[0];
    return scale.gains[0] > 0 && zero >= 0 && zero <= 255;
  }

  // The scale of the output's bytes and the numbers that lead there, from what a unit of the sums
  // stands for.
  Requantize finish(std::span<const double> gains, std::span<const double> biases, bool relu,
                    bool logits) {
    // Gains must stay below 1: a byte is no finer than a unit of the sums.
    const double least = largest(gains) * kOne / 32767;
    Quantity& y = quantity(step_->output);
    y = logits && !relu ? Quantity{std::max(least, 1e-30), 0} : quantity_of(range(), relu, least);
    const bool wide = logits && !relu;
    if (wide) {
      result_.logits = true;
      result_.logit_scale = y.scale;
    }
    std::vector<double> relative_gains(gains.begin(), gains.end());
    std::vector<double> relative_biases(biases.begin(), biases.end());
    for (double& gain : relative_gains) gain /= y.scale;
    for (double& bias : relative_biases) bias /= y.scale;
    return fixed_point(*step_, relative_gains, relative_biases, y.zero, wide);
  }

  // Sets weight_scales_, what a unit of a weight stands for: one, or one per output. Returns the
  // sum of the weights of each row.
  std::vector<double> take_weights(const Layer& layer, IntegerLayer& integer) {
    weight_scales_ = {1.0};
    std::vector<float> weights = multipliers(layer);
    std::visit(Overloaded{[](const RowSigns&) {},
                          [&](const FlatSigns& flat) { take_flat(flat, integer, weights); },
                          [&](const IntegerWeights& rows) { integer.weights = rows.values; },
                          [&](const DenseWeights&) { take_dense(layer, integer, weights); }},
               layer.weights);
    const auto inputs = static_cast<std::size_t>(layer.inputs);
    std::vector<double> sums;
    for (std::size_t first = 0; first < weights.size(); first += inputs) {
      const auto begin = weights.begin() + static_cast<std::ptrdiff_t>(first);
      sums.push_back(std::accumulate(begin, begin + layer.inputs, 0.0));
    }
    return sums;
  }
  void take_flat(const FlatSigns& flat, IntegerLayer& integer, std::vector<float>& weights) {
    std::vector<double> alphas(flat.alphas.begin(), flat.alphas.end());
    weight_scales_ = {std::max(largest(alphas), 1e-30)};
    for (const double alpha : alphas) {
      integer.flat_gains.push_back(to_int16(alpha / weight_scales_[0] * 32767));
    }
    for (float& weight : weights) weight /= static_cast<float>(weight_scales_[0]);
    weight_scales_[0] *= kOne / 32767;
  }
  void take_dense(const Layer& layer, IntegerLayer& integer, std::vector<float>& weights) {
    const auto inputs = static_cast<std::size_t>(layer.inputs);
    weight_scales_.assign(static_cast<std::size_t>(layer.outputs), 1.0);
    integer.weights.resize(weights.size());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      double& scale = weight_scales_[i / inputs];
      if (i % inputs == 0) {
        const auto row = std::span(weights).subspan(i, inputs);
        const std::vector<double> values(row.begin(), row.end());
        scale = std::max(largest(values) / 127, 1e-30);
      }
      weights[i] = static_cast<float>(std::nearbyint(weights[i] / scale));
      integer.weights[i] = static_cast<std::int8_t>(weights[i]);
    }
  }
  double weight_scale(std::size_t output) const {
    return weight_scales_.size() == 1 ? weight_scales_[0] : weight_scales_[output];
  }

  const Ranges& ranges_;
  const MicroStep* step_ = nullptr;
  IntegerNetwork result_;
  std::vector<double> weight_scales_;
};

}  // namespace

void observe_ranges(const Network& network, std::span<const float> input, Ranges& ranges) {
  const bool first = ranges.empty();
  ranges.resize(network.sizes.size());
  run_floats(network, input, [&](int value, std::span<const float> values) {
    Range& range = ranges[static_cast<std::size_t>(value)];
    if (first) range = {values.front(), values.front()};
    for (const float x : values) {
      // Comparisons would pass over what is not a number, which quantize() refuses.
      if (x < range.low || std::isnan(x)) range.low = x;
      if (x > range.high) range.high = x;
    }
  });
}

void check_quantizable(const Network& network) {
  if (!network.takes_bytes) {
    throw ConfigError("network " + in_quotes(network.name) +
                      " takes floats, and the int8 form takes images of bytes alone; export it as "
                      "--form f32");
  }
  for (const MicroStep& step : network.steps) {
    const auto* layer = std::get_if<Layer>(&step.action);
    // Sums of bytes must stay below 2^30; sizes of 16 bits keep those of signs there.
    if (layer == nullptr || layer->inputs <= 32768) continue;
    if (!std::holds_alternative<DenseWeights>(layer->weights) &&
        !std::holds_alternative<IntegerWeights>(layer->weights)) {
      continue;
    }
    throw ConfigError("step " + in_quotes(step.name) +
                      ": more than 32,768 inputs per output are too many for 32-bit sums of bytes; "
                      "export --form f32");
  }
}

IntegerNetwork quantize(Network network, const Ranges& ranges) {
  check_quantizable(network);
  TBN_CHECK(ranges.size() == network.sizes.size(), "a range for each value");
  for (const Range& range : ranges) {
    if (std::isfinite(range.low) && std::isfinite(range.high) && range.low <= range.high) continue;
    throw ConfigError("network " + in_quotes(network.name) +
                      " takes values that are no finite numbers; there is nothing to quantise");
  }
  return Quantizer(std::move(network), ranges).run();
}

}  // namespace tbn::micro
