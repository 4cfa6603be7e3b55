// What the C code computes, in plain loops over expanded weights.
#include <algorithm>

#include "micro/integer.h"
#include "micro/window.h"

namespace tbn::micro {

namespace {

using Bytes = std::vector<std::int32_t>;  // bytes or logits

std::int32_t to_byte(std::int32_t value, int shift, int zero) {
  const std::int32_t half = (1 << shift) >> 1;
  return std::clamp(((value + half) >> shift) + zero, 0, 255);
}

class IntegerRun {
 public:
  IntegerRun(const IntegerNetwork& network, std::size_t index, const std::vector<Bytes>& values)
      : step_(network.network.steps[index]),
        action_(network.actions[index]),
        logits_(network.logits && index + 1 == network.network.steps.size()),
        x_(values[static_cast<std::size_t>(step_.inputs.front())]),
        second_(values[static_cast<std::size_t>(step_.inputs.back())]),
        y_(static_cast<std::size_t>(step_.out.size())) {}

  Bytes run() {
    std::visit(*this, step_.action);
    return std::move(y_);
  }

  void operator()(const Layer& layer) {
    const auto& integer = std::get<IntegerLayer>(action_);
    const Outputs outputs = outputs_of(layer);
    Bytes window(static_cast<std::size_t>(layer.inputs));
    Bytes sums(static_cast<std::size_t>(outputs.rows));
    for (std::int64_t pixel = 0; pixel < step_.out.h * step_.out.w; ++pixel) {
      const auto read = [&](std::int64_t channel) {
        gather<std::int32_t>(step_, layer, pixel, channel, x_, integer.zero_in, window);
      };
      if (!layer.depthwise) {
        read(0);
        for (std::int64_t r = 0; r < outputs.rows; ++r) {
          sums[static_cast<std::size_t>(r)] = layer_sum(layer, integer, window, r);
        }
      }
      outputs.each([&](std::int64_t c, std::int64_t row, std::int64_t copy) {
        std::int32_t& sum = sums[static_cast<std::size_t>(row)];
        if (layer.depthwise) {
          read(channel_of(step_, c));
          sum = layer_sum(layer, integer, window, row);
        }
        y_[static_cast<std::size_t>(pixel * layer.outputs + c)] =
            finish(integer.out, sum, static_cast<std::size_t>(c),
                   gain_of(integer.out.gains.size(), layer, c, copy));
      });
    }
  }
  void operator()(const Pool& pool) {
    for (std::int64_t i = 0; i < step_.out.size(); ++i) {
      y_[static_cast<std::size_t>(i)] = pooled(pool, i / step_.out.c, i % step_.out.c);
    }
  }
  void operator()(const Sum&) {
    const auto& sum = std::get<IntegerSum>(action_);
    for (std::size_t i = 0; i < y_.size(); ++i) {
      const std::int32_t value =
          (x_[i] - sum.zeros_in[0]) * sum.gains[0] + (second_[i] - sum.zeros_in[1]) * sum.gains[1];
      y_[i] = to_byte(value, sum.shift, sum.zero);
    }
  }
  void operator()(const ScaleChannels&) {
    const auto& scale = std::get<IntegerScale>(action_);
    const auto channels = static_cast<std::size_t>(step_.out.c);
    for (std::size_t i = 0; i < y_.size(); ++i) {
      y_[i] = scale.identity ? x_[i] : finish(scale.out, x_[i], i % channels, i % channels);
    }
  }
  void operator()(const Activate&) {
    const auto* table = std::get_if<ByteTable>(&action_);
    const auto* relu = std::get_if<Unchanged>(&action_);
    for (std::size_t i = 0; i < y_.size(); ++i) {
      y_[i] = table ? table->of[static_cast<std::size_t>(x_[i])] : std::max(x_[i], relu->zero);
    }
  }
  void operator()(const ChannelsFirst&) {
    const std::int64_t pixels = step_.in.h * step_.in.w;
    for (std::int64_t i = 0; i < step_.in.size(); ++i) {
      y_[static_cast<std::size_t>(i % step_.in.c * pixels + i / step_.in.c)] =
          x_[static_cast<std::size_t>(i)];
    }
  }

 private:
  std::int32_t finish(const Requantize& out, std::int32_t sum, std::size_t c,
                      std::size_t gain) const {
    std::int32_t value = scaled(sum, out.gains[gain]);
    if (!out.biases.empty()) value += out.biases[c] * (1 << out.bias_shift);
    return logits_ ? value : to_byte(value, out.shift, out.zero);
  }

  static std::int32_t layer_sum(const Layer& layer, const IntegerLayer& integer,
                                const Bytes& window, std::int64_t row) {
    if (const auto* flat = std::get_if<FlatSigns>(&layer.weights)) {
      return flat_sum(*flat, integer, window, row);
    }
    const auto* rows = std::get_if<RowSigns>(&layer.weights);
    const auto first = static_cast<std::size_t>(row) * window.size();
    std::int32_t sum = 0;
    for (std::size_t k = 0; k < window.size(); ++k) {
      const std::int32_t weight =
          rows ? 2 * rows->positive[first + k] - 1 : integer.weights[first + k];
      sum += weight * window[k];
    }
    return sum;
  }

  // Slice by slice, each with its scalar.
  static std::int32_t flat_sum(const FlatSigns& flat, const IntegerLayer& integer,
                               const Bytes& window, std::int64_t output) {
    const std::size_t q = flat.positive.size();
    std::int32_t whole = 0, part = 0;
    for (std::size_t k = 0; k < window.size(); ++k) {
      const std::size_t place = static_cast<std::size_t>(output) * window.size() + k;
      part += flat.positive[place % q] != 0 ? window[k] : -window[k];
      if (place % q != q - 1 && k != window.size() - 1) continue;
      whole += scaled(part, integer.flat_gains[integer.flat_gains.size() == 1 ? 0 : place / q]);
      part = 0;
    }
    return whole;
  }

  std::int32_t pooled(const Pool& pool, std::int64_t pixel, std::int64_t c) const {
    std::int32_t most = 0, sum = 0;
    each_tap(step_, pool.window, pixel, [&](std::int64_t from, std::int64_t) {
      if (from < 0) return;
      const std::int32_t value = x_[static_cast<std::size_t>(from * step_.in.c + c)];
      most = std::max(most, value);
      sum += value;
    });
    if (pool.kind == PoolKind::kMax) return most;
    const auto& mean = std::get<IntegerPool>(action_);
    sum -= static_cast<std::int32_t>(pool.window.taps()) * mean.zero_in;
    return to_byte(scaled(sum, mean.out.gains[0]), mean.out.shift, mean.out.zero);
  }

  const MicroStep& step_;
  const IntegerAction& action_;
  bool logits_;
  const Bytes& x_;
  const Bytes& second_;
  Bytes y_;
};

}  // namespace

std::vector<std::int32_t> run_integers(const IntegerNetwork& network,
                                       std::span<const std::uint8_t> input) {
  std::vector<Bytes> values(network.network.sizes.size());
  values[0].assign(input.begin(), input.end());
  for (std::size_t i = 0; i < network.network.steps.size(); ++i) {
    const auto output = static_cast<std::size_t>(network.network.steps[i].output);
    values[output] = IntegerRun(network, i, values).run();
  }
  return values[static_cast<std::size_t>(network.network.output)];
}

}  // namespace tbn::micro
