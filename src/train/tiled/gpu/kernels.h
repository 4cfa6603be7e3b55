// The tiled layers' passes over memory on a CUDA device, for channels-last maps: plain pointers and
// a stream, no LibTorch. The formulas are those of tiled_function_cpu.h; sums come in parts, one a
// block, which the caller adds, so that they do not depend on the order in which blocks end.
#pragma once

#include <cstdint>

namespace tbn::gpu {

enum class Element { kFloat, kBfloat16 };  // of u, y and their gradients; all else is float

// Rows [rows, maps] (u) and [rows, copies, maps] (y).
struct MapShape {
  std::int64_t rows = 0;
  std::int64_t copies = 1;  // p
  std::int64_t maps = 0;    // R
};

// Where kernels exist: copies 1, 2, 4 or 8, and maps a multiple of what a thread reads at once.
// Pointers must be multiples of kAlignment.
bool has_kernels(std::int64_t copies, std::int64_t maps);
inline constexpr std::uintptr_t kAlignment = 16;

// y = act(a u + b + residual); b and residual may be null.
struct FanOut {
  MapShape shape;
  const void* u = nullptr;
  const float* a = nullptr;
  const float* b = nullptr;
  const void* residual = nullptr;
  void* y = nullptr;
  bool relu = false;
};
void fan_out(Element element, const FanOut& work, void* stream);

// With y the gradient passes where y > 0, else with b where a u + b > 0, else everywhere. g_out may
// be null, or dy. Parts [sum_parts(shape), copies, maps].
struct FanIn {
  MapShape shape;
  const void* dy = nullptr;
  const void* y = nullptr;
  const void* u = nullptr;
  const float* a = nullptr;
  const float* b = nullptr;
  const float* centre = nullptr;
  void* du = nullptr;
  void* g_out = nullptr;
  float* sum_g = nullptr;
  float* sum_gu = nullptr;
};
void fan_in(Element element, const FanIn& work, void* stream);

// sum = sum_o (u - shift), square = sum_o (u - shift)^2 with shift the first row of u, which keeps
// the difference of two sums from losing its digits. Parts [sum_parts(shape), maps]; copies is 1.
struct Moments {
  MapShape shape;
  const void* u = nullptr;
  float* sum = nullptr;
  float* square = nullptr;
};
void moments(Element element, const Moments& work, void* stream);

// du += c0 + c1 (u - centre); copies is 1.
struct AddAffine {
  MapShape shape;
  void* du = nullptr;
  const void* u = nullptr;
  const float* centre = nullptr;
  const float* c0 = nullptr;
  const float* c1 = nullptr;
};
void add_affine(Element element, const AddAffine& work, void* stream);

std::int64_t sum_parts(const MapShape& shape);

// The small computations between the passes of a norm over p scaled copies (tiled_function_norm.cpp
// has the formulas): each of these is one launch instead of a dozen.

// What norm_factors() makes of the sums of moments() over all rows: mean and var [maps], inverse, a
// and b [copies, maps].
struct NormFactors {
  MapShape shape;
  const void* first = nullptr;     // the first row of u
  const double* sum = nullptr;     // [maps]
  const double* square = nullptr;  // [maps]
  const float* alpha = nullptr;    // [copies], or [copies, maps] where alpha_per_map
  bool alpha_per_map = false;
  const float* gamma = nullptr;  // [copies, maps]
  const float* beta = nullptr;   // [copies, maps]
  float eps = 0;
  float* mean = nullptr;
  float* var = nullptr;
  float* inverse = nullptr;
  float* a = nullptr;
  float* b = nullptr;
};
void norm_factors(Element element, const NormFactors& work, void* stream);

// Running statistics [copies, maps] move by `momentum` towards those of the copies.
struct RunningUpdate {
  MapShape shape;
  const float* alpha = nullptr;
  bool alpha_per_map = false;
  const float* mean = nullptr;
  const float* var = nullptr;
  float* running_mean = nullptr;
  float* running_var = nullptr;
  float momentum = 0;
};
void update_running(const RunningUpdate& work, void* stream);

// What norm_gradients() makes of the sums of fan_in(), [copies, maps] each: the gradients of gamma,
// beta and alpha (a map's part of it) [copies, maps], and what add_affine() takes, c0 and c1
// [maps].
struct NormGradients {
  MapShape shape;
  const double* sum_g = nullptr;
  const double* sum_gu = nullptr;
  const float* alpha = nullptr;
  bool alpha_per_map = false;
  const float* gamma = nullptr;
  const float* inverse = nullptr;
  float eps = 0;
  float* dgamma = nullptr;
  float* dbeta = nullptr;
  float* dalpha = nullptr;
  float* c0 = nullptr;
  float* c1 = nullptr;
};
void norm_gradients(const NormGradients& work, void* stream);

}  // namespace tbn::gpu
