// The public layers, used as a LibTorch program would use them.
#include <torch/torch.h>

#include <sstream>

#include "support/catch.h"
#include "tbn/error.h"
#include "tbn/train.h"

using tbn::nn::TiledConv2d;
using tbn::nn::TiledConv2dOptions;
using tbn::nn::TiledLinear;
using tbn::nn::TiledLinearOptions;
using torch::Tensor;

namespace {

struct SmallNet : torch::nn::Module {
  TiledConv2d conv{TiledConv2dOptions(3, 16, 3).stride(2).padding(1).p(4)};
  torch::nn::BatchNorm2d norm{16};
  TiledLinear classifier{TiledLinearOptions(16, 4).p(2).latent(tbn::LatentForm::kFull)};
  SmallNet() {
    register_module("conv", conv);
    register_module("norm", norm);
    register_module("classifier", classifier);
  }
  Tensor forward(const Tensor& x) { return classifier(norm(conv(x)).relu().mean({2, 3})); }
};

}  // namespace

TEST_CASE("a network of tiled layers in a user's own module learns a small problem") {
  torch::manual_seed(1);
  SmallNet net;
  const Tensor x = torch::randn({32, 3, 8, 8});
  const Tensor labels = (x.select(1, 0).mean({1, 2}) > 0).to(torch::kLong);
  torch::optim::Adam optimizer(net.parameters(), torch::optim::AdamOptions(0.01));
  double first = 0, last = 0;
  for (int step = 0; step < 60; ++step) {
    optimizer.zero_grad();
    const Tensor loss = torch::nn::functional::cross_entropy(net.forward(x), labels);
    loss.backward();
    optimizer.step();
    (step == 0 ? first : last) = loss.item<double>();
  }
  CHECK(last < 0.5 * first);
}

TEST_CASE("tiled layers equal dense ones over their expanded weight") {
  torch::manual_seed(2);
  TiledConv2d conv(
      TiledConv2dOptions(4, 6, {3, 2}).stride({2, 1}).padding({1, 0}).groups(2).p(3).bias(true));
  TiledLinear linear(TiledLinearOptions(5, 6).p(5).alpha_from(tbn::AlphaSource::kWeight));
  const Tensor image = torch::randn({2, 4, 7, 7}), rows = torch::randn({3, 5});
  CHECK(torch::allclose(
      conv(image), torch::conv2d(image, conv->expanded_weight(), conv->bias, {2, 1}, {1, 0}, 1, 2),
      1e-5, 1e-6));
  CHECK(torch::allclose(linear(rows), torch::linear(rows, linear->expanded_weight(), linear->bias),
                        1e-5, 1e-6));
  CHECK(linear->layout().form == tbn::TileForm::kFlat);
}

TEST_CASE("shared latents take p times less memory, and each source has its own parameters") {
  const auto names = [](const torch::nn::Module& module) {
    return module.named_parameters().keys();
  };
  const TiledLinear shared(TiledLinearOptions(10, 8).p(4));
  CHECK(names(*shared) == std::vector<std::string>{"latent", "alpha", "bias"});
  CHECK(shared->latent.sizes() == at::IntArrayRef({2, 10}));
  CHECK(shared->alpha.sizes() == at::IntArrayRef({4}));
  const TiledLinear full(TiledLinearOptions(10, 8)
                             .p(4)
                             .latent(tbn::LatentForm::kFull)
                             .alpha_from(tbn::AlphaSource::kWeight)
                             .bias(false));
  CHECK(names(*full) == std::vector<std::string>{"latent", "alpha_latent"});
  CHECK(full->latent.sizes() == at::IntArrayRef({8, 10}));
  const TiledLinear scores(TiledLinearOptions(10, 8).p(4).alpha_from(tbn::AlphaSource::kScores));
  CHECK(names(*scores) == std::vector<std::string>{"latent", "bias"});
}

TEST_CASE("two layers that share their parameters share the memory and add their gradients") {
  torch::manual_seed(3);
  TiledLinear first(TiledLinearOptions(6, 6).p(3).bias(false)), second = first;
  const Tensor x = torch::randn({2, 6});
  second(first(x)).sum().backward();
  CHECK(second->latent.data_ptr() == first->latent.data_ptr());
  const Tensor both = first->latent.grad().clone();
  const auto copy = std::dynamic_pointer_cast<tbn::nn::TiledLinearImpl>(first->clone());
  CHECK(copy->latent.data_ptr() != first->latent.data_ptr());
  CHECK(torch::equal(copy->forward(x), first(x)));
  // Through a copy the second use gives its part alone.
  first->latent.mutable_grad() = Tensor();
  copy->forward(first(x)).sum().backward();
  CHECK(torch::allclose(both, first->latent.grad() + copy->latent.grad(), 1e-5, 1e-6));
}

TEST_CASE("a tiled layer refuses what it cannot divide and prints what it is") {
  CHECK_THROWS_AS(TiledLinear(TiledLinearOptions(5, 3).p(2)), tbn::ConfigError);
  CHECK_THROWS_WITH(TiledConv2d(TiledConv2dOptions(4, 6, 3).groups(3)),
                    "TiledConv2d: 3 groups do not divide 4 input and 6 output channels");
  std::ostringstream text;
  text << TiledLinear(TiledLinearOptions(10, 8).p(4));
  CHECK(text.str() ==
        "tbn::nn::TiledLinear(in_features=10, out_features=8, bias=1, p=4, alpha=tile from "
        "learned, latent=shared)");
}
