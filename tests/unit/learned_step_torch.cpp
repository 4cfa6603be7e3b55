// Rounding to learned steps: its values, and its gradients against the formulas of LSQ
// (arXiv 1902.08153, equations 1 to 5) written out in float64, and against differences.
#include "train/encodings/learned_step.h"

#include <torch/torch.h>

#include <cmath>

#include "support/catch.h"

using namespace tbn;
using torch::Tensor;

namespace {

LevelRange range_of(int bits) {
  const double half = std::exp2(bits - 1);
  return {-half, half - 1};
}

Tensor leaf(const Tensor& t) { return t.detach().clone().requires_grad_(); }

// Rounded, with its gradients for the loss <dy, w^>.
struct Rounded {
  Tensor value, dw, dstep;
};
Rounded rounded(const Tensor& w, const Tensor& step, LevelRange range, double scale,
                const Tensor& dy) {
  const Tensor own_w = leaf(w), own_step = leaf(step);
  const Tensor value = round_to_steps(own_w, own_step, range, scale);
  (value * dy).sum().backward();
  return {value.detach(), own_w.grad(), own_step.grad()};
}

}  // namespace

TEST_CASE("every weight becomes the nearest stored multiple of its output's step, half to even") {
  const LevelRange range = range_of(3);  // -4 .. 3
  const Tensor w = torch::tensor({{0.25f, 0.75f, -0.25f, -0.75f, 1.24f, 9.0f, -9.0f, 0.0f},
                                  {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 3.4f, -4.6f}});
  const Tensor step = torch::tensor({0.5f, 1.0f});
  const Tensor expected = torch::tensor({{0.0f, 1.0f, 0.0f, -1.0f, 1.0f, 1.5f, -2.0f, 0.0f},
                                         {0.0f, 2.0f, 2.0f, 0.0f, -2.0f, -2.0f, 3.0f, -4.0f}});
  CHECK(torch::equal(round_to_steps(w, step, range, 1), expected));
}

TEST_CASE("gradients are those of LSQ's formulas in float64, at every width and shape") {
  torch::manual_seed(1);
  for (int bits = 2; bits <= 8; ++bits) {
    for (const std::vector<std::int64_t>& sizes :
         {std::vector<std::int64_t>{5, 7}, {4, 3, 3, 2}, {6, 1, 3, 3}}) {
      INFO(bits << " bits, " << sizes.size() << " dimensions");
      const LevelRange range = range_of(bits);
      const Tensor w = torch::randn(sizes, torch::kFloat64);
      const Tensor step = torch::rand({sizes[0]}, torch::kFloat64) * 2 / range.highest + 1e-3;
      const Tensor dy = torch::randn(sizes, torch::kFloat64);
      const double scale = 0.37;
      const Rounded ours = rounded(w, step, range, scale, dy);
      const Tensor rows = w.flatten(1), weights = dy.flatten(1);
      for (std::int64_t n = 0; n < rows.size(0); ++n) {
        const double s = step[n].item<double>();
        double dstep = 0;
        for (std::int64_t k = 0; k < rows.size(1); ++k) {
          const double v = rows[n][k].item<double>() / s, g = weights[n][k].item<double>();
          const bool below = v <= range.lowest, above = v >= range.highest;
          const double level = below ? range.lowest : above ? range.highest : std::nearbyint(v);
          CHECK(ours.value.flatten(1)[n][k].item<double>() == Approx(s * level));
          CHECK(ours.dw.flatten(1)[n][k].item<double>() == Approx(below || above ? 0 : g));
          dstep += g * (below || above ? level : level - v);
        }
        CHECK(ours.dstep[n].item<double>() == Approx(scale * dstep).margin(1e-12));
      }
    }
  }
}

TEST_CASE("where every weight is out of the range, gradients are the differences of the values") {
  torch::manual_seed(2);
  const LevelRange range = range_of(4);
  const Tensor w =
      torch::randn({3, 6}, torch::kFloat64).sign() * (5 + torch::rand({3, 6}, torch::kFloat64));
  const Tensor step = torch::tensor({0.2, 0.4, 0.5}, torch::kFloat64);
  const Tensor dy = torch::randn({3, 6}, torch::kFloat64);
  const Rounded ours = rounded(w, step, range, 1, dy);
  constexpr double h = 1e-4;
  const auto loss = [&](const Tensor& own_w, const Tensor& own_step) {
    return (round_to_steps(own_w, own_step, range, 1) * dy).sum().item<double>();
  };
  for (std::int64_t n = 0; n < 3; ++n) {
    Tensor up = step.clone(), down = step.clone();
    up[n] += h;
    down[n] -= h;
    CHECK(ours.dstep[n].item<double>() == Approx((loss(w, up) - loss(w, down)) / (2 * h)));
    Tensor right = w.clone();
    right[n][0] += h;
    CHECK(loss(right, step) == loss(w, step));
    CHECK(ours.dw[n][0].item<double>() == 0);
  }
}

TEST_CASE("inside the range, gradients are the differences of rounding that keeps its remainders") {
  torch::manual_seed(3);
  const LevelRange range = range_of(8);
  const Tensor w = torch::randn({3, 6}, torch::kFloat64);
  const Tensor step = torch::tensor({0.1, 0.2, 0.3}, torch::kFloat64);
  const Tensor dy = torch::randn({3, 6}, torch::kFloat64);
  const Rounded ours = rounded(w, step, range, 1, dy);
  const Tensor remainder = (w / step.unsqueeze(1)).round() - w / step.unsqueeze(1);
  const auto loss = [&](const Tensor& own_w, const Tensor& own_step) {
    const Tensor s = own_step.unsqueeze(1);
    return ((own_w / s + remainder) * s * dy).sum().item<double>();
  };
  constexpr double h = 1e-6;
  for (std::int64_t n = 0; n < 3; ++n) {
    Tensor up = step.clone(), right = w.clone();
    up[n] += h;
    right[n][2] += h;
    CHECK(ours.dstep[n].item<double>() ==
          Approx((loss(w, up) - loss(w, step)) / h).epsilon(1e-4).margin(1e-6));
    CHECK(ours.dw[n][2].item<double>() ==
          Approx((loss(right, step) - loss(w, step)) / h).epsilon(1e-4));
  }
}

TEST_CASE("weights that are not finite, and steps of next to nothing, leave no other output") {
  const LevelRange range = range_of(8);
  const Tensor w = torch::tensor({{1.0, -2.0}, {0.0, 3.0}, {1.0, 0.5}}, torch::kFloat64);
  const Tensor step = torch::tensor({1e-12, 1e-12, 0.5}, torch::kFloat64);
  const Rounded ours = rounded(w, step, range, 1, torch::ones_like(w));
  CHECK(at::isfinite(ours.value).all().item<bool>());
  CHECK(at::isfinite(ours.dw).all().item<bool>());
  CHECK(at::isfinite(ours.dstep).all().item<bool>());
  CHECK(ours.dstep[0].item<double>() == Approx(127 - 128));
}

TEST_CASE("the nearest steps leave the least error, and multiples of a step as they are") {
  torch::manual_seed(4);
  for (int bits = 2; bits <= 8; ++bits) {
    INFO(bits);
    const LevelRange range = range_of(bits);
    const Tensor w = torch::randn({6, 40}, torch::kFloat64);
    const auto error = [&](const Tensor& step) {
      return (round_to_steps(w, step, range, 1) - w).square().sum(1);
    };
    const Tensor steps = nearest_steps(w, range);
    const Tensor widest = torch::maximum(w.amax(1) / range.highest, w.amin(1) / range.lowest);
    for (const double factor : {1.0, 0.75, 0.5, 0.25}) {
      CHECK((error(steps) <= error(widest * factor) + 1e-12).all().item<bool>());
    }
    Tensor levels =
        torch::randint(static_cast<std::int64_t>(range.lowest) + 1,
                       static_cast<std::int64_t>(range.highest) + 1, {3, 40}, torch::kFloat64);
    levels.select(1, 0).fill_(range.highest);
    const Tensor stored = levels * 0.125;
    CHECK(torch::allclose(round_to_steps(stored, nearest_steps(stored, range), range, 1), stored));
  }
  CHECK(nearest_steps(torch::zeros({2, 3}), range_of(8)).abs().max().item<double>() == 0);
}
