// The fan-out of unique maps to output channels, y[i, r] = act(a[i, r] * u[r] + b[i, r] +
// residual), with its gradient and the maps' statistics, on tensors of any layout and device. No
// autograd here: tiled_function.cpp builds its autograd functions of these.
#pragma once

#include <torch/torch.h>

#include <optional>

namespace tbn {

// Where the channels lie: last in memory (channels-last images, vectors), or each a plane of its
// own.
enum class MapLayout { kRows, kPlanes };
MapLayout map_layout(const torch::Tensor& u);
// `t` dense in that layout; no copy where it already is.
torch::Tensor in_layout(const torch::Tensor& t, MapLayout layout);
// `u` dense in its own layout: a tensor whose map_layout() stays what it is.
inline torch::Tensor dense_maps(const torch::Tensor& u) { return in_layout(u, map_layout(u)); }

// Autograd functions take what may be missing as an optional, not as an undefined tensor.
inline std::optional<torch::Tensor> if_defined(const torch::Tensor& t) {
  return t.defined() ? std::optional(t) : std::nullopt;
}

// The dtype of scalars and sums that go with maps of `dtype`: float64 for float64, else float32.
torch::ScalarType sum_dtype(torch::ScalarType dtype);

// u [B, R, H, W] or [..., R] in `layout`; a, b [p, R] of sum_dtype (b may be undefined); residual
// like y or undefined. Returns y [B, p * R, H, W] or [..., p * R] of u's dtype.
torch::Tensor fan_out(const torch::Tensor& u, MapLayout layout, const torch::Tensor& a,
                      const torch::Tensor& b, const torch::Tensor& residual, bool relu);

struct FanIn {
  torch::Tensor du;      // like u
  torch::Tensor sum_g;   // [p, R]: sum of g, the gradient before the activation
  torch::Tensor sum_gu;  // [p, R]: sum of g * (u - centre)
  torch::Tensor g;       // like y: the residual's gradient; undefined unless asked for
};
// What ReLU's gradient is taken from: nothing where there was none; where there was no residual
// either, the bias b of fan_out where recomputes_mask(), and else its result y.
struct ReluMask {
  torch::Tensor y;
  torch::Tensor b;
};
bool recomputes_mask(const torch::Tensor& u, MapLayout layout, std::int64_t copies);
// The gradient of fan_out; centre [R]. Where g is asked for and nobody else holds dy, it is
// written over dy.
FanIn fan_in(const torch::Tensor& dy, const ReluMask& mask, const torch::Tensor& u,
             MapLayout layout, const torch::Tensor& a, const torch::Tensor& centre, bool keep_g);

// t = +1 where s > 0, else -1, as `dtype`.
torch::Tensor signs(const torch::Tensor& s, torch::ScalarType dtype);

// Mean and biased variance of each map, [R] of sum_dtype.
struct Moments {
  torch::Tensor mean;
  torch::Tensor var;
};
Moments map_moments(const torch::Tensor& u, MapLayout layout);

// du += c0[r] + c1[r] * (u - centre[r]), in place.
void add_affine_(torch::Tensor& du, const torch::Tensor& u, MapLayout layout,
                 const torch::Tensor& centre, const torch::Tensor& c0, const torch::Tensor& c1);

}  // namespace tbn
