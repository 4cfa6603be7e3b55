// The loops over maps of bfloat16 on a CPU against at:: operations in float64: where all numbers
// are exact to the bit, where they are not within one rounding.
#include <torch/torch.h>

#include <ATen/Parallel.h>
#include <ATen/record_function.h>

#include <atomic>
#include <cmath>
#include <limits>

#include "support/catch.h"
#include "tbn/graph.h"
#include "train/executor/device.h"
#include "train/executor/graph_module.h"
#include "train/state/init.h"
#include "train/tiled/tiled_function_maps.h"

using namespace tbn;
using torch::Tensor;

namespace {

struct Sizes {
  std::int64_t rows, p, maps;
};

// Blocks of 16, of 8, single maps and all of them; one chunk of 512 rows, less and more.
const Sizes kSizes[] = {{1, 1, 1},    {7, 2, 3},     {511, 4, 16}, {512, 3, 8},
                        {513, 1, 33}, {1027, 8, 24}, {40, 5, 64}};

enum class Values { kExact, kAny };

// kExact: multiples of 1/8 in [-4, 4), whose products and sums are exact in float.
Tensor draw(at::IntArrayRef sizes, Values values) {
  if (values == Values::kExact) return torch::randint(-32, 32, sizes, torch::kFloat64) / 8;
  return torch::randn(sizes, torch::kFloat64).to(torch::kBFloat16).to(torch::kFloat64);
}

struct Case {
  Tensor u, a, b, z, dy, centre;  // float64
};

Case draw_case(const Sizes& s, Values values) {
  return {draw({s.rows, s.maps}, values),       draw({s.p, s.maps}, values),
          draw({s.p, s.maps}, values),          draw({s.rows, s.p * s.maps}, values),
          draw({s.rows, s.p * s.maps}, values), draw({s.maps}, values)};
}

Tensor half(const Tensor& t) { return t.defined() ? t.to(torch::kBFloat16) : t; }
Tensor single(const Tensor& t) { return t.defined() ? t.to(torch::kFloat32) : t; }

Tensor as_copies(const Tensor& y, const Sizes& s) { return y.view({s.rows, s.p, s.maps}); }

// act's argument, [rows, p, maps].
Tensor before_act(const Case& c, const Sizes& s, bool bias, bool residual) {
  Tensor y = c.u.view({s.rows, 1, s.maps}) * c.a;
  if (bias) y = y + c.b;
  return residual ? y + as_copies(c.z, s) : y;
}

// |got - wanted| <= relative |wanted| + 2^-20 scale, everywhere.
void check_near(const Tensor& got, const Tensor& wanted, double relative, const Tensor& scale) {
  const Tensor bound = relative * wanted.abs() + std::ldexp(1.0, -20) * scale.abs() + 1e-30;
  CHECK(((got.to(torch::kFloat64) - wanted).abs() / bound).max().item<double>() <= 1);
}

constexpr double kHalfStep = 1.0 / 256;  // of eight bits

}  // namespace

TEST_CASE("maps of bfloat16 fan out with one rounding") {
  const Sizes s = GENERATE(from_range(std::begin(kSizes), std::end(kSizes)));
  const Values values = GENERATE(Values::kExact, Values::kAny);
  torch::manual_seed(s.rows);
  const Case c = draw_case(s, values);
  for (const bool bias : {false, true}) {
    for (const bool residual : {false, true}) {
      for (const bool relu : {false, true}) {
        INFO(s.rows << " rows, p = " << s.p << ", " << s.maps << " maps" << (bias ? ", bias" : "")
                    << (residual ? ", residual" : "") << (relu ? ", ReLU" : ""));
        const Tensor y =
            fan_out(half(c.u), MapLayout::kRows, single(c.a), bias ? single(c.b) : Tensor(),
                    residual ? half(c.z) : Tensor(), relu);
        REQUIRE(y.scalar_type() == torch::kBFloat16);
        Tensor wanted = before_act(c, s, bias, residual);
        if (relu) wanted = wanted.relu();
        wanted = wanted.view_as(y);
        if (values == Values::kExact) CHECK(at::equal(y, half(wanted)));
        check_near(y, wanted, kHalfStep, before_act(c, s, true, true).abs().view_as(y) + 16);
      }
    }
  }
}

TEST_CASE("gradients of bfloat16 fan in: sums in float, du rounded once") {
  const Sizes s = GENERATE(from_range(std::begin(kSizes), std::end(kSizes)));
  const Values values = GENERATE(Values::kExact, Values::kAny);
  torch::manual_seed(s.rows);
  const Case c = draw_case(s, values);
  enum class From { kNone, kResult, kBias };
  for (const From from : {From::kNone, From::kResult, From::kBias}) {
    // What is no exact number may lie on the other side of 0 in float.
    if (from == From::kBias && values == Values::kAny) continue;
    const bool keep = from == From::kResult;
    INFO(s.rows << " rows, p = " << s.p << ", " << s.maps << " maps, mask "
                << static_cast<int>(from));
    ReluMask mask;
    Tensor g = as_copies(c.dy, s);
    if (from == From::kResult) {
      mask.y = half(c.z);
      g = g * (as_copies(c.z, s) > 0);
    } else if (from == From::kBias) {
      mask.b = single(c.b);
      g = g * (before_act(c, s, true, false) > 0);
    }
    const Tensor centred = (c.u - c.centre).view({s.rows, 1, s.maps});
    const FanIn in =
        fan_in(half(c.dy), mask, half(c.u), MapLayout::kRows, single(c.a), single(c.centre), keep);
    REQUIRE(in.sum_g.scalar_type() == torch::kFloat32);
    REQUIRE(in.du.scalar_type() == torch::kBFloat16);
    const Tensor du = (g * c.a).sum(1), sum_g = g.sum(0), sum_gu = (g * centred).sum(0);
    if (values == Values::kExact) {
      CHECK(at::equal(in.sum_g, single(sum_g)));
      CHECK(at::equal(in.sum_gu, single(sum_gu)));
      CHECK(at::equal(in.du, half(du)));
    }
    check_near(in.sum_g, sum_g, 0, 32 * g.abs().sum(0));
    check_near(in.sum_gu, sum_gu, 0, 32 * (g * centred).abs().sum(0));
    check_near(in.du, du, kHalfStep, (g * c.a).abs().sum(1));
    if (keep) CHECK(at::equal(in.g, half(g).view_as(in.g)));
  }
}

TEST_CASE("moments of bfloat16 maps hold where the mean is ten deviations away") {
  const Sizes s = GENERATE(from_range(std::begin(kSizes), std::end(kSizes)));
  torch::manual_seed(s.rows);
  const Tensor u = half(torch::randn({s.rows, s.maps}) + 10);
  const Moments made = map_moments(u, MapLayout::kRows);
  const auto [var, mean] = at::var_mean(u.to(torch::kFloat64), at::IntArrayRef({0}), 0, false);
  CHECK(made.mean.scalar_type() == torch::kFloat32);
  CHECK(at::allclose(made.mean.to(torch::kFloat64), mean, 1e-6, 1e-6));
  CHECK(at::allclose(made.var.to(torch::kFloat64), var, 1e-5, 1e-6));
}

TEST_CASE("the norm's correction of bfloat16 maps is rounded once") {
  const Sizes s = GENERATE(from_range(std::begin(kSizes), std::end(kSizes)));
  torch::manual_seed(s.rows);
  const Case c = draw_case(s, Values::kExact);
  const Tensor c0 = c.a[0], c1 = c.b[0];
  Tensor du = half(draw({s.rows, s.maps}, Values::kExact));
  const Tensor wanted = half(du.to(torch::kFloat64) + c0 + c1 * (c.u - c.centre));
  add_affine_(du, half(c.u), MapLayout::kRows, single(c.centre), single(c0), single(c1));
  CHECK(at::equal(du, wanted));
}

TEST_CASE("signs come out in bfloat16, of any number of latents") {
  for (const std::int64_t count : {1, 15, 16, 17, 40'000}) {
    Tensor s = torch::randn({count});
    s[0] = 0;
    const Tensor t = signs(s, torch::kBFloat16);
    CHECK(t.scalar_type() == torch::kBFloat16);
    CHECK(at::equal(t.to(torch::kFloat32), signs(s, torch::kFloat32)));
    CHECK(t[0].item<float>() == -1);
  }
}

TEST_CASE("a number that is none, and infinities, pass the bfloat16 loops") {
  const float nan = std::nanf(""), inf = std::numeric_limits<float>::infinity();
  const Tensor u = half(torch::tensor({nan, inf, -inf, 1.0F, 3.4e38F}).expand({3, 5}).contiguous());
  const Tensor a = torch::ones({1, 5}), b = torch::zeros({1, 5});
  const Tensor y = fan_out(u, MapLayout::kRows, a, b, {}, true).to(torch::kFloat32)[1];
  CHECK(std::isnan(y[0].item<float>()));
  CHECK(y[1].item<float>() == inf);
  CHECK(y[2].item<float>() == 0);
  CHECK(y[3].item<float>() == 1);
  CHECK(y[4].item<float>() == u[0][4].to(torch::kFloat32).item<float>());
}

TEST_CASE("bfloat16 loops give the same bits with one thread and with two") {
  const int threads = at::get_num_threads();
  torch::manual_seed(3);
  const Sizes s{3000, 4, 24};
  const Case c = draw_case(s, Values::kAny);
  const auto run = [&](int count) {
    at::set_num_threads(count);
    return fan_in(half(c.dy), {half(c.z), {}}, half(c.u), MapLayout::kRows, single(c.a),
                  single(c.centre), true);
  };
  const FanIn one = run(1), two = run(2);
  at::set_num_threads(threads);
  CHECK(at::equal(one.du, two.du));
  CHECK(at::equal(one.sum_g, two.sum_g));
  CHECK(at::equal(one.sum_gu, two.sum_gu));
}

namespace {

constexpr std::int64_t kLarge = 500;  // values; what there is one of per map is fewer

std::atomic<int> casts = 0;  // of large tensors to another type

std::unique_ptr<at::ObserverContext> count_casts(const at::RecordFunction& fn) {
  if (std::string_view(fn.name()) != "aten::_to_copy") return nullptr;
  const bool to_other_type = !fn.inputs().at(1).isNone();  // else to another memory order
  if (to_other_type && fn.inputs().at(0).toTensor().numel() >= kLarge) ++casts;
  return nullptr;
}

// In a forward and a backward pass.
int casts_of(int layers) {
  GraphBuilder b("chain");
  const WeightEncoding tiled = TiledWeights{.p = 4, .alpha_from = AlphaSource::kLearned};
  Value x = b.input({16, 8, 8});
  for (int i = 0; i < layers; ++i) {
    x = x.conv(16, {.kernel = 3, .weights = tiled}).batch_norm().relu();
  }
  GraphModule module(b.finish(x.global_avg_pool().linear(4, {.weights = tiled})));
  initialize(module, InitConfig{}, 1);
  module.train();
  const Tensor images = torch::randn({4, 16, 8, 8});
  casts = 0;
  const at::CallbackHandle handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback(count_casts)
                                     .needsInputs(true)
                                     .scopes({at::RecordScope::FUNCTION}));
  Tensor logits;
  {
    const Autocast autocast(true, torch::kCPU);
    logits = module.forward(images);
  }
  CHECK(logits.scalar_type() == torch::kFloat32);
  logits.square().sum().backward();
  at::removeCallback(handle);
  return casts;
}

}  // namespace

TEST_CASE("a fused layer in bfloat16 casts the gradient of its tile and nothing else") {
  CHECK(casts_of(5) - casts_of(4) == 1);
}
