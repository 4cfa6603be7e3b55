// The formulas of optimizer.h with at::_foreach_* and at::_fused_*.
#include "train/optim/optimizer_rules.h"

#include <cmath>

#include <torch/torch.h>

namespace tbn {
namespace {

std::vector<at::Tensor> decayed(const OptimFields& fields, const ActiveTensors& active) {
  if (fields.weight_decay == 0) return active.gradients;
  return at::_foreach_add(active.gradients, active.parameters, fields.weight_decay);
}

// Adam's running means of g and g^2.
void move_means(const OptimFields& fields, const ActiveTensors& active,
                const std::vector<at::Tensor>& gradients) {
  const double beta1 = fields.betas[0];
  const double beta2 = fields.betas[1];
  at::_foreach_mul_(active.first, beta1);
  at::_foreach_add_(active.first, gradients, 1 - beta1);
  at::_foreach_mul_(active.second, beta2);
  if (!keeps_rows(fields)) {
    at::_foreach_addcmul_(active.second, gradients, gradients, 1 - beta2);
    return;
  }
  std::vector<at::Tensor> squares;
  squares.reserve(gradients.size());
  for (const at::Tensor& g : gradients) squares.push_back(row_squares(g));
  at::_foreach_add_(active.second, squares, 1 - beta2);
}

// d of Adadelta, with both running means moved.
std::vector<at::Tensor> adadelta_deltas(const OptimFields& fields, const ActiveTensors& active) {
  const std::vector<at::Tensor> gradients = decayed(fields, active);
  at::_foreach_mul_(active.second, fields.rho);
  at::_foreach_addcmul_(active.second, gradients, gradients, 1 - fields.rho);
  std::vector<at::Tensor> deltas = at::_foreach_add(active.first, fields.eps);
  std::vector<at::Tensor> denominators = at::_foreach_add(active.second, fields.eps);
  at::_foreach_div_(deltas, denominators);
  at::_foreach_sqrt_(deltas);
  at::_foreach_mul_(deltas, gradients);
  at::_foreach_mul_(active.first, fields.rho);
  at::_foreach_addcmul_(active.first, deltas, deltas, 1 - fields.rho);
  return deltas;
}

// w -= lr d, where lr is on the device.
void subtract(const ActiveTensors& active, const std::vector<at::Tensor>& d, const at::Tensor& lr) {
  at::_foreach_mul_(d, lr.neg());
  at::_foreach_add_(active.parameters, d);
}

// Turns the signs that Bop's means of the gradients speak against.
void flip(const OptimFields& fields, const ActiveTensors& active) {
  for (std::size_t i = 0; i < active.parameters.size(); ++i) {
    const at::Tensor& m = active.first[i];
    at::Tensor w = active.parameters[i];
    const at::Tensor flips = at::where(w.gt(0), m.ge(fields.threshold), m.le(-fields.threshold));
    w.copy_(at::where(flips, at::where(w.eq(0), at::ones_like(w), w.neg()), w));
  }
}

// foreach_adam with one mean square per row, where lr and step are on the device.
void row_adam(const OptimFields& fields, const ActiveTensors& active, const at::Tensor& lr,
              const at::Tensor& step, bool decoupled) {
  if (decoupled && fields.weight_decay != 0) {
    at::_foreach_mul_(active.parameters, 1 - lr * fields.weight_decay);
  }
  move_means(fields, active, decoupled ? active.gradients : decayed(fields, active));
  // 1 - 0.999^t has few digits left in float32.
  const at::Tensor t = step.to(at::kDouble);
  const at::Tensor unbias1 = (1 - at::pow(fields.betas[0], t)).to(lr.scalar_type());
  const at::Tensor unbias2 = (1 - at::pow(fields.betas[1], t)).sqrt().to(lr.scalar_type());
  std::vector<at::Tensor> denominators = at::_foreach_sqrt(active.second);
  at::_foreach_div_(denominators, unbias2);
  at::_foreach_add_(denominators, fields.eps);
  subtract(active, at::_foreach_div(active.first, denominators), lr / unbias1);
}

}  // namespace

bool keeps_rows(const OptimFields& fields) {
  return fields.second_moment == SecondMoment::kRow && fields.type != OptimizerType::kAdadelta;
}

at::Tensor row_squares(const at::Tensor& t) {
  if (t.dim() < 2) return t.square();
  std::vector<std::int64_t> within;
  for (std::int64_t d = 1; d < t.dim(); ++d) within.push_back(d);
  return at::mean(t.square(), within, true);
}

void foreach_sgd(const OptimFields& fields, const ActiveTensors& active, double lr) {
  std::vector<at::Tensor> gradients = decayed(fields, active);
  if (!active.first.empty()) {
    at::_foreach_mul_(active.first, fields.momentum);
    at::_foreach_add_(active.first, gradients);
    gradients =
        fields.nesterov ? at::_foreach_add(gradients, active.first, fields.momentum) : active.first;
  }
  at::_foreach_add_(active.parameters, gradients, -lr);
}

void foreach_adam(const OptimFields& fields, const ActiveTensors& active, double lr,
                  std::int64_t step, bool decoupled) {
  if (decoupled && fields.weight_decay != 0) {
    at::_foreach_mul_(active.parameters, 1 - lr * fields.weight_decay);
  }
  const std::vector<at::Tensor> gradients = decoupled ? active.gradients : decayed(fields, active);
  move_means(fields, active, gradients);
  // Both running means start at zero; dividing by 1 - beta^t makes them unbiased.
  const auto t = static_cast<double>(step);
  const double unbias1 = 1 - std::pow(fields.betas[0], t);
  const double unbias2 = std::sqrt(1 - std::pow(fields.betas[1], t));
  std::vector<at::Tensor> denominators = at::_foreach_sqrt(active.second);
  at::_foreach_div_(denominators, unbias2);
  at::_foreach_add_(denominators, fields.eps);
  at::_foreach_addcdiv_(active.parameters, active.first, denominators, -lr / unbias1);
}

void foreach_adadelta(const OptimFields& fields, const ActiveTensors& active, double lr) {
  at::_foreach_add_(active.parameters, adadelta_deltas(fields, active), -lr);
}

void foreach_bop(const OptimFields& fields, const ActiveTensors& active, double lr) {
  at::_foreach_mul_(active.first, 1 - lr);
  at::_foreach_add_(active.first, active.gradients, lr);
  flip(fields, active);
}

// CUDA's fused kernels read float32; on the CPU nothing is lost.
at::ScalarType rate_dtype(c10::Device device) {
  return device.is_cuda() ? at::kFloat : at::kDouble;
}

void fused_sgd(const OptimFields& fields, const ActiveTensors& active, const at::Tensor& lr) {
  // Momentum starts at zero, so that the first step needs no rule of its own.
  at::_fused_sgd_(active.parameters, active.gradients, active.first, fields.weight_decay,
                  fields.momentum, lr, /*dampening=*/0, fields.nesterov, /*maximize=*/false,
                  /*is_first_step=*/false);
}

void fused_adam(const OptimFields& fields, const ActiveTensors& active, const at::Tensor& lr,
                const at::Tensor& step, bool decoupled) {
  if (keeps_rows(fields)) return row_adam(fields, active, lr, step, decoupled);
  const std::vector<at::Tensor> steps(active.parameters.size(), step);
  const auto update = [&](auto rule) {
    rule(active.parameters, active.gradients, active.first, active.second, at::TensorList(), steps,
         lr, fields.betas[0], fields.betas[1], fields.weight_decay, fields.eps,
         /*amsgrad=*/false, /*maximize=*/false);
  };
  if (decoupled) {
    update([](auto&&... arguments) { at::_fused_adamw_(arguments...); });
  } else {
    update([](auto&&... arguments) { at::_fused_adam_(arguments...); });
  }
}

void fused_adadelta(const OptimFields& fields, const ActiveTensors& active, const at::Tensor& lr) {
  subtract(active, adadelta_deltas(fields, active), lr);
}

void fused_bop(const OptimFields& fields, const ActiveTensors& active, const at::Tensor& lr) {
  at::_foreach_mul_(active.first, 1 - lr);
  at::_foreach_add_(active.first, at::_foreach_mul(active.gradients, lr));
  flip(fields, active);
}

}  // namespace tbn
