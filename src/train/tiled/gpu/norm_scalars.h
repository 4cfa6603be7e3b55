// What one thread of the norm's small kernels does, for the copies of one map. Functions of plain
// C++, so that the tests run them on the host.
#pragma once

#include "train/tiled/gpu/columns.h"

namespace tbn::gpu {

template <class Work>
TBN_BOTH float alpha_of(const Work& w, std::int64_t copy, std::int64_t map) {
  return w.alpha[w.alpha_per_map ? copy * w.shape.maps + map : copy];
}

template <class T>
TBN_BOTH void norm_factors_of(const NormFactors& w, std::int64_t map) {
  const double rows = static_cast<double>(w.shape.rows);
  const double from_first = w.sum[map] / rows;
  const double spread = w.square[map] / rows - from_first * from_first;
  const double first = static_cast<double>(to_float(static_cast<const T*>(w.first)[map]));
  const float mean = static_cast<float>(first + from_first);
  // Rounding may leave a spread of nothing below 0; not-a-number passes.
  const float var = spread < 0 ? 0.0F : static_cast<float>(spread);
  w.mean[map] = mean;
  w.var[map] = var;
  for (std::int64_t i = 0; i < w.shape.copies; ++i) {
    const std::int64_t at = i * w.shape.maps + map;
    const float alpha = alpha_of(w, i, map);
    const float inverse = 1 / sqrtf(alpha * alpha * var + w.eps);
    const float a = w.gamma[at] * alpha * inverse;
    w.inverse[at] = inverse;
    w.a[at] = a;
    w.b[at] = w.beta[at] - a * mean;
  }
}

TBN_BOTH void update_running_of(const RunningUpdate& w, std::int64_t map) {
  const float rows = static_cast<float>(w.shape.rows);
  const float unbiased = w.var[map] * (rows / (rows - 1));
  for (std::int64_t i = 0; i < w.shape.copies; ++i) {
    const std::int64_t at = i * w.shape.maps + map;
    const float alpha = alpha_of(w, i, map);
    w.running_mean[at] += w.momentum * (alpha * w.mean[map] - w.running_mean[at]);
    w.running_var[at] += w.momentum * (alpha * alpha * unbiased - w.running_var[at]);
  }
}

TBN_BOTH void norm_gradients_of(const NormGradients& w, std::int64_t map) {
  float dmean = 0, dvar = 0;
  for (std::int64_t i = 0; i < w.shape.copies; ++i) {
    const std::int64_t at = i * w.shape.maps + map;
    const float alpha = alpha_of(w, i, map);
    const float inverse = w.inverse[at];
    const float sum_g = static_cast<float>(w.sum_g[at]);
    const float sum_gu = static_cast<float>(w.sum_gu[at]);
    const float common = w.gamma[at] * sum_gu * inverse * inverse * inverse;
    w.dbeta[at] = sum_g;
    w.dgamma[at] = alpha * inverse * sum_gu;
    w.dalpha[at] = common * w.eps;
    dmean += w.gamma[at] * alpha * inverse * sum_g;
    dvar += common * alpha * alpha * alpha;
  }
  const float share = -1 / static_cast<float>(w.shape.rows);
  w.c0[map] = dmean * share;
  w.c1[map] = dvar * share;
}

}  // namespace tbn::gpu
