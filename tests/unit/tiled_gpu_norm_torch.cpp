// The norm's small kernels run on the host, against the norm of all copies written out in float64.
#include "train/tiled/gpu/norm_scalars.h"

#include <vector>

#include "base/counter_rng.h"
#include "support/catch.h"

using namespace tbn;

namespace {

constexpr std::int64_t kRows = 9, kMaps = 8;
constexpr double kEps = 0.05;

std::vector<float> random_floats(std::size_t count, std::uint64_t seed) {
  std::vector<float> all;
  CounterRng rng(seed);
  for (std::size_t i = 0; i < count; ++i) {
    all.push_back(static_cast<float>(rng.below(2000)) / 500 - 2);
  }
  return all;
}

// The norm over alpha_i u_r of every output, in plain loops.
struct Reference {
  Reference(std::int64_t copies, bool alpha_per_map)
      : p(copies),
        u(random_floats(kRows * kMaps, 1)),
        g(random_floats(static_cast<std::size_t>(kRows * p * kMaps), 2)),
        alpha(random_floats(static_cast<std::size_t>(alpha_per_map ? p * kMaps : p), 3)),
        gamma(random_floats(static_cast<std::size_t>(p * kMaps), 4)),
        beta(random_floats(static_cast<std::size_t>(p * kMaps), 5)),
        a_map(alpha_per_map) {}

  double alpha_at(std::int64_t i, std::int64_t r) const {
    return static_cast<double>(alpha[static_cast<std::size_t>(a_map ? i * kMaps + r : i)]);
  }
  double u_at(std::int64_t o, std::int64_t r) const {
    return static_cast<double>(u[static_cast<std::size_t>(o * kMaps + r)]);
  }
  double g_at(std::int64_t o, std::int64_t i, std::int64_t r) const {
    return static_cast<double>(g[static_cast<std::size_t>((o * p + i) * kMaps + r)]);
  }
  // Output c = (i, r): mean and biased variance of alpha u.
  std::pair<double, double> moments(std::int64_t i, std::int64_t r) const {
    double mean = 0, var = 0;
    for (std::int64_t o = 0; o < kRows; ++o) mean += alpha_at(i, r) * u_at(o, r) / kRows;
    for (std::int64_t o = 0; o < kRows; ++o) {
      var += std::pow(alpha_at(i, r) * u_at(o, r) - mean, 2) / kRows;
    }
    return {mean, var};
  }
  // dL / d(alpha u) of one value by the textbook's batch norm.
  double input_gradient(std::int64_t o, std::int64_t i, std::int64_t r) const {
    const auto [mean, var] = moments(i, r);
    const double scale = 1 / std::sqrt(var + kEps);
    double sum_g = 0, sum_gx = 0;
    for (std::int64_t k = 0; k < kRows; ++k) {
      sum_g += g_at(k, i, r);
      sum_gx += g_at(k, i, r) * (alpha_at(i, r) * u_at(k, r) - mean) * scale;
    }
    const double x = (alpha_at(i, r) * u_at(o, r) - mean) * scale;
    const auto at = static_cast<std::size_t>(i * kMaps + r);
    return static_cast<double>(gamma[at]) * scale *
           (g_at(o, i, r) - sum_g / kRows - x * sum_gx / kRows);
  }

  std::int64_t p;
  std::vector<float> u, g, alpha, gamma, beta;
  bool a_map;
};

std::vector<float> zeros(std::int64_t count) {
  return std::vector<float>(static_cast<std::size_t>(count));
}

}  // namespace

TEST_CASE("the norm's kernels have the factors, statistics and gradients of a norm of all copies") {
  const std::int64_t p = GENERATE(1, 2, 4);
  const bool alpha_per_map = GENERATE(false, true);
  const Reference wanted(p, alpha_per_map);
  std::vector<double> sum(kMaps), square(kMaps);
  for (std::int64_t o = 0; o < kRows; ++o) {
    for (std::int64_t r = 0; r < kMaps; ++r) {
      const double d = wanted.u_at(o, r) - wanted.u_at(0, r);
      sum[static_cast<std::size_t>(r)] += d;
      square[static_cast<std::size_t>(r)] += d * d;
    }
  }
  const gpu::MapShape shape{kRows, p, kMaps};
  std::vector<float> mean = zeros(kMaps), var = zeros(kMaps), inverse = zeros(p * kMaps),
                     a = zeros(p * kMaps), b = zeros(p * kMaps), running_mean = zeros(p * kMaps),
                     running_var(static_cast<std::size_t>(p * kMaps), 1);
  const gpu::NormFactors factors{shape,
                                 wanted.u.data(),
                                 sum.data(),
                                 square.data(),
                                 wanted.alpha.data(),
                                 alpha_per_map,
                                 wanted.gamma.data(),
                                 wanted.beta.data(),
                                 static_cast<float>(kEps),
                                 mean.data(),
                                 var.data(),
                                 inverse.data(),
                                 a.data(),
                                 b.data()};
  const gpu::RunningUpdate update{shape,      wanted.alpha.data(), alpha_per_map,      mean.data(),
                                  var.data(), running_mean.data(), running_var.data(), 0.1F};
  for (std::int64_t r = 0; r < kMaps; ++r) {
    gpu::norm_factors_of<float>(factors, r);
    gpu::update_running_of(update, r);
  }
  std::vector<double> sum_g(static_cast<std::size_t>(p * kMaps)), sum_gu = sum_g;
  for (std::int64_t i = 0; i < p; ++i) {
    for (std::int64_t r = 0; r < kMaps; ++r) {
      const auto at = static_cast<std::size_t>(i * kMaps + r);
      const auto [m, v] = wanted.moments(i, r);
      const double scale = static_cast<double>(wanted.gamma[at]) / std::sqrt(v + kEps);
      for (std::int64_t o = 0; o < kRows; ++o) {
        const double y = scale * (wanted.alpha_at(i, r) * wanted.u_at(o, r) - m) +
                         static_cast<double>(wanted.beta[at]);
        CHECK(static_cast<double>(a[at]) * wanted.u_at(o, r) + static_cast<double>(b[at]) ==
              Approx(y).margin(2e-5));
        const double centred =
            wanted.u_at(o, r) - static_cast<double>(mean[static_cast<std::size_t>(r)]);
        sum_g[at] += wanted.g_at(o, i, r);
        sum_gu[at] += wanted.g_at(o, i, r) * centred;
      }
      CHECK(static_cast<double>(running_mean[at]) == Approx(0.1 * m).margin(1e-6));
      CHECK(static_cast<double>(running_var[at]) ==
            Approx(0.9 + 0.1 * v * kRows / (kRows - 1)).margin(1e-5));
    }
  }

  std::vector<float> dgamma = zeros(p * kMaps), dbeta = dgamma, dalpha = dgamma, c0 = zeros(kMaps),
                     c1 = c0;
  const gpu::NormGradients gradients{
      shape,         sum_g.data(),        sum_gu.data(),  wanted.alpha.data(),
      alpha_per_map, wanted.gamma.data(), inverse.data(), static_cast<float>(kEps),
      dgamma.data(), dbeta.data(),        dalpha.data(),  c0.data(),
      c1.data()};
  for (std::int64_t r = 0; r < kMaps; ++r) gpu::norm_gradients_of(gradients, r);
  for (std::int64_t r = 0; r < kMaps; ++r) {
    const auto map = static_cast<std::size_t>(r);
    for (std::int64_t o = 0; o < kRows; ++o) {
      double du = 0;
      double ours =
          static_cast<double>(c0[map]) +
          static_cast<double>(c1[map]) * (wanted.u_at(o, r) - static_cast<double>(mean[map]));
      for (std::int64_t i = 0; i < p; ++i) {
        const auto at = static_cast<std::size_t>(i * kMaps + r);
        du += wanted.alpha_at(i, r) * wanted.input_gradient(o, i, r);
        ours += static_cast<double>(a[at]) * wanted.g_at(o, i, r);
      }
      CHECK(ours == Approx(du).margin(1e-4));
    }
    for (std::int64_t i = 0; i < p; ++i) {
      const auto at = static_cast<std::size_t>(i * kMaps + r);
      const auto [m, v] = wanted.moments(i, r);
      double beta_gradient = 0, gamma_gradient = 0, alpha_gradient = 0;
      for (std::int64_t o = 0; o < kRows; ++o) {
        beta_gradient += wanted.g_at(o, i, r);
        gamma_gradient += wanted.g_at(o, i, r) * (wanted.alpha_at(i, r) * wanted.u_at(o, r) - m) /
                          std::sqrt(v + kEps);
        alpha_gradient += wanted.input_gradient(o, i, r) * wanted.u_at(o, r);
      }
      CHECK(static_cast<double>(dbeta[at]) == Approx(beta_gradient).margin(1e-4));
      CHECK(static_cast<double>(dgamma[at]) == Approx(gamma_gradient).margin(1e-4));
      CHECK(static_cast<double>(dalpha[at]) == Approx(alpha_gradient).margin(1e-4));
    }
  }
}
