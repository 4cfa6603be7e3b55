// Loss, clipping and averages against formulas written out.
#include "train/executor/tensor_io.h"
#include "train/step/loss.h"

#include <cmath>
#include <limits>

#include <torch/torch.h>

#include "support/catch.h"
#include "train/optim/ema.h"

TEST_CASE("cross entropy with label smoothing is its formula, written out in float64") {
  torch::manual_seed(1);
  const at::Tensor logits = torch::randn({5, 4}, torch::kFloat64);
  const at::Tensor labels = torch::tensor({0, 3, 1, 1, 2}, torch::kInt64);
  const double smoothing = GENERATE(0.0, 0.1);
  double expected = 0;
  for (int b = 0; b < 5; ++b) {
    double sum = 0;
    for (int k = 0; k < 4; ++k) sum += std::exp(logits[b][k].item<double>());
    for (int k = 0; k < 4; ++k) {
      const double target = smoothing / 4 + (labels[b].item<int>() == k ? 1 - smoothing : 0);
      expected -= target * (logits[b][k].item<double>() - std::log(sum)) / 5;
    }
  }
  CHECK(tbn::cross_entropy(logits, labels, smoothing).item<double>() ==
        Approx(expected).epsilon(1e-12));
}

TEST_CASE("cross entropy of bfloat16 logits is computed in float32") {
  const at::Tensor logits = torch::tensor({{1.0f, 2.0f}}).to(torch::kBFloat16);
  const at::Tensor loss = tbn::cross_entropy(logits, torch::zeros({1}, torch::kInt64), 0);
  CHECK(loss.scalar_type() == torch::kFloat32);
  CHECK(loss.item<float>() == Approx(1.3132617));
}

TEST_CASE("cross entropy of points is that of all points as one batch") {
  torch::manual_seed(2);
  const at::Tensor logits = torch::randn({3, 5, 4}, torch::kFloat64);
  const at::Tensor labels = torch::randint(0, 4, {3, 5}, torch::kInt64);
  double expected = 0;
  for (int b = 0; b < 3; ++b) {
    for (int n = 0; n < 5; ++n) {
      double sum = 0;
      for (int k = 0; k < 4; ++k) sum += std::exp(logits[b][n][k].item<double>());
      const auto label = labels[b][n].item<std::int64_t>();
      expected += (std::log(sum) - logits[b][n][label].item<double>()) / 15;
    }
  }
  CHECK(tbn::cross_entropy(logits, labels, 0).item<double>() == Approx(expected).epsilon(1e-12));
}

TEST_CASE("the mean squared error of bfloat16 predictions is computed in float32") {
  const at::Tensor predictions = torch::tensor({{1.0f, 2.0f}, {3.0f, -1.0f}}).to(torch::kBFloat16);
  const at::Tensor targets = torch::tensor({{1.001f, 2.0f}, {1.0f, -2.0f}});
  const at::Tensor loss = tbn::mse_loss(predictions, targets);
  CHECK(loss.scalar_type() == torch::kFloat32);
  CHECK(loss.item<double>() == Approx((1e-6 + 0 + 4 + 1) / 4).epsilon(1e-7));
}

TEST_CASE(
    "the penalty of transforms is the Frobenius norm of I - A A^T, and has no gradient at I") {
  torch::manual_seed(3);
  const at::Tensor a = torch::randn({2, 3, 3}, torch::kFloat64);
  double expected = 0;
  for (int b = 0; b < 2; ++b) {
    double squares = 0;
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        double product = 0;
        for (int k = 0; k < 3; ++k) product += (a[b][i][k] * a[b][j][k]).item<double>();
        squares += std::pow((i == j ? 1 : 0) - product, 2);
      }
    }
    expected += std::sqrt(squares) / 2;
  }
  CHECK(tbn::orthogonal_penalty(a).item<double>() == Approx(expected).epsilon(1e-12));

  at::Tensor identity = torch::eye(3).unsqueeze(0).requires_grad_();
  const at::Tensor penalty = tbn::orthogonal_penalty(identity);
  penalty.backward();
  CHECK(penalty.item<double>() == 0);
  CHECK(torch::equal(identity.grad(), torch::zeros({1, 3, 3})));
}

TEST_CASE("clipping scales all gradients to the joint norm, and leaves smaller ones alone") {
  std::vector<at::Tensor> gradients = {torch::tensor({3.0, 0.0}, torch::kFloat64),
                                       torch::tensor({{4.0}}, torch::kFloat64)};
  CHECK(tbn::clip_gradients(gradients, 10).item<double>() == Approx(5));
  CHECK(gradients[0][0].item<double>() == Approx(3));
  CHECK(tbn::clip_gradients(gradients, 1).item<double>() == Approx(5));
  CHECK(gradients[0][0].item<double>() == Approx(0.6));
  CHECK(gradients[1][0][0].item<double>() == Approx(0.8));
}

TEST_CASE("one value that is not finite is found among many tensors") {
  std::vector<at::Tensor> tensors = {torch::ones({3}), torch::full({4, 4}, 1e30)};
  CHECK(tbn::all_finite(tensors));
  tensors[1][2][3] = std::numeric_limits<float>::quiet_NaN();
  CHECK_FALSE(tbn::all_finite(tensors));
  tensors[1][2][3] = -std::numeric_limits<float>::infinity();
  CHECK_FALSE(tbn::all_finite(tensors));
}

TEST_CASE("an average follows by its warmed-up decay, and is lent to the network and taken back") {
  at::Tensor weight = torch::zeros({2}, torch::kFloat64);
  tbn::Ema ema({"w"}, {weight}, 0.5);
  double expected = 0;
  for (int t = 0; t < 20; ++t) {
    weight.fill_(t + 1);
    ema.update();
    const double decay = std::min(0.5, (1.0 + t) / (10.0 + t));
    expected = decay * expected + (1 - decay) * (t + 1);
  }
  CHECK(ema.averages()[0][1].item<double>() == Approx(expected).epsilon(1e-12));
  {
    const tbn::Ema::Applied applied(&ema);
    CHECK(weight[0].item<double>() == Approx(expected).epsilon(1e-12));
  }
  CHECK(weight[0].item<double>() == 20);
  const tbn::Ema::Applied nothing(nullptr);
}
