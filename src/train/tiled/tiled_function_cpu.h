// The fan-out's loops on a CPU: plain pointers, no LibTorch, one chunk of rows a call, so that the
// caller splits the rows over its own threads and adds the chunks' sums in a fixed order.
//
// Rows are [rows, maps] (u) and [rows, copies, maps] (y): maps are the R unique outputs of a tiled
// layer, copies the p scaled ones. In channels-last memory a row is a pixel.
#pragma once

#include <cstdint>

namespace tbn::cpu {

struct FanOutShape {
  std::int64_t copies = 1;  // p
  std::int64_t maps = 0;    // R
};

// y[o, i, r] = act(a[i, r] * u[o, r] + b[i, r] + residual[o, i, r]); `b` and `residual` may be
// null, act is ReLU or nothing. Not-a-number passes through ReLU, so that a diverged run is seen.
template <class T>
struct FanOutForward {
  FanOutShape shape;
  const T* u;
  const T* a;
  const T* b;
  const T* residual;
  T* y;
  bool relu;
};
void fan_out_rows(const FanOutForward<float>& work, std::int64_t begin, std::int64_t end);
void fan_out_rows(const FanOutForward<double>& work, std::int64_t begin, std::int64_t end);

// With g = dy, or dy where y > 0 (`y` not null: ReLU):
//   du[o, r] = sum_i a[i, r] * g[o, i, r]        g_out[o, i, r] = g (where not null)
//   sum_g[i, r] = sum_o g                        sum_gu[i, r] = sum_o g * (u[o, r] - centre[r])
// The sums are over the rows of this call and are written, not added to. `y` and `g_out` may be
// null.
template <class T>
struct FanOutBackward {
  FanOutShape shape;
  const T* dy;
  const T* y;
  const T* u;
  const T* a;
  const T* centre;
  T* du;
  T* g_out;
};
void fan_in_rows(const FanOutBackward<float>& work, std::int64_t begin, std::int64_t end,
                 float* sum_g, float* sum_gu);
void fan_in_rows(const FanOutBackward<double>& work, std::int64_t begin, std::int64_t end,
                 double* sum_g, double* sum_gu);

// sums[r] = sum_o (u[o, r] - centre[r])^power over the rows of this call, power 1 or 2.
void moment_rows(const float* u, const float* centre, int power, std::int64_t maps,
                 std::int64_t begin, std::int64_t end, float* sums);
void moment_rows(const double* u, const double* centre, int power, std::int64_t maps,
                 std::int64_t begin, std::int64_t end, double* sums);

// du[o, r] += c0[r] + c1[r] * (u[o, r] - centre[r])
void add_affine_rows(float* du, const float* u, const float* centre, const float* c0,
                     const float* c1, std::int64_t maps, std::int64_t begin, std::int64_t end);
void add_affine_rows(double* du, const double* u, const double* centre, const double* c0,
                     const double* c1, std::int64_t maps, std::int64_t begin, std::int64_t end);

}  // namespace tbn::cpu
