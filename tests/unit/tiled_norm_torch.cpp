// The fused convolution + norm + residual + ReLU against the same parts one after another, in
// float64.
#include <torch/torch.h>

#include <ATen/Parallel.h>

#include "encodings/tiled.h"
#include "support/catch.h"
#include "train/tiled/map_pool.h"
#include "train/tiled/tiled_function.h"

using namespace tbn;
using torch::Tensor;

namespace {

struct NormCase {
  const char* name;
  std::int64_t outputs, p;
  AlphaScope scope;
  AlphaSource source;
  bool channels_last, residual, relu;
  std::int64_t image;  // side; 20 gives more rows than one chunk of the sums
};

const NormCase kCases[] = {
    {"16 maps", 64, 4, AlphaScope::kTile, AlphaSource::kLearned, true, false, true, 20},
    {"16 maps and residual", 64, 4, AlphaScope::kTile, AlphaSource::kLearned, true, true, true, 20},
    {"3 maps", 12, 4, AlphaScope::kTile, AlphaSource::kWeight, true, true, true, 7},
    {"3 maps, no ReLU", 12, 4, AlphaScope::kLayer, AlphaSource::kLearned, true, true, false, 7},
    {"one map", 4, 4, AlphaScope::kTile, AlphaSource::kLearned, true, false, true, 5},
    {"planes", 12, 4, AlphaScope::kTile, AlphaSource::kLearned, false, true, true, 7},
    {"planes, one map, no ReLU", 3, 3, AlphaScope::kTile, AlphaSource::kScores, false, false, false,
     5},
    {"one scalar per output", 12, 4, AlphaScope::kOutput, AlphaSource::kLearned, true, true, true,
     7},
    {"binary, one scalar per output", 5, 1, AlphaScope::kOutput, AlphaSource::kWeight, true, false,
     true, 6},
    {"binary", 5, 1, AlphaScope::kTile, AlphaSource::kWeight, true, true, true, 6},
};

Tensor random(at::IntArrayRef sizes) { return torch::randn(sizes, torch::kFloat64); }

struct Net {
  Tensor x, residual;
  MapPool pool;
  TiledWeight weight;
  NormState norm;
  std::vector<Tensor> leaves() const {
    std::vector<Tensor> all = {x, weight.latent, norm.weight, norm.bias};
    if (weight.alpha.defined()) all.push_back(weight.alpha);
    if (residual.defined()) all.push_back(residual);
    return all;
  }
};

// Scalars of both signs, gammas of both signs, maps with a mean far from 0, and an eps that
// matters.
Net make_net(const NormCase& c) {
  Net net;
  const auto format =
      c.channels_last ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  const std::vector<std::int64_t> shape = {c.outputs, 3, 3, 3};
  const TiledWeights encoding{c.p, c.scope, c.source, LatentForm::kShared};
  net.x = (random({4, 3, c.image, c.image}) + 0.7).contiguous(format).requires_grad_();
  net.weight = {encoding, tile_layout(c.outputs, 27, c.p), shape, {}, {}};
  net.weight.latent = random(latent_shape(encoding, net.weight.layout, shape)).requires_grad_();
  if (c.source != AlphaSource::kScores) {
    net.weight.alpha =
        (random(alpha_shape(encoding, net.weight.layout, shape)) * 0.3).requires_grad_();
  }
  if (c.residual) {
    net.residual = random({4, c.outputs, c.image, c.image}).contiguous(format).requires_grad_();
  }
  net.norm = {random({c.outputs}).requires_grad_(),
              random({c.outputs}).requires_grad_(),
              random({c.outputs}),
              random({c.outputs}).abs() + 0.1,
              0.3,
              0.05};
  return net;
}

const ConvGeometry kGeometry{{1, 1}, {1, 1}, 1};

Tensor run_parts(const NormCase& c, Net& net, bool training) {
  const NormState& n = net.norm;
  Tensor y =
      at::batch_norm(pooled(tiled_conv2d(net.x, net.weight, {}, kGeometry), net.pool), n.weight,
                     n.bias, n.running_mean, n.running_var, training, n.momentum, n.eps, false);
  if (net.residual.defined()) y = y + net.residual;
  return c.relu ? at::relu(y) : y;
}

Tensor run_fused(const NormCase& c, Net& net, bool training) {
  return tiled_conv2d_norm(net.x, net.weight, kGeometry, net.norm, training, net.residual, c.relu,
                           net.pool);
}

double difference(const Tensor& a, const Tensor& b) {
  return (a.detach() - b.detach()).abs().max().item<double>();
}

std::vector<Tensor> take_gradients(const Net& net) {
  std::vector<Tensor> all;
  for (const Tensor& leaf : net.leaves()) {
    all.push_back(leaf.grad());
    leaf.mutable_grad() = Tensor();
  }
  return all;
}

// The result, gradients and running statistics of the fused form against those of the parts.
void check_training_step(const NormCase& c, Net& net) {
  const Tensor mean = net.norm.running_mean.clone(), var = net.norm.running_var.clone();
  const Tensor wanted = run_parts(c, net, true);
  const Tensor dy = random(wanted.sizes());
  wanted.backward(dy);
  const auto wanted_gradients = take_gradients(net);
  const Tensor wanted_mean = net.norm.running_mean, wanted_var = net.norm.running_var;
  net.norm.running_mean = mean;
  net.norm.running_var = var;

  const Tensor y = run_fused(c, net, true);
  const Tensor given = dy.clone();
  y.backward(dy);
  CHECK(torch::equal(dy, given));  // the caller's own gradient is not written over
  const auto gradients = take_gradients(net);
  CHECK(difference(y, wanted) < 1e-10);
  CHECK(difference(mean, wanted_mean) < 1e-10);
  CHECK(difference(var, wanted_var) < 1e-10);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    INFO("leaf " << i);
    CHECK(difference(gradients[i], wanted_gradients[i]) < 1e-10);
  }
}

}  // namespace

TEST_CASE("the fused norm has the values, gradients and running statistics of the parts") {
  torch::manual_seed(1);
  for (const NormCase& c : kCases) {
    INFO(c.name);
    Net net = make_net(c);
    REQUIRE(norm_sees_maps(net.weight.layout, net.weight.encoding, 1, false));
    check_training_step(c, net);
  }
}

TEST_CASE(
    "a residual's gradient may take the place of the result's, and readers of both get theirs") {
  torch::manual_seed(4);
  const NormCase& c = kCases[1];
  Net net = make_net(c);
  // The result is read twice and its gradient made in between, so that nobody else holds it.
  const auto loss = [](const Tensor& y) { return (y.square() + 3 * y).sum(); };
  loss(run_parts(c, net, true)).backward();
  const auto wanted = take_gradients(net);
  loss(run_fused(c, net, true)).backward();
  const auto gradients = take_gradients(net);
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    INFO("leaf " << i);
    CHECK(torch::allclose(gradients[i], wanted[i], 1e-9, 1e-9));
  }
}

TEST_CASE("with running statistics the fused norm equals the parts, with and without gradients") {
  torch::manual_seed(2);
  for (const NormCase& c : kCases) {
    INFO(c.name);
    Net net = make_net(c);
    const Tensor mean = net.norm.running_mean.clone();
    const Tensor wanted = run_parts(c, net, false);
    CHECK(difference(run_fused(c, net, false), wanted) < 1e-10);
    {
      const torch::NoGradGuard no_grad;
      CHECK(difference(run_fused(c, net, false), wanted) < 1e-10);
    }
    CHECK(torch::equal(mean, net.norm.running_mean));
  }
}

TEST_CASE("the fused norm does not depend on the number of threads and shows a diverged value") {
  torch::manual_seed(3);
  Net net = make_net(kCases[1]);
  const int threads = at::get_num_threads();
  std::vector<Tensor> results;
  for (const int count : {1, 3}) {
    at::set_num_threads(count);
    const Tensor y = run_fused(kCases[1], net, true);
    y.square().sum().backward();
    results.push_back(y.detach());
    const auto gradients = take_gradients(net);
    results.insert(results.end(), gradients.begin() + 2, gradients.end());
  }
  at::set_num_threads(threads);
  for (std::size_t i = 0; i < results.size() / 2; ++i) {
    CHECK(torch::equal(results[i], results[i + results.size() / 2]));
  }
  const torch::NoGradGuard no_grad;
  net.x[0][0][0][0] = std::nan("");
  CHECK(run_fused(kCases[1], net, false).isnan().any().item<bool>());
}

namespace {

const MapPool kPools[] = {
    {MapPoolKind::kMean, {2, 2}, {2, 2}, {0, 0}},  // the last row and column of odd sides go
    {MapPoolKind::kMean, {3, 2}, {1, 2}, {0, 0}}, {MapPoolKind::kMax, {2, 2}, {2, 2}, {0, 0}},
    {MapPoolKind::kMax, {3, 3}, {2, 2}, {1, 1}},  {MapPoolKind::kMax, {2, 3}, {1, 1}, {0, 1}},
};

enum class Signs { kPositive, kBoth, kZero };

// A net whose maps are pooled, with scalars of such signs where they are learned. `ties`: maps of
// few whole numbers, so that windows have several maxima.
Net make_pooled(const NormCase& c, const MapPool& pool, Signs signs, bool ties) {
  Net net = make_net(c);
  net.pool = pool;
  const torch::NoGradGuard no_grad;
  if (ties) net.x.copy_(net.x.round().clamp(-1, 1));
  if (c.source == AlphaSource::kLearned) {
    net.weight.alpha.abs_().add_(0.01);
    if (signs == Signs::kBoth) net.weight.alpha.flatten()[0].neg_();
    if (signs == Signs::kZero) net.weight.alpha.flatten()[0].zero_();
  }
  if (c.residual) {
    const Tensor size = pooled(torch::zeros({1, 1, c.image, c.image}, torch::kFloat64), pool);
    net.residual = net.residual.detach()
                       .narrow(2, 0, size.size(2))
                       .narrow(3, 0, size.size(3))
                       .clone(net.x.suggest_memory_format())
                       .requires_grad_();
  }
  return net;
}

bool is_fused(const Tensor& y) {
  return y.grad_fn()->name().find("NormFanOut") != std::string::npos;
}

}  // namespace

TEST_CASE("a pool before the norm is taken of the unique maps, where that is the same") {
  torch::manual_seed(6);
  int fused = 0, apart = 0;
  for (const NormCase& c : kCases) {
    for (const MapPool& pool : kPools) {
      for (const Signs signs : {Signs::kPositive, Signs::kBoth, Signs::kZero}) {
        const bool learned = c.source == AlphaSource::kLearned;
        if (!learned && signs != Signs::kPositive) continue;
        for (const bool ties : {false, true}) {
          INFO(c.name << ", pool " << static_cast<int>(pool.kind) << ' ' << pool.kernel[0]
                      << ", signs " << static_cast<int>(signs) << (ties ? ", ties" : ""));
          Net net = make_pooled(c, pool, signs, ties);
          check_training_step(c, net);
          const bool may = pool.kind == MapPoolKind::kMean || signs == Signs::kPositive;
          CHECK(is_fused(run_fused(c, net, true)) == may);
          (may ? fused : apart) += 1;
          CHECK(difference(run_fused(c, net, false), run_parts(c, net, false)) < 1e-10);
          const torch::NoGradGuard no_grad;
          CHECK(difference(run_fused(c, net, false), run_parts(c, net, false)) < 1e-10);
        }
      }
    }
  }
  CHECK(fused > 100);
  CHECK(apart > 50);
}

TEST_CASE("a scalar that is no number is pooled by the parts, and shows") {
  torch::manual_seed(7);
  Net net = make_pooled(kCases[1], kPools[2], Signs::kPositive, false);
  const torch::NoGradGuard no_grad;
  net.weight.alpha[1] = std::nan("");
  CHECK_FALSE(pools_unique_maps(net.pool, net.weight, net.weight.alpha));
  CHECK(run_fused(kCases[1], net, false).isnan().any().item<bool>());
}
