// The tiled op in float64 against the expanded formulas: B^ built by plain loops, a dense layer
// over it, and every gradient written out from dB^.
#include <ATen/autocast_mode.h>
#include <torch/torch.h>

#include "support/catch.h"
#include "tbn/error.h"
#include "train/tiled/tiled_function.h"

using namespace tbn;
using torch::Tensor;

namespace {

struct LayerCase {
  const char* name;
  std::vector<std::int64_t> shape;  // [n, m...]
  std::int64_t p;
  ConvGeometry geometry;  // of convolutions
};

const std::vector<LayerCase>& layer_cases() {
  static const std::vector<LayerCase> cases = {
      {"linear, rows", {12, 7}, 4, {}},
      {"linear, rows of 16 maps", {32, 5}, 2, {}},
      {"linear, flat: p divides N, not n", {6, 10}, 4, {}},
      {"linear, flat of 15 bits", {5, 9}, 3, {}},
      {"linear, binary", {5, 9}, 1, {}},
      {"conv, rows", {8, 3, 3, 3}, 4, {{1, 1}, {1, 1}, 1}},
      {"conv, rows, stride and odd padding", {6, 2, 3, 1}, 3, {{2, 1}, {2, 0}, 1}},
      {"conv, one unique row", {4, 2, 2, 2}, 4, {}},
      {"conv, flat", {6, 2, 3, 3}, 4, {{1, 2}, {1, 1}, 1}},
      {"conv, groups see other inputs", {8, 2, 3, 3}, 4, {{1, 1}, {1, 1}, 2}},
      {"conv, binary with groups", {6, 1, 3, 3}, 1, {{1, 1}, {1, 1}, 3}},
  };
  return cases;
}

std::vector<TiledWeights> encodings(const LayerCase& layer) {
  std::vector<TiledWeights> all;
  for (const auto scope : {AlphaScope::kTile, AlphaScope::kLayer, AlphaScope::kOutput}) {
    for (const auto source : {AlphaSource::kWeight, AlphaSource::kScores, AlphaSource::kLearned}) {
      for (const auto latent : {LatentForm::kFull, LatentForm::kShared}) {
        all.push_back({layer.p, scope, source, latent, TileOrder::kRepeat});
        if (layer.shape[0] % layer.p != 0) continue;
        all.push_back({layer.p, scope, source, latent, TileOrder::kInterleave});
      }
    }
  }
  return all;
}

std::string label(const LayerCase& layer, const TiledWeights& e) {
  return std::string(layer.name) + ", alpha " + std::string(to_string(e.alpha)) + " from " +
         std::string(to_string(e.alpha_from)) + ", latents " + std::string(to_string(e.latent)) +
         ", " + std::string(to_string(e.order));
}

Tensor random(at::IntArrayRef sizes) { return torch::randn(sizes, torch::kFloat64); }

TiledWeight make_weight(const LayerCase& layer, const TiledWeights& encoding) {
  std::int64_t inputs = 1;
  for (std::size_t i = 1; i < layer.shape.size(); ++i) inputs *= layer.shape[i];
  TiledWeight w{encoding,
                tile_layout(layer.shape[0], inputs, encoding.p, "layer", encoding.order),
                layer.shape,
                {},
                {}};
  w.latent = random(latent_shape(encoding, w.layout, layer.shape)).requires_grad_();
  if (encoding.alpha_from != AlphaSource::kScores) {
    w.alpha = random(alpha_shape(encoding, w.layout, layer.shape)).requires_grad_();
  }
  return w;
}

bool is_conv(const LayerCase& layer) { return layer.shape.size() == 4; }

Tensor make_input(const LayerCase& layer) {
  return is_conv(layer) ? random({2, layer.shape[1] * layer.geometry.groups, 6, 5})
                        : random({3, 2, layer.shape[1]});
}

Tensor run_tiled(const LayerCase& layer, const Tensor& x, const TiledWeight& w,
                 const Tensor& bias) {
  return is_conv(layer) ? tiled_conv2d(x, w, bias, layer.geometry) : tiled_linear(x, w, bias);
}

Tensor run_dense(const LayerCase& layer, const Tensor& x, const Tensor& weight,
                 const Tensor& bias) {
  return is_conv(layer) ? at::conv2d(x, weight, bias, layer.geometry.stride, layer.geometry.padding,
                                     {1, 1}, layer.geometry.groups)
                        : at::linear(x, weight, bias);
}

std::vector<double> numbers(const Tensor& t) {
  const Tensor flat = t.detach().reshape({-1}).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

Tensor tensor_like(const std::vector<double>& values, const Tensor& shape) {
  return torch::tensor(values, torch::kFloat64).reshape(shape.sizes());
}

// The method in plain loops: which bit and which scalar each of the n * m weights uses.
struct Place {
  std::size_t bit;
  std::size_t scalar;
};

std::vector<Place> places(const TiledWeight& w) {
  const std::int64_t n = w.shape[0], p = w.encoding.p, total = w.layout.weights(), m = total / n;
  std::vector<Place> all;
  for (std::int64_t k = 0; k < total; ++k) {
    std::int64_t bit = k % (total / p), slice = k / (total / p);
    if (w.encoding.order == TileOrder::kInterleave) {
      bit = k / m / p * m + k % m;
      slice = k / m % p;
    }
    const std::int64_t scalar = w.encoding.alpha == AlphaScope::kTile     ? slice
                                : w.encoding.alpha == AlphaScope::kOutput ? k / m
                                                                          : 0;
    all.push_back({static_cast<std::size_t>(bit), static_cast<std::size_t>(scalar)});
  }
  return all;
}

struct Expanded {
  std::vector<Place> places;    // [N]
  std::vector<double> tile;     // [q]
  std::vector<double> scalars;  // p, 1 or n
  std::vector<double> weight;   // [N]

  double weights_per_scalar() const {
    return static_cast<double>(places.size()) / static_cast<double>(scalars.size());
  }
};

// Where the values of a tensor stand that a weight k takes part in: at k, or at its bit if shared.
std::size_t position(const Expanded& e, const std::vector<double>& values, std::size_t k) {
  return values.size() == e.places.size() ? k : e.places[k].bit;
}

Expanded expand(const TiledWeight& w) {
  Expanded e{places(w), {}, {}, {}};
  const auto latent = numbers(w.latent);
  std::vector<double> s(static_cast<std::size_t>(w.layout.q), 0);
  const bool shared = latent.size() == s.size();
  for (std::size_t k = 0; k < e.places.size(); ++k) {
    if (!shared || k < s.size()) s[shared ? k : e.places[k].bit] += latent[k];
  }
  for (const double v : s) e.tile.push_back(v > 0 ? 1 : -1);
  const auto count = w.encoding.alpha == AlphaScope::kTile     ? w.encoding.p
                     : w.encoding.alpha == AlphaScope::kOutput ? w.shape[0]
                                                               : 1;
  if (w.encoding.alpha_from == AlphaSource::kLearned) {
    e.scalars = numbers(w.alpha);
  } else {
    e.scalars.assign(static_cast<std::size_t>(count), 0);
    const auto source = w.encoding.alpha_from == AlphaSource::kWeight ? numbers(w.alpha) : latent;
    for (std::size_t k = 0; k < e.places.size(); ++k) {
      e.scalars[e.places[k].scalar] +=
          std::abs(source[position(e, source, k)]) / e.weights_per_scalar();
    }
  }
  for (const Place& place : e.places) {
    e.weight.push_back(e.scalars[place.scalar] * e.tile[place.bit]);
  }
  return e;
}

struct Gradients {
  std::vector<double> latent;
  std::vector<double> alpha;  // of w.alpha; empty for scores
};

Gradients expected_gradients(const TiledWeight& w, const Expanded& e,
                             const std::vector<double>& dB) {
  const auto latent = numbers(w.latent);
  Gradients result{std::vector<double>(latent.size(), 0), {}};
  std::vector<double> dalpha(e.scalars.size(), 0);
  for (std::size_t k = 0; k < dB.size(); ++k) {
    // Full latents: each position its own weight's gradient. Shared: their sum.
    result.latent[position(e, latent, k)] += e.scalars[e.places[k].scalar] * dB[k];
    dalpha[e.places[k].scalar] += e.tile[e.places[k].bit] * dB[k];
  }
  if (w.encoding.alpha_from == AlphaSource::kLearned) {
    result.alpha = std::move(dalpha);
    return result;
  }
  const bool from_weight = w.encoding.alpha_from == AlphaSource::kWeight;
  const auto source = from_weight ? numbers(w.alpha) : latent;
  if (from_weight) result.alpha.assign(source.size(), 0);
  auto& gradient = from_weight ? result.alpha : result.latent;
  for (std::size_t k = 0; k < dB.size(); ++k) {
    const std::size_t at = position(e, source, k);
    const double sign = source[at] > 0 ? 1 : (source[at] < 0 ? -1 : 0);
    gradient[at] += dalpha[e.places[k].scalar] * sign / e.weights_per_scalar();
  }
  return result;
}

double difference(const Tensor& a, const Tensor& b) {
  return (a.detach() - b.detach()).abs().max().item<double>();
}

}  // namespace

TEST_CASE("a tiled layer has the values and every gradient of the expanded formulas") {
  torch::manual_seed(1);
  for (const LayerCase& layer : layer_cases()) {
    for (const TiledWeights& encoding : encodings(layer)) {
      INFO(label(layer, encoding));
      const TiledWeight w = make_weight(layer, encoding);
      const Tensor x = make_input(layer).requires_grad_();
      const Tensor bias = random({layer.shape[0]}).requires_grad_();
      const Expanded e = expand(w);
      const Tensor dense =
          torch::tensor(e.weight, torch::kFloat64).reshape(layer.shape).requires_grad_();
      const Tensor dense_x = x.detach().clone().requires_grad_();
      const Tensor dense_bias = bias.detach().clone().requires_grad_();

      const Tensor y = run_tiled(layer, x, w, bias);
      const Tensor wanted = run_dense(layer, dense_x, dense, dense_bias);
      REQUIRE(y.sizes() == wanted.sizes());
      CHECK(difference(y, wanted) < 1e-12);
      CHECK(difference(expanded_weight(w), dense) < 1e-14);

      const Tensor dy = random(y.sizes());
      y.backward(dy);
      wanted.backward(dy);
      const Gradients g = expected_gradients(w, e, numbers(dense.grad()));
      CHECK(difference(x.grad(), dense_x.grad()) < 1e-11);
      CHECK(difference(bias.grad(), dense_bias.grad()) < 1e-11);
      CHECK(difference(w.latent.grad(), tensor_like(g.latent, w.latent)) < 1e-11);
      if (w.alpha.defined()) {
        CHECK(difference(w.alpha.grad(), tensor_like(g.alpha, w.alpha)) < 1e-11);
      }
    }
  }
}

TEST_CASE("gradients of inputs and scalars agree with finite differences") {
  torch::manual_seed(2);
  for (const LayerCase& layer : layer_cases()) {
    const TiledWeight w = make_weight(
        layer, {layer.p, AlphaScope::kTile, AlphaSource::kLearned, LatentForm::kShared});
    const Tensor x = make_input(layer).requires_grad_();
    const Tensor weights = random(run_tiled(layer, x, w, {}).sizes());
    const auto loss = [&] { return (run_tiled(layer, x, w, {}).tanh() * weights).sum(); };
    loss().backward();
    for (const Tensor& leaf : {x, w.alpha}) {
      const Tensor direction = random(leaf.sizes());
      const double slope = (leaf.grad() * direction).sum().item<double>();
      const torch::NoGradGuard no_grad;
      Tensor moved = leaf;
      moved.add_(direction, 1e-6);
      const double above = loss().item<double>();
      moved.sub_(direction, 2e-6);
      const double below = loss().item<double>();
      moved.add_(direction, 1e-6);
      INFO(layer.name);
      CHECK((above - below) / 2e-6 == Approx(slope).epsilon(1e-6));
    }
  }
}

TEST_CASE("full and shared latents give the same tile at every step of plain SGD") {
  torch::manual_seed(3);
  const double rate = 0.1;
  for (const LayerCase& layer : layer_cases()) {
    for (const auto source : {AlphaSource::kLearned, AlphaSource::kWeight}) {
      const TiledWeight full =
          make_weight(layer, {layer.p, AlphaScope::kTile, source, LatentForm::kFull});
      full.latent.detach().mul_(0.05);
      TiledWeight shared =
          make_weight(layer, {layer.p, AlphaScope::kTile, source, LatentForm::kShared});
      const auto sums = [&] {
        return full.latent.detach().reshape({full.layout.p, full.layout.q}).sum(0);
      };
      shared.latent = sums().reshape(shared.latent.sizes()).clone().requires_grad_();
      shared.alpha = full.alpha.detach().clone().requires_grad_();
      const Tensor start = sums() > 0;
      INFO(label(layer, full.encoding));
      const Tensor wanted =
          random(run_dense(layer, make_input(layer), expanded_weight(full), {}).sizes());
      for (int step = 0; step < 8; ++step) {
        const Tensor x = make_input(layer);
        for (const TiledWeight* w : std::initializer_list<const TiledWeight*>{&full, &shared}) {
          (run_tiled(layer, x, *w, {}) - wanted).square().mean().backward();
          const torch::NoGradGuard no_grad;
          for (const Tensor& parameter : {w->latent, w->alpha}) {
            parameter.sub_(parameter.grad(), rate);
            parameter.mutable_grad() = Tensor();
          }
        }
        CHECK(difference(sums(), shared.latent.reshape({-1})) < 1e-11);
        CHECK(difference(full.alpha, shared.alpha) < 1e-11);
      }
      // The steps were large enough to matter.
      CHECK((start != (sums() > 0)).any().item<bool>());
    }
  }
}

TEST_CASE("planes and channels-last images give the same, each in its own memory format") {
  torch::manual_seed(4);
  const LayerCase layer{"conv", {32, 3, 3, 3}, 2, {{1, 1}, {1, 1}, 1}};
  for (const auto form : {LatentForm::kShared, LatentForm::kFull}) {
    const TiledWeight w = make_weight(layer, {2, AlphaScope::kTile, AlphaSource::kLearned, form});
    const Tensor planes = make_input(layer).requires_grad_();
    const Tensor last = planes.detach().contiguous(at::MemoryFormat::ChannelsLast).requires_grad_();
    const Tensor y_planes = tiled_conv2d(planes, w, {}, layer.geometry);
    const Tensor dy = random(y_planes.sizes());
    y_planes.backward(dy);
    const Tensor latent_gradient = w.latent.grad().clone(), alpha_gradient = w.alpha.grad().clone();
    w.latent.mutable_grad() = Tensor();
    w.alpha.mutable_grad() = Tensor();
    const Tensor y_last = tiled_conv2d(last, w, {}, layer.geometry);
    y_last.backward(dy);
    CHECK(y_planes.is_contiguous());
    CHECK(y_last.is_contiguous(at::MemoryFormat::ChannelsLast));
    CHECK(difference(y_planes, y_last) < 1e-12);
    CHECK(difference(planes.grad(), last.grad()) < 1e-12);
    CHECK(difference(latent_gradient, w.latent.grad()) < 1e-11);
    CHECK(difference(alpha_gradient, w.alpha.grad()) < 1e-11);
  }
}

TEST_CASE("under bfloat16 autocast latents and scalars keep float32 and gradients stay close") {
  torch::manual_seed(5);
  for (const LayerCase& layer : layer_cases()) {
    for (const auto form : {LatentForm::kShared, LatentForm::kFull}) {
      INFO(layer.name);
      TiledWeight exact =
          make_weight(layer, {layer.p, AlphaScope::kTile, AlphaSource::kLearned, form});
      TiledWeight rounded = exact;
      rounded.latent = exact.latent.detach().to(torch::kFloat32).requires_grad_();
      rounded.alpha = exact.alpha.detach().to(torch::kFloat32).requires_grad_();
      const Tensor x = make_input(layer);
      const Tensor wanted = run_tiled(layer, x, exact, {});
      at::autocast::set_autocast_enabled(at::kCPU, true);
      at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
      const Tensor y = run_tiled(layer, x.to(torch::kFloat32), rounded, {});
      at::autocast::clear_cache();
      at::autocast::set_autocast_enabled(at::kCPU, false);
      CHECK(y.scalar_type() == torch::kBFloat16);
      y.to(torch::kFloat32).square().sum().backward();
      wanted.square().sum().backward();
      CHECK(rounded.latent.grad().scalar_type() == torch::kFloat32);
      const auto error = [](const Tensor& a, const Tensor& b) {
        return ((a.to(torch::kFloat64) - b).norm() / b.norm()).item<double>();
      };
      CHECK(error(y.detach(), wanted.detach()) < 0.01);
      CHECK(error(rounded.latent.grad(), exact.latent.grad()) < 0.03);
      CHECK(error(rounded.alpha.grad(), exact.alpha.grad()) < 0.03);
    }
  }
}

TEST_CASE("an input with other channels than the weight's is refused with both numbers") {
  const LayerCase layer{"conv", {8, 3, 3, 3}, 4, {}};
  const TiledWeight w = make_weight(layer, {.p = 4});
  CHECK_THROWS_WITH(tiled_conv2d(random({1, 5, 6, 6}), w, {}, layer.geometry),
                    "tiled_conv2d: input has 5 channels, the weight takes 3");
}
