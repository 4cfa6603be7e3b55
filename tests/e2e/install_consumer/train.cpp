// One tiled layer in somebody else's LibTorch program: compares it with the dense product of its
// expanded weight, takes a gradient, and prints "8 outputs".
#include <tbn/train.h>
#include <torch/torch.h>

#include <iostream>

int main() {
  tbn::nn::TiledLinear layer(tbn::nn::TiledLinearOptions(6, 8).p(4).bias(false));
  torch::Tensor x = torch::rand({2, 6});
  torch::Tensor y = layer(x);
  y.sum().backward();
  const bool right = torch::allclose(y, x.matmul(layer->expanded_weight().t()), 1e-4, 1e-5) &&
                     layer->latent.grad().defined();
  std::cout << (right ? y.size(1) : 0) << " outputs\n";
}
