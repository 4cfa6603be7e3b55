// Tensors to the kernels' pointers and back. Without CUDA nothing comes here.
#include "train/tiled/tiled_function_gpu.h"

#include "tbn/error.h"

#ifdef TBN_WITH_CUDA
#include "train/tiled/tiled_function_gpu_tensors.h"
#endif

namespace tbn {

using torch::Tensor;

#ifdef TBN_WITH_CUDA
namespace {

// What fan_in() gives, its sums as float64 [2, p, R].
struct FanInSums {
  Tensor du, g, sums;
};

FanInSums fan_in_sums(const Tensor& dy, const ReluMask& mask, const Tensor& u, const Tensor& a,
                      const Tensor& centre, bool keep_g) {
  const gpu::MapShape shape = shape_of(u, a.size(0));
  const Scalars factors(a), biases(mask.b), centres(centre);
  const Tensor grad = aligned(dy), result = aligned(mask.y);
  Tensor parts = parts_of(u, shape);
  FanInSums in{at::empty_like(u), keep_g ? at::empty_like(grad) : Tensor(), {}};
  const gpu::FanIn work{.shape = shape,
                        .dy = pointer(grad),
                        .y = pointer(result),
                        .u = pointer(u),
                        .a = factors.data(),
                        .b = biases.data(),
                        .centre = centres.data(),
                        .du = in.du.mutable_data_ptr(),
                        .g_out = keep_g ? in.g.mutable_data_ptr() : nullptr,
                        .sum_g = half(parts, 0),
                        .sum_gu = half(parts, 1)};
  on_device_of(u, [&](void* stream) { gpu::fan_in(element_of(u), work, stream); });
  in.sums = added(parts);
  return in;
}

// Sums of u and u^2 from the first row, float64 [2, 1, R].
Tensor moment_sums(const Tensor& u) {
  const gpu::MapShape shape = shape_of(u, 1);
  Tensor parts = parts_of(u, shape);
  const gpu::Moments work{shape, pointer(u), half(parts, 0), half(parts, 1)};
  on_device_of(u, [&](void* stream) { gpu::moments(element_of(u), work, stream); });
  return added(parts);
}

const double* sum_of(const Tensor& sums, std::int64_t which) {
  return sums.const_data_ptr<double>() + which * sums.stride(0);
}

Tensor scalars_like(const Tensor& t, at::IntArrayRef sizes) {
  return at::empty(sizes, t.options().dtype(torch::kFloat32));
}

}  // namespace

bool use_kernels(const Tensor& u, MapLayout layout, std::int64_t copies) {
  const bool known = u.scalar_type() == torch::kFloat32 || u.scalar_type() == torch::kBFloat16;
  return u.is_cuda() && known && layout == MapLayout::kRows && u.numel() > 0 &&
         gpu::has_kernels(copies, shape_of(u, copies).maps) && is_aligned(u);
}

void fan_out_kernels(const Tensor& u, const Tensor& a, const Tensor& b, const Tensor& residual,
                     bool relu, Tensor& y) {
  const Scalars factors(a), biases(b);
  const Tensor addend = aligned(residual);
  const gpu::FanOut work{
      shape_of(u, a.size(0)), pointer(u), factors.data(), biases.data(), pointer(addend),
      y.mutable_data_ptr(),   relu};
  on_device_of(u, [&](void* stream) { gpu::fan_out(element_of(u), work, stream); });
}

FanIn fan_in_kernels(const Tensor& dy, const ReluMask& mask, const Tensor& u, const Tensor& a,
                     const Tensor& centre, bool keep_g) {
  const FanInSums in = fan_in_sums(dy, mask, u, a, centre, keep_g);
  return {in.du, in.sums[0].to(torch::kFloat32), in.sums[1].to(torch::kFloat32), in.g};
}

Moments moment_kernels(const Tensor& u) {
  const gpu::MapShape shape = shape_of(u, 1);
  const Tensor means = moment_sums(u).view({2, shape.maps}) / static_cast<double>(shape.rows);
  const Tensor first = (u.dim() == 4 ? u.permute({0, 2, 3, 1}) : u).reshape({-1, shape.maps})[0];
  const Tensor var = (means[1] - means[0].square()).clamp_min_(0);
  return {(first + means[0]).to(torch::kFloat32), var.to(torch::kFloat32)};
}

void add_affine_kernels(Tensor& du, const Tensor& u, const Tensor& centre, const Tensor& c0,
                        const Tensor& c1) {
  const Scalars centres(centre), constants(c0), slopes(c1);
  const gpu::AddAffine work{shape_of(u, 1), du.mutable_data_ptr(), pointer(u),
                            centres.data(), constants.data(),      slopes.data()};
  on_device_of(u, [&](void* stream) { gpu::add_affine(element_of(u), work, stream); });
}

NormFactors norm_factor_kernels(const Tensor& u, const NormScalars& norm) {
  const gpu::MapShape shape = shape_of(u, norm.alpha.size(0));
  const Tensor sums = moment_sums(u);
  const Scalars alpha(norm.alpha), gamma(norm.gamma), beta(norm.beta);
  NormFactors made{{scalars_like(u, {shape.maps}), scalars_like(u, {shape.maps})},
                   scalars_like(u, {shape.copies, shape.maps}),
                   scalars_like(u, {shape.copies, shape.maps}),
                   scalars_like(u, {shape.copies, shape.maps})};
  const gpu::NormFactors work{.shape = shape,
                              .first = pointer(u),
                              .sum = sum_of(sums, 0),
                              .square = sum_of(sums, 1),
                              .alpha = alpha.data(),
                              .alpha_per_map = norm.alpha.size(1) == shape.maps,
                              .gamma = gamma.data(),
                              .beta = beta.data(),
                              .eps = static_cast<float>(norm.eps),
                              .mean = made.moments.mean.mutable_data_ptr<float>(),
                              .var = made.moments.var.mutable_data_ptr<float>(),
                              .inverse = made.inverse.mutable_data_ptr<float>(),
                              .a = made.a.mutable_data_ptr<float>(),
                              .b = made.b.mutable_data_ptr<float>()};
  on_device_of(u, [&](void* stream) { gpu::norm_factors(element_of(u), work, stream); });
  return made;
}

NormGradients norm_gradient_kernels(const Tensor& dy, const ReluMask& mask, const Tensor& u,
                                    const NormScalars& norm, const NormFactors& factors,
                                    bool keep_g) {
  const gpu::MapShape shape = shape_of(u, norm.alpha.size(0));
  FanInSums in = fan_in_sums(dy, mask, u, factors.a, factors.moments.mean, keep_g);
  const Scalars alpha(norm.alpha), gamma(norm.gamma), inverse(factors.inverse);
  Tensor dgamma = scalars_like(u, {shape.copies * shape.maps}), dbeta = at::empty_like(dgamma);
  Tensor dalpha = scalars_like(u, {shape.copies, shape.maps});
  Tensor c0 = scalars_like(u, {shape.maps}), c1 = at::empty_like(c0);
  const bool alpha_per_map = norm.alpha.size(1) == shape.maps;
  const gpu::NormGradients work{.shape = shape,
                                .sum_g = sum_of(in.sums, 0),
                                .sum_gu = sum_of(in.sums, 1),
                                .alpha = alpha.data(),
                                .alpha_per_map = alpha_per_map,
                                .gamma = gamma.data(),
                                .inverse = inverse.data(),
                                .eps = static_cast<float>(norm.eps),
                                .dgamma = dgamma.mutable_data_ptr<float>(),
                                .dbeta = dbeta.mutable_data_ptr<float>(),
                                .dalpha = dalpha.mutable_data_ptr<float>(),
                                .c0 = c0.mutable_data_ptr<float>(),
                                .c1 = c1.mutable_data_ptr<float>()};
  on_device_of(u, [&](void* stream) { gpu::norm_gradients(work, stream); });
  add_affine_kernels(in.du, u, factors.moments.mean, c0, c1);
  return {in.du, alpha_per_map ? dalpha : dalpha.sum(1, true), dgamma, dbeta, in.g};
}

void update_running_kernels(const NormScalars& norm, const Moments& moments, std::int64_t rows,
                            double momentum, const Tensor& running_mean,
                            const Tensor& running_var) {
  const std::int64_t maps = moments.mean.size(0);
  const Scalars alpha(norm.alpha), mean(moments.mean), var(moments.var);
  const gpu::RunningUpdate work{{rows, norm.alpha.size(0), maps},
                                alpha.data(),
                                norm.alpha.size(1) == maps,
                                mean.data(),
                                var.data(),
                                running_mean.mutable_data_ptr<float>(),
                                running_var.mutable_data_ptr<float>(),
                                static_cast<float>(momentum)};
  on_device_of(running_mean, [&](void* stream) { gpu::update_running(work, stream); });
}

#else
namespace {

[[noreturn]] void fail_no_cuda() { TBN_CHECK(false, "this build has no CUDA"); }

}  // namespace

bool use_kernels(const Tensor&, MapLayout, std::int64_t) { return false; }

void fan_out_kernels(const Tensor&, const Tensor&, const Tensor&, const Tensor&, bool, Tensor&) {
  fail_no_cuda();
}

FanIn fan_in_kernels(const Tensor&, const ReluMask&, const Tensor&, const Tensor&, const Tensor&,
                     bool) {
  fail_no_cuda();
}

Moments moment_kernels(const Tensor&) { fail_no_cuda(); }

void add_affine_kernels(Tensor&, const Tensor&, const Tensor&, const Tensor&, const Tensor&) {
  fail_no_cuda();
}

NormFactors norm_factor_kernels(const Tensor&, const NormScalars&) { fail_no_cuda(); }

NormGradients norm_gradient_kernels(const Tensor&, const ReluMask&, const Tensor&,
                                    const NormScalars&, const NormFactors&, bool) {
  fail_no_cuda();
}

void update_running_kernels(const NormScalars&, const Moments&, std::int64_t, double, const Tensor&,
                            const Tensor&) {
  fail_no_cuda();
}

#endif

}  // namespace tbn
