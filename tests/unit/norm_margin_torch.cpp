// The smallest alpha^2 v / eps of a network, against scalars and variances that the test sets.
#include "train/state/norm_margin.h"

#include <torch/torch.h>

#include "support/catch.h"
#include "train/executor/graph_module.h"
#include "train/state/init.h"

using namespace tbn;
using torch::Tensor;

namespace {

Graph two_norms() {
  GraphBuilder b("net");
  Value x = b.input({3, 8, 8}).conv(8, {.kernel = 3}).named("float").batch_norm().named("free");
  x = x.relu().conv(8, {.kernel = 3, .weights = tiled(2)}).named("first").max_pool().batch_norm();
  x = x.named("pooled").relu().conv(8, {.weights = tiled(4)}).named("second");
  return b.finish(x.batch_norm({.eps = 1e-3}).named("last").relu());
}

}  // namespace

TEST_CASE("the margin of norms is that of their running variances, layers with scalars alone") {
  GraphModule module(two_norms());
  const torch::NoGradGuard no_grad;
  auto buffers = module.named_buffers();
  buffers["free.running_var"].fill_(1e-9);  // no scalar stands before it
  buffers["pooled.running_var"].fill_(2e-3);
  buffers["last.running_var"].fill_(0.5);
  auto margin = norm_margin(module);
  REQUIRE(margin);
  CHECK(margin->norm == "pooled");
  CHECK(margin->ratio == Approx(200));
  CHECK(margin_text(margin).empty());
  buffers["last.running_var"][3] = 0.02;
  margin = norm_margin(module);
  REQUIRE(margin);
  CHECK(margin->norm == "last");
  CHECK(margin->ratio == Approx(20));
  CHECK(margin_text(margin) ==
        "the norm 'last' sees a variance of 20 times its eps, so that it no longer takes out the "
        "scale of the layer's scalars; if weight decay acts on them, give the group alphas in "
        "optim.groups a weight_decay of 0");
  CHECK(margin_text(std::nullopt).empty());
}

TEST_CASE("the margin is alpha^2 v / eps of what the layer computes") {
  torch::manual_seed(1);
  GraphModule module(two_norms());
  initialize(module, InitConfig{}, 1);
  const torch::NoGradGuard no_grad;
  const auto ratio_after_steps = [&](double scale) {
    module.named_parameters()["second.alpha"].mul_(scale);
    for (int i = 0; i < 200; ++i) module.forward(100 * torch::randn({8, 3, 8, 8}));
    module.named_parameters()["second.alpha"].div_(scale);
    const auto margin = norm_margin(module);
    REQUIRE(margin);
    return margin->norm == "last" ? margin->ratio : 0;
  };
  const double small = ratio_after_steps(1e-3);
  const double smaller = ratio_after_steps(1e-4);
  CHECK(small > 0);
  CHECK(small / smaller == Approx(100).epsilon(0.1));
}

TEST_CASE("a network without scalars before norms has no margin") {
  GraphBuilder b("net");
  const Value x = b.input({3}).linear(8).batch_norm().relu().linear(4, {.weights = tiled(2)});
  CHECK_FALSE(norm_margin(GraphModule(b.finish(x))));
}
