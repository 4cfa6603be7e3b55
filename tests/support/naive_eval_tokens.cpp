// The evaluator's formulas for the ops on shapes and sequences: for each output value, where it
// comes from by its index.
#include <algorithm>
#include <cmath>
#include <numeric>

#include "support/naive_context.h"

namespace tbn::test {

namespace {

using Index = std::vector<std::int64_t>;

// Position `flat` of a shape as one number per dimension, and back.
Index index_of(std::int64_t flat, const Shape& shape) {
  Index index(shape.size());
  for (std::size_t i = shape.size(); i-- > 0;) {
    index[i] = flat % shape[i];
    flat /= shape[i];
  }
  return index;
}

double value_at(const Values& x, const Shape& shape, const Index& index) {
  std::int64_t flat = 0;
  for (std::size_t i = 0; i < shape.size(); ++i) flat = flat * shape[i] + index[i];
  return x[at(flat)];
}

// f(index) for each index of the output.
template <class F>
Values each_index(const Context& c, F f) {
  Values y;
  for (std::int64_t i = 0; i < c.count(); ++i) y.push_back(f(index_of(i, c.node.shape)));
  return y;
}

// Value (t, f) of a sequence among the inputs.
double cell(const Context& c, std::int64_t t, std::int64_t f, std::size_t input = 0) {
  return value_at(c.input(input), c.input_shape(input), {t, f});
}

// One attention, seen from single queries and keys.
struct Pairs {
  const Context& c;
  const Attention& op;
  const Values bias;

  std::int64_t tokens() const { return c.node.shape[0]; }
  std::int64_t features() const { return c.node.shape[1]; }
  std::int64_t width() const { return features() / op.heads; }

  // Feature f of token t as query (0), key (1) or value (2).
  double part(int which, std::int64_t t, std::int64_t f) const {
    if (c.node.inputs.size() == 1) return cell(c, t, which * features() + f);
    return cell(c, t, f, static_cast<std::size_t>(which));
  }

  // Whether two tokens are in one window after the roll, along one side of the image. A pixel in
  // the first `shift` rows is rolled to the far end, and is no neighbour of those that were there.
  bool near(std::int64_t a, std::int64_t b, std::int64_t size) const {
    const auto rolled = [&](std::int64_t place) { return (place - op.shift + size) % size; };
    return (a < op.shift) == (b < op.shift) && rolled(a) / op.window == rolled(b) / op.window;
  }
  bool visible(std::int64_t t, std::int64_t u) const {
    if (op.window == 0) return true;
    return near(t / op.grid.w, u / op.grid.w, op.grid.h) &&
           near(t % op.grid.w, u % op.grid.w, op.grid.w);
  }

  double score(std::int64_t t, std::int64_t u, std::int64_t head) const {
    double dot = 0;
    for (std::int64_t i = 0; i < width(); ++i) {
      dot += part(0, t, head * width() + i) * part(1, u, head * width() + i);
    }
    dot /= std::sqrt(static_cast<double>(width()));
    if (!op.relative_bias) return dot;
    const std::int64_t dy = t / op.grid.w - u / op.grid.w, dx = t % op.grid.w - u % op.grid.w;
    const std::int64_t row = (dy + op.window - 1) * (2 * op.window - 1) + dx + op.window - 1;
    return dot + bias[at(row * op.heads + head)];
  }
};

}  // namespace

Values naive_value(const Context& c, const Pad2d& op) {
  return each_index(c, [&](const Index& i) {
    const Index from = {i[0], i[1] - op.top, i[2] - op.left};
    const Shape& in = c.input_shape();
    const bool inside = from[1] >= 0 && from[1] < in[1] && from[2] >= 0 && from[2] < in[2];
    return inside ? value_at(c.input(), in, from) : 0.0;
  });
}

Values naive_value(const Context& c, const LayerNorm& op) {
  const Values weight = c.tensor("weight"), bias = c.tensor("bias");
  const auto width = static_cast<double>(c.node.shape.back());
  return each_index(c, [&](Index i) {
    const std::size_t f = at(i.back());
    const double x = value_at(c.input(), c.node.shape, i);
    double mean = 0, mean_of_squares = 0;
    for (i.back() = 0; i.back() < c.node.shape.back(); ++i.back()) {
      const double other = value_at(c.input(), c.node.shape, i);
      mean += other / width;
      mean_of_squares += other * other / width;
    }
    const double variance = mean_of_squares - mean * mean;
    return (x - mean) / std::sqrt(variance + op.eps) * weight[f] + bias[f];
  });
}

Values naive_value(const Context& c, const Attention& op) {
  const Pairs pairs{c, op, op.relative_bias ? c.tensor("relative_bias") : Values{}};
  return each_index(c, [&](const Index& i) {
    double sum = 0, total = 0;
    for (std::int64_t u = 0; u < pairs.tokens(); ++u) {
      if (!pairs.visible(i[0], u)) continue;
      const double weight = std::exp(pairs.score(i[0], u, i[1] / pairs.width()));
      sum += weight * pairs.part(2, u, i[1]);
      total += weight;
    }
    return sum / total;
  });
}

Values naive_value(const Context& c, const Reshape&) { return c.input(); }

Values naive_value(const Context& c, const Transpose&) {
  return each_index(c, [&](Index i) {
    std::swap(i[i.size() - 1], i[i.size() - 2]);
    return value_at(c.input(), c.input_shape(), i);
  });
}

Values naive_value(const Context& c, const Concat& op) {
  return each_index(c, [&](Index i) {
    std::size_t input = 0;
    while (i[at(op.axis)] >= c.input_shape(input)[at(op.axis)]) {
      i[at(op.axis)] -= c.input_shape(input++)[at(op.axis)];
    }
    return value_at(c.input(input), c.input_shape(input), i);
  });
}

Values naive_value(const Context& c, const Slice& op) {
  return each_index(c, [&](Index i) {
    i[at(op.axis)] += op.begin;
    return value_at(c.input(), c.input_shape(), i);
  });
}

Values naive_value(const Context& c, const ClassToken&) {
  const Values token = c.tensor("token");
  return each_index(
      c, [&](const Index& i) { return i[0] == 0 ? token[at(i[1])] : cell(c, i[0] - 1, i[1]); });
}

Values naive_value(const Context& c, const PositionEmbedding& op) {
  const Values table = op.kind == PositionKind::kLearned ? c.tensor("table") : Values{};
  const Shape& shape = c.node.shape;
  return each_index(c, [&](const Index& i) {
    if (!table.empty()) return cell(c, i[0], i[1]) + value_at(table, shape, i);
    const double exponent =
        2 * std::floor(static_cast<double>(i[1]) / 2) / static_cast<double>(shape[1]);
    const double angle = static_cast<double>(i[0]) / std::pow(10000, exponent);
    return cell(c, i[0], i[1]) + (i[1] % 2 == 0 ? std::sin(angle) : std::cos(angle));
  });
}

Values naive_value(const Context& c, const MatMul&) {
  return each_index(c, [&](const Index& i) {
    double sum = 0;
    for (std::int64_t k = 0; k < c.input_shape().back(); ++k) {
      sum += cell(c, i[0], k) * cell(c, k, i[1], 1);
    }
    return sum;
  });
}

Values naive_value(const Context& c, const AddIdentity&) {
  return each_index(c,
                    [&](const Index& i) { return cell(c, i[0], i[1]) + (i[0] == i[1] ? 1 : 0); });
}

Values naive_value(const Context& c, const SequencePool& op) {
  return each_index(c, [&](const Index& i) {
    Values column;
    for (std::int64_t t = 0; t < c.input_shape()[0]; ++t) column.push_back(cell(c, t, i[0]));
    if (op.kind == PoolKind::kMax) {
      return std::accumulate(column.begin(), column.end(), column.front(), larger);
    }
    double sum = 0;
    for (const double x : column) sum += x;
    return sum / static_cast<double>(column.size());
  });
}

Values naive_value(const Context& c, const Expand&) {
  return each_index(c, [&](const Index& i) { return c.input()[at(i[1])]; });
}

Values naive_value(const Context& c, const MovingAverage& op) {
  return each_index(c, [&](const Index& i) {
    double sum = 0;
    for (std::int64_t k = 0; k < op.kernel; ++k) {
      const std::int64_t t = i[0] + k - (op.kernel - 1) / 2;
      sum += cell(c, std::clamp<std::int64_t>(t, 0, c.node.shape[0] - 1), i[1]);
    }
    return sum / static_cast<double>(op.kernel);
  });
}

}  // namespace tbn::test
