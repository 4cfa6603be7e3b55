// What a GPU trains with, on a CPU: bfloat16 products over float32 latents, and kernels whose
// channels are last in memory.
#include <torch/torch.h>

#include <vector>

#include "support/catch.h"
#include "tbn/graph.h"
#include "train/executor/device.h"
#include "train/executor/graph_module.h"
#include "train/executor/tensor_io.h"
#include "train/state/init.h"

using namespace tbn;
using torch::Tensor;

namespace {

// Fused norms with and without a residual, a stride, a layer that is expanded, linear tiles.
Graph residual_net(LatentForm latent) {
  GraphBuilder b("small");
  const WeightEncoding tiled = TiledWeights{4, AlphaScope::kTile, AlphaSource::kLearned, latent};
  Value x = b.input({3, 8, 8}).normalize({120, 110, 100}, {60, 50, 70});
  x = x.conv(16, {.kernel = 3, .weights = tiled}).named("stem").batch_norm().relu();
  Value y = x.conv(16, {.kernel = 3, .weights = tiled}).batch_norm().relu();
  x = (x + y.conv(16, {.kernel = 3, .weights = tiled}).batch_norm()).relu();
  x = x.conv(16, {.kernel = 3, .stride = 2, .groups = 4, .weights = tiled}).batch_norm().relu();
  x = x.conv(24, {.kernel = 1}).named("float").batch_norm().relu();
  return b.finish(x.global_avg_pool().linear(4, {.weights = tiled}).named("classifier"));
}

Tensor loss_of(GraphModule& module, bool bf16) {
  torch::manual_seed(8);
  const Tensor x = torch::randint(0, 256, {12, 3, 8, 8}).to(torch::kUInt8);
  const Tensor labels = torch::randint(0, 4, {12}, torch::kInt64);
  Tensor logits;
  {
    const Autocast autocast(bf16, torch::kCPU);
    logits = module.forward(x);
  }
  CHECK(logits.scalar_type() == torch::kFloat32);  // of the last layer
  const Tensor loss = torch::cross_entropy_loss(logits.to(torch::kFloat32), labels);
  loss.backward();
  return loss;
}

std::vector<Tensor> gradients_of(const GraphModule& module) {
  std::vector<Tensor> all;
  for (const NamedTensor& named : module.tensors()) {
    if (!is_buffer(named.role)) all.push_back(named.tensor.grad());
  }
  return all;
}

// Of the size of b, or of a small one: a norm leaves what comes before it almost without a gradient
// of its scale.
double relative_error(const Tensor& a, const Tensor& b) {
  return ((a - b).norm() / (b.norm() + 1e-2)).item<double>();
}

bool same_layout(const Tensor& a, const Tensor& b) {
  for (std::int64_t d = 0; d < a.dim(); ++d) {
    if (a.size(d) > 1 && a.stride(d) != b.stride(d)) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("under autocast a network multiplies in bfloat16 and its latents learn in float32") {
  const LatentForm latent = GENERATE(LatentForm::kShared, LatentForm::kFull);
  GraphModule exact(residual_net(latent)), rounded(residual_net(latent));
  initialize(exact, InitConfig{}, 6);
  initialize(rounded, InitConfig{}, 6);
  exact.train();
  rounded.train();
  const double wanted = loss_of(exact, false).item<double>();
  CHECK(loss_of(rounded, true).item<double>() == Approx(wanted).epsilon(0.02));
  const std::vector<Tensor> ours = gradients_of(rounded), theirs = gradients_of(exact);
  for (std::size_t i = 0; i < ours.size(); ++i) {
    INFO("parameter " << i << " of norm " << theirs[i].norm().item<double>());
    CHECK(ours[i].scalar_type() == torch::kFloat32);
    CHECK(at::isfinite(ours[i]).all().item<bool>());
    CHECK(relative_error(ours[i], theirs[i]) < 0.2);
  }
}

TEST_CASE("kernels with their channels last give the same network, whose gradients follow them") {
  const LatentForm latent = GENERATE(LatentForm::kShared, LatentForm::kFull);
  GraphModule plain(residual_net(latent)), laid_out(residual_net(latent));
  initialize(plain, InitConfig{}, 6);
  initialize(laid_out, InitConfig{}, 6);
  laid_out.lay_out_weights();
  CHECK(laid_out.tensors_of(2).front().tensor.is_contiguous(at::MemoryFormat::ChannelsLast));
  CHECK((state_of(plain) == state_of(laid_out)));
  plain.train();
  laid_out.train();
  CHECK(loss_of(laid_out, false).item<double>() ==
        Approx(loss_of(plain, false).item<double>()).epsilon(1e-5));
  const std::vector<Tensor> ours = gradients_of(laid_out), theirs = gradients_of(plain);
  std::size_t i = 0;
  for (const NamedTensor& named : laid_out.tensors()) {
    if (is_buffer(named.role)) continue;
    INFO(named.name);
    CHECK(same_layout(ours[i], named.tensor));
    CHECK(relative_error(ours[i], theirs[i]) < 1e-3);
    ++i;
  }
}
