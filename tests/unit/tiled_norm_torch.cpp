// The fused convolution + norm + residual + ReLU against the same parts one after another, in
// float64.
#include <torch/torch.h>

#include <ATen/Parallel.h>

#include "encodings/tiled.h"
#include "support/catch.h"
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
  Tensor y = at::batch_norm(tiled_conv2d(net.x, net.weight, {}, kGeometry), n.weight, n.bias,
                            n.running_mean, n.running_var, training, n.momentum, n.eps, false);
  if (net.residual.defined()) y = y + net.residual;
  return c.relu ? at::relu(y) : y;
}

Tensor run_fused(const NormCase& c, Net& net, bool training) {
  return tiled_conv2d_norm(net.x, net.weight, kGeometry, net.norm, training, net.residual, c.relu);
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

}  // namespace

TEST_CASE("the fused norm has the values, gradients and running statistics of the parts") {
  torch::manual_seed(1);
  for (const NormCase& c : kCases) {
    INFO(c.name);
    Net net = make_net(c);
    REQUIRE(norm_sees_maps(net.weight.layout, net.weight.encoding, 1, false));
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
