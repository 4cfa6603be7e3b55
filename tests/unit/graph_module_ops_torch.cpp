// The ops on sequences and windows in float64: values against their formulas written out, gradients
// against finite differences of whole networks.
#include "train/executor/graph_module_ops.h"

#include "support/catch.h"
#include "train/executor/graph_module.h"

using namespace tbn;
using torch::Tensor;

namespace {

Tensor random(at::IntArrayRef sizes) { return torch::randn(sizes, torch::kFloat64); }

double difference(const Tensor& a, const Tensor& b) {
  return (a.detach() - b.detach()).abs().max().item<double>();
}

Graph finish(const Shape& input, Value (*body)(Value)) {
  GraphBuilder b("ops");
  return b.finish(body(b.input(input)));
}

// The derivative of `loss` for each value of `x`, by central differences.
template <class Loss>
Tensor numeric_gradient(Tensor x, Loss loss) {
  constexpr double kStep = 1e-5;
  const torch::NoGradGuard no_grad;
  Tensor flat = x.view({-1});
  Tensor gradient = torch::zeros_like(flat);
  for (std::int64_t i = 0; i < flat.numel(); ++i) {
    const double value = flat[i].template item<double>();
    flat[i] = value + kStep;
    const double above = loss().template item<double>();
    flat[i] = value - kStep;
    const double below = loss().template item<double>();
    flat[i] = value;
    gradient[i] = (above - below) / (2 * kStep);
  }
  return gradient.view_as(x);
}

void check_gradients(const Graph& graph) {
  GraphModule module(graph, torch::kFloat64);
  std::vector<std::int64_t> sizes = {2};
  sizes.insert(sizes.end(), graph.input_shape().begin(), graph.input_shape().end());
  Tensor x = random(sizes).requires_grad_();
  std::vector<Tensor> inputs = {x};
  std::vector<std::string> names = {"input"};
  {
    const torch::NoGradGuard no_grad;
    for (const NamedTensor& named : module.tensors()) {
      if (is_buffer(named.role)) continue;
      inputs.push_back(named.tensor);
      inputs.back().normal_(0, 0.5);
      names.push_back(named.name);
    }
  }
  const Tensor direction = random(module.forward(x).sizes());
  const auto loss = [&] { return (module.forward(x) * direction).sum(); };
  const auto gradients = torch::autograd::grad({loss()}, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    INFO(names[i]);
    const Tensor wanted = numeric_gradient(inputs[i], loss);
    REQUIRE(wanted.abs().max().item<double>() > 1e-3);
    CHECK(difference(gradients[i], wanted) < 1e-6 * (1 + wanted.abs().max().item<double>()));
  }
}

struct GradientCase {
  const char* name;
  Shape input;
  Value (*body)(Value);
};

const GradientCase kGradientCases[] = {
    {"pad2d",
     {2, 3, 2},
     [](Value x) {
       return x.pad({1, 0, 2, 1}).conv(2, {.kernel = 3});
     }},
    {"layer_norm", {3, 4}, [](Value x) { return x.linear(5).layer_norm().gelu(); }},
    {"attention of one input",
     {4, 3},
     [](Value x) { return x.linear(12).attention({.heads = 2}); }},
    {"attention of three inputs",
     {4, 3},
     [](Value x) {
       return attention(x.linear(4), x.linear(4, {.bias = false}), x.linear(4), {.heads = 2});
     }},
    {"windowed attention",
     {8, 2},
     [](Value x) {
       return x.linear(12).attention(
           {.heads = 2, .grid = {2, 4}, .window = 2, .shift = 1, .relative_bias = true});
     }},
    {"reshape and transpose",
     {2, 3, 2},
     [](Value x) {
       return x.to_tokens().linear(3).to_image({3, 2}).conv(2, {.kernel = 3});
     }},
    {"concat and slice",
     {4, 3},
     [](Value x) {
       return concat({x.slice(1, 1, 2), x.linear(2)}, 1).slice(0, 1, 2);
     }},
    {"class_token and positions",
     {3, 2},
     [](Value x) { return x.class_token().position_embedding().gelu(); }},
    {"sinusoidal positions",
     {3, 2},
     [](Value x) { return x.position_embedding(PositionKind::kSinusoidal).gelu(); }},
    {"matmul and add_identity",
     {4, 3},
     [](Value x) { return x.matmul(x.transpose().matmul(x).add_identity()); }},
    {"sequence_pool, max", {5, 3}, [](Value x) { return x.sequence_pool(PoolKind::kMax); }},
    {"sequence_pool, mean",
     {5, 3},
     [](Value x) { return x.gelu().sequence_pool(PoolKind::kMean); }},
    {"expand", {3}, [](Value x) { return x.linear(2).expand(4).gelu(); }},
    {"moving_average and subtract",
     {5, 2},
     [](Value x) { return (x - x.moving_average(3)).gelu(); }},
    {"multiply", {3, 2}, [](Value x) { return x.linear(2) * x; }},
    {"batch_norm of tokens",
     {3, 2},
     [](Value x) { return x.linear(3, {.bias = false}).batch_norm().gelu(); }},
    {"relu over what an op gave",
     {3, 4},
     [](Value x) { return ((x.linear(4).relu() - x).relu() * x.layer_norm().relu()).relu(); }},
};

// Softmax attention of one query over keys and values [n, d], in plain loops.
std::vector<double> attend(const std::vector<double>& scores, const std::vector<Tensor>& values) {
  double sum = 0;
  for (const double s : scores) sum += std::exp(s);
  std::vector<double> y(static_cast<std::size_t>(values[0].size(0)), 0.0);
  for (std::size_t k = 0; k < scores.size(); ++k) {
    for (std::size_t f = 0; f < y.size(); ++f) {
      y[f] += std::exp(scores[k]) / sum * values[k][static_cast<std::int64_t>(f)].item<double>();
    }
  }
  return y;
}

// One example, [T, F] each. A pixel sees another where the rolled image has both in one window at
// the same offset as the image itself.
Tensor attention_by_pixel(const Attention& op, const Tensor& q, const Tensor& k, const Tensor& v,
                          const Tensor& bias) {
  const std::int64_t width = q.size(1) / op.heads, w = op.window, h = op.grid.h, across = op.grid.w;
  const auto rolled = [&](std::int64_t at, std::int64_t size) {
    return (at - op.shift + size) % size;
  };
  Tensor y = torch::zeros_like(q);
  for (std::int64_t i = 0; i < q.size(0); ++i) {
    for (std::int64_t head = 0; head < op.heads; ++head) {
      const auto part = [&](const Tensor& t, std::int64_t row) {
        return t[row].narrow(0, head * width, width);
      };
      std::vector<double> scores;
      std::vector<Tensor> values;
      for (std::int64_t j = 0; j < q.size(0); ++j) {
        double score =
            part(q, i).dot(part(k, j)).item<double>() / std::sqrt(static_cast<double>(width));
        if (w > 0) {
          const std::int64_t dy = i / across - j / across, dx = i % across - j % across;
          const std::int64_t yi = rolled(i / across, h), yj = rolled(j / across, h);
          const std::int64_t xi = rolled(i % across, across), xj = rolled(j % across, across);
          if (yi / w != yj / w || xi / w != xj / w || yi - yj != dy || xi - xj != dx) continue;
          if (op.relative_bias) {
            score += bias[(dy + w - 1) * (2 * w - 1) + dx + w - 1][head].item<double>();
          }
        }
        scores.push_back(score);
        values.push_back(part(v, j));
      }
      const std::vector<double> out = attend(scores, values);
      for (std::int64_t f = 0; f < width; ++f) {
        y[i][head * width + f] = out[static_cast<std::size_t>(f)];
      }
    }
  }
  return y;
}

}  // namespace

TEST_CASE("gradients of the ops on sequences and windows are those of finite differences") {
  torch::manual_seed(3);
  for (const GradientCase& c : kGradientCases) {
    INFO(c.name);
    check_gradients(finish(c.input, c.body));
  }
}

TEST_CASE("attention is its formula at each token, with every kind of window") {
  torch::manual_seed(4);
  for (const Attention& op :
       {Attention{.heads = 3}, Attention{.heads = 2, .grid = {6, 4}, .window = 2},
        Attention{.heads = 2, .grid = {6, 4}, .window = 2, .shift = 1, .relative_bias = true},
        Attention{.heads = 1, .grid = {3, 6}, .window = 3, .shift = 2},
        Attention{.heads = 2, .grid = {3, 3}, .window = 3, .shift = 1, .relative_bias = true}}) {
    const std::int64_t tokens = op.window == 0 ? 5 : op.grid.h * op.grid.w;
    INFO("window " << op.window << ", shift " << op.shift << ", tokens " << tokens);
    const std::int64_t offsets = 2 * op.window - 1;
    const Tensor bias = op.relative_bias ? random({offsets * offsets, op.heads}) : Tensor();
    const Node node{.name = "attention", .op = op, .inputs = {}, .shape = {tokens, 6}};
    const NodeConstants constants = constants_of(node, torch::kFloat64);
    const Tensor qkv = random({2, tokens, 18});
    const std::vector<Tensor> parts = qkv.chunk(3, 2);
    const Tensor packed = attention(op, {qkv}, bias, constants);
    CHECK(difference(packed, attention(op, parts, bias, constants)) < 1e-12);
    for (std::int64_t b = 0; b < 2; ++b) {
      const Tensor wanted = attention_by_pixel(op, parts[0][b], parts[1][b], parts[2][b], bias);
      CHECK(difference(packed[b], wanted) < 1e-12);
    }
  }
}

TEST_CASE("sinusoidal positions are sines and cosines of falling frequency") {
  const Node node{.name = "positions",
                  .op = PositionEmbedding{PositionKind::kSinusoidal},
                  .inputs = {},
                  .shape = {50, 7}};
  const Tensor table = constants_of(node, torch::kFloat64).positions;
  for (int t = 0; t < 50; ++t) {
    for (int f = 0; f < 7; ++f) {
      const double angle = t / std::pow(10000.0, 2.0 * (f / 2) / 7);
      CHECK(table[t][f].item<double>() ==
            Approx(f % 2 == 0 ? std::sin(angle) : std::cos(angle)).margin(1e-12));
    }
  }
}

TEST_CASE("a moving average repeats the first and the last row beyond the ends") {
  const Tensor x = random({2, 4, 3});
  for (const std::int64_t kernel : {1, 3, 11}) {
    Tensor wanted = torch::zeros_like(x);
    for (std::int64_t t = 0; t < 4; ++t) {
      for (std::int64_t k = -kernel / 2; k <= kernel / 2; ++k) {
        const std::int64_t from = std::clamp<std::int64_t>(t + k, 0, 3);
        wanted.select(1, t).add_(x.select(1, from), 1.0 / static_cast<double>(kernel));
      }
    }
    CHECK(difference(moving_average(x, kernel), wanted) < 1e-12);
  }
}

TEST_CASE("of equal largest tokens one takes the whole gradient") {
  Tensor x = torch::ones({1, 3, 2}, torch::kFloat64).requires_grad_();
  sequence_pool(PoolKind::kMax, x).sum().backward();
  CHECK(x.grad().max().item<double>() == 1);
  CHECK(torch::equal(x.grad().sum(1), torch::ones({1, 2}, torch::kFloat64)));
}

TEST_CASE("a batch norm of tokens takes its statistics over batch and tokens") {
  torch::manual_seed(6);
  GraphModule module(finish({4, 3}, [](Value x) { return x.batch_norm().named("norm"); }),
                     torch::kFloat64);
  const Tensor x = random({5, 4, 3});
  const Tensor rows = x.view({20, 3});
  const Tensor wanted = (x - rows.mean(0)) / (rows.var(0, false) + 1e-5).sqrt();
  CHECK(difference(module.forward(x), wanted) < 1e-12);
  const auto buffers = module.named_buffers();
  CHECK(difference(buffers["norm.running_mean"], 0.1 * rows.mean(0)) < 1e-12);
  CHECK(difference(buffers["norm.running_var"], 0.9 + 0.1 * rows.var(0, true)) < 1e-12);
  CHECK_NOTHROW(module.forward(random({1, 4, 3})));  // one example has 4 values per channel
  GraphModule single(finish({1, 3}, [](Value in) { return in.batch_norm().named("norm"); }));
  CHECK_THROWS_WITH(single.forward(torch::zeros({1, 1, 3})),
                    "batch_norm 'norm': a batch of 1 gives each channel 1 value, and the variance "
                    "needs at least 2; use a larger batch");
}
