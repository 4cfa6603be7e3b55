// The tiled layers' loops on a CPU: plain pointers, no LibTorch, one chunk of rows per call, so
// that the caller splits the rows over its own threads and adds the chunks' sums in a fixed order.
//
// Rows are [rows, maps] (u) and [rows, copies, maps] (y): maps are the R unique outputs of a tiled
// layer, copies the p scaled ones. In channels-last memory a row is a pixel.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/bfloat16.h"

namespace tbn::cpu {

// Of scalars and sums beside maps of T: maps of Bfloat16 are read to float, and each result is
// rounded once.
template <class T>
using SumOf = std::conditional_t<std::is_same_v<T, double>, double, float>;

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
  const SumOf<T>* a;
  const SumOf<T>* b;
  const T* residual;
  T* y;
  bool relu;
};
void fan_out_rows(const FanOutForward<float>& work, std::int64_t begin, std::int64_t end);
void fan_out_rows(const FanOutForward<double>& work, std::int64_t begin, std::int64_t end);
void fan_out_rows(const FanOutForward<Bfloat16>& work, std::int64_t begin, std::int64_t end);

// Where ReLU let the gradient pass: everywhere (there was none), where the result y was positive,
// or where a[i, r] * u[o, r] + b[i, r] is, which without a residual is the same and spares reading
// y.
enum class Mask { kNone, kResult, kRecomputed };

// With g = dy where the mask lets it pass, else 0:
//   du[o, r] = sum_i a[i, r] * g[o, i, r]        g_out[o, i, r] = g (where not null)
//   sum_g[i, r] = sum_o g                        sum_gu[i, r] = sum_o g * (u[o, r] - centre[r])
// The sums are over the rows of this call and are written, not added to. `y` is read under
// Mask::kResult and `b` under Mask::kRecomputed, which goes without g_out. g_out may be dy.
template <class T>
struct FanOutBackward {
  FanOutShape shape;
  Mask mask;
  const T* dy;
  const T* y;
  const T* u;
  const SumOf<T>* a;
  const SumOf<T>* b;
  const SumOf<T>* centre;
  T* du;
  T* g_out;
};
void fan_in_rows(const FanOutBackward<float>& work, std::int64_t begin, std::int64_t end,
                 float* sum_g, float* sum_gu);
void fan_in_rows(const FanOutBackward<double>& work, std::int64_t begin, std::int64_t end,
                 double* sum_g, double* sum_gu);
void fan_in_rows(const FanOutBackward<Bfloat16>& work, std::int64_t begin, std::int64_t end,
                 float* sum_g, float* sum_gu);

// mean[r] of the rows of this call and m2[r] = sum_o (u[o, r] - mean[r])^2.
void moment_rows(const float* u, std::int64_t maps, std::int64_t begin, std::int64_t end,
                 float* mean, float* m2);
void moment_rows(const double* u, std::int64_t maps, std::int64_t begin, std::int64_t end,
                 double* mean, double* m2);
void moment_rows(const Bfloat16* u, std::int64_t maps, std::int64_t begin, std::int64_t end,
                 float* mean, float* m2);

// t = +1 where s > 0, else -1.
void sign_values(const float* s, float* t, std::int64_t count);
void sign_values(const double* s, double* t, std::int64_t count);
void sign_values(const float* s, Bfloat16* t, std::int64_t count);

// du[o, r] += c0[r] + c1[r] * (u[o, r] - centre[r])
void add_affine_rows(float* du, const float* u, const float* centre, const float* c0,
                     const float* c1, std::int64_t maps, std::int64_t begin, std::int64_t end);
void add_affine_rows(double* du, const double* u, const double* centre, const double* c0,
                     const double* c1, std::int64_t maps, std::int64_t begin, std::int64_t end);
void add_affine_rows(Bfloat16* du, const Bfloat16* u, const float* centre, const float* c0,
                     const float* c1, std::int64_t maps, std::int64_t begin, std::int64_t end);

}  // namespace tbn::cpu
