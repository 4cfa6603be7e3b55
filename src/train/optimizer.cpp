// The update rules of optimizer.h on lists of tensors.
#include "train/optimizer.h"

#include <cmath>

#include <torch/torch.h>

#include "tbn/error.h"

namespace tbn {
namespace {

std::vector<at::Tensor> zeros_like_all(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> zeros;
  zeros.reserve(tensors.size());
  for (const at::Tensor& t : tensors) zeros.push_back(at::zeros_like(t));
  return zeros;
}

// Mean squares, one a row [n, 1...] of tensors of more dimensions than one.
at::Tensor row_squares(const at::Tensor& t) {
  if (t.dim() < 2) return t.square();
  std::vector<std::int64_t> within;
  for (std::int64_t d = 1; d < t.dim(); ++d) within.push_back(d);
  return at::mean(t.square(), within, true);
}

bool keeps_rows(const OptimFields& fields) {
  return fields.second_moment == "row" && fields.type != "adadelta";
}

std::vector<at::Tensor> zero_squares(const OptimFields& fields,
                                     const std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> zeros = zeros_like_all(parameters);
  if (!keeps_rows(fields)) return zeros;
  for (at::Tensor& t : zeros) t = row_squares(t);
  return zeros;
}

}  // namespace

Optimizer::Optimizer(std::vector<ParameterGroup> groups) {
  for (ParameterGroup& given : groups) {
    TBN_CHECK(given.names.size() == given.parameters.size(), "a name for each parameter");
    Group group;
    group.fields = given.fields;
    group.names = std::move(given.names);
    group.parameters = std::move(given.parameters);
    const std::string& type = group.fields.type;
    if (type == "sgd") {
      group.kind = Kind::kSgd;
    } else if (type == "adam" || type == "adamw") {
      group.kind = type == "adam" ? Kind::kAdam : Kind::kAdamW;
      TBN_CHECK(group.fields.betas.size() == 2, "Adam has two betas");
    } else if (type == "adadelta") {
      group.kind = Kind::kAdadelta;
    } else {
      throw ConfigError("optim.type: '" + type + "' is not one of sgd, adam, adamw, adadelta");
    }
    if (group.kind != Kind::kSgd || group.fields.momentum != 0) {
      group.first = zeros_like_all(group.parameters);
    }
    if (group.kind != Kind::kSgd) group.second = zero_squares(group.fields, group.parameters);
    groups_.push_back(std::move(group));
  }
}

void Optimizer::zero_grad() {
  for (Group& group : groups_) {
    for (at::Tensor& p : group.parameters) p.mutable_grad().reset();
  }
}

std::vector<at::Tensor> Optimizer::gradients() const {
  std::vector<at::Tensor> all;
  for (const Group& group : groups_) {
    for (const at::Tensor& p : group.parameters) {
      if (p.grad().defined()) all.push_back(p.grad());
    }
  }
  return all;
}

Optimizer::Active Optimizer::active_of(const Group& group) {
  Active active;
  for (std::size_t i = 0; i < group.parameters.size(); ++i) {
    if (!group.parameters[i].grad().defined()) continue;
    active.parameters.push_back(group.parameters[i]);
    active.gradients.push_back(group.parameters[i].grad());
    if (!group.first.empty()) active.first.push_back(group.first[i]);
    if (!group.second.empty()) active.second.push_back(group.second[i]);
  }
  return active;
}

void Optimizer::step(double lr_factor) {
  const torch::NoGradGuard no_grad;
  ++steps_;
  for (Group& group : groups_) {
    Active active = active_of(group);
    if (active.parameters.empty()) continue;
    const double lr = group.fields.lr * lr_factor;
    switch (group.kind) {
      case Kind::kSgd:
        step_sgd(group.fields, active, lr);
        break;
      case Kind::kAdam:
        step_adam(group.fields, active, lr, false);
        break;
      case Kind::kAdamW:
        step_adam(group.fields, active, lr, true);
        break;
      case Kind::kAdadelta:
        step_adadelta(group.fields, active, lr);
        break;
    }
  }
}

void Optimizer::step_sgd(const OptimFields& fields, Active& active, double lr) {
  std::vector<at::Tensor> gradients = active.gradients;
  if (fields.weight_decay != 0) {
    gradients = at::_foreach_add(gradients, active.parameters, fields.weight_decay);
  }
  if (!active.first.empty()) {
    at::_foreach_mul_(active.first, fields.momentum);
    at::_foreach_add_(active.first, gradients);
    gradients =
        fields.nesterov ? at::_foreach_add(gradients, active.first, fields.momentum) : active.first;
  }
  at::_foreach_add_(active.parameters, gradients, -lr);
}

void Optimizer::step_adam(const OptimFields& fields, Active& active, double lr,
                          bool decoupled) const {
  std::vector<at::Tensor> gradients = active.gradients;
  if (fields.weight_decay != 0) {
    if (decoupled) {
      at::_foreach_mul_(active.parameters, 1 - lr * fields.weight_decay);
    } else {
      gradients = at::_foreach_add(gradients, active.parameters, fields.weight_decay);
    }
  }
  const double beta1 = fields.betas[0];
  const double beta2 = fields.betas[1];
  at::_foreach_mul_(active.first, beta1);
  at::_foreach_add_(active.first, gradients, 1 - beta1);
  at::_foreach_mul_(active.second, beta2);
  if (keeps_rows(fields)) {
    std::vector<at::Tensor> squares;
    for (const at::Tensor& g : gradients) squares.push_back(row_squares(g));
    at::_foreach_add_(active.second, squares, 1 - beta2);
  } else {
    at::_foreach_addcmul_(active.second, gradients, gradients, 1 - beta2);
  }
  // Both running means start at zero; dividing by 1 - beta^t makes them unbiased.
  const auto t = static_cast<double>(steps_);
  const double unbias1 = 1 - std::pow(beta1, t);
  const double unbias2 = std::sqrt(1 - std::pow(beta2, t));
  std::vector<at::Tensor> denominators = at::_foreach_sqrt(active.second);
  at::_foreach_div_(denominators, unbias2);
  at::_foreach_add_(denominators, fields.eps);
  at::_foreach_addcdiv_(active.parameters, active.first, denominators, -lr / unbias1);
}

void Optimizer::step_adadelta(const OptimFields& fields, Active& active, double lr) {
  std::vector<at::Tensor> gradients = active.gradients;
  if (fields.weight_decay != 0) {
    gradients = at::_foreach_add(gradients, active.parameters, fields.weight_decay);
  }
  at::_foreach_mul_(active.second, fields.rho);
  at::_foreach_addcmul_(active.second, gradients, gradients, 1 - fields.rho);
  std::vector<at::Tensor> deltas = at::_foreach_add(active.first, fields.eps);
  std::vector<at::Tensor> denominators = at::_foreach_add(active.second, fields.eps);
  at::_foreach_div_(deltas, denominators);
  at::_foreach_sqrt_(deltas);
  at::_foreach_mul_(deltas, gradients);
  at::_foreach_mul_(active.first, fields.rho);
  at::_foreach_addcmul_(active.first, deltas, deltas, 1 - fields.rho);
  at::_foreach_add_(active.parameters, deltas, -lr);
}

std::vector<NamedState> Optimizer::state() const {
  std::vector<NamedState> all;
  for (const Group& group : groups_) {
    const char* first = group.kind == Kind::kSgd        ? "/momentum"
                        : group.kind == Kind::kAdadelta ? "/delta"
                                                        : "/mean";
    for (std::size_t i = 0; i < group.parameters.size(); ++i) {
      if (!group.first.empty()) {
        all.push_back({group.names[i] + first, group.first[i]});
      }
      if (!group.second.empty()) all.push_back({group.names[i] + "/square", group.second[i]});
    }
  }
  return all;
}

}  // namespace tbn
