// Parameter groups and their state; the rules are in optimizer_rules.cpp.
#include "train/optim/optimizer.h"

#include <torch/torch.h>

#include "tbn/error.h"
#include "train/optim/optimizer_rules.h"

namespace tbn {
namespace {

std::vector<at::Tensor> zeros_like_all(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> zeros;
  zeros.reserve(tensors.size());
  for (const at::Tensor& t : tensors) zeros.push_back(at::zeros_like(t));
  return zeros;
}

std::vector<at::Tensor> zero_squares(const OptimFields& fields,
                                     const std::vector<at::Tensor>& parameters) {
  std::vector<at::Tensor> zeros = zeros_like_all(parameters);
  if (!keeps_rows(fields)) return zeros;
  for (at::Tensor& t : zeros) t = row_squares(t);
  return zeros;
}

ActiveTensors active_of(const std::vector<at::Tensor>& parameters,
                        const std::vector<at::Tensor>& first,
                        const std::vector<at::Tensor>& second) {
  ActiveTensors active;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (!parameters[i].grad().defined()) continue;
    active.parameters.push_back(parameters[i]);
    active.gradients.push_back(parameters[i].grad());
    if (!first.empty()) active.first.push_back(first[i]);
    if (!second.empty()) active.second.push_back(second[i]);
  }
  return active;
}

// What the first state of an optimiser is called in checkpoints.
const char* first_name(OptimizerType type) {
  switch (type) {
    case OptimizerType::kSgd:
      return "/momentum";
    case OptimizerType::kAdam:
    case OptimizerType::kAdamW:
    case OptimizerType::kBop:
      return "/mean";
    case OptimizerType::kAdadelta:
      return "/delta";
  }
  return "";
}

}  // namespace

UpdateForm choose_update_form(const TrainConfig& train, c10::Device device) {
  const bool fused = train.fused_optimizer == Toggle::kOn ||
                     (train.fused_optimizer == Toggle::kAuto && device.is_cuda());
  return fused ? UpdateForm::kFused : UpdateForm::kForeach;
}

Optimizer::Optimizer(std::vector<ParameterGroup> groups, UpdateForm form) : form_(form) {
  for (ParameterGroup& given : groups) {
    TBN_CHECK(given.names.size() == given.parameters.size(), "a name for each parameter");
    Group group;
    group.fields = given.fields;
    group.names = std::move(given.names);
    group.parameters = std::move(given.parameters);
    const OptimizerType type = group.fields.type;
    const bool is_adam = type == OptimizerType::kAdam || type == OptimizerType::kAdamW;
    TBN_CHECK(!is_adam || group.fields.betas.size() == 2, "Adam has two betas");
    if (type != OptimizerType::kSgd || group.fields.momentum != 0) {
      group.first = zeros_like_all(group.parameters);
    }
    if (type != OptimizerType::kSgd && type != OptimizerType::kBop) {
      group.second = zero_squares(group.fields, group.parameters);
    }
    groups_.push_back(std::move(group));
  }
  if (form_ == UpdateForm::kFused) place_scalars();
}

void Optimizer::place_scalars() {
  for (Group& group : groups_) {
    if (group.parameters.empty()) continue;
    const c10::Device device = group.parameters.front().device();
    const auto options = at::TensorOptions(device).dtype(rate_dtype(device));
    group.rate = at::zeros({}, options);
    if (!device_steps_.defined()) device_steps_ = at::zeros({}, options);
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

void Optimizer::step(double lr_factor) {
  begin_step(lr_factor);
  update();
}

void Optimizer::begin_step(double lr_factor) {
  ++steps_;
  lr_factor_ = lr_factor;
  if (form_ == UpdateForm::kForeach) return;
  // A number travels with fill_'s launch: nothing waits for the device.
  if (device_steps_.defined()) device_steps_.fill_(steps_);
  for (Group& group : groups_) {
    if (group.rate.defined()) group.rate.fill_(group.fields.lr * lr_factor);
  }
}

void Optimizer::update() {
  const torch::NoGradGuard no_grad;
  for (Group& group : groups_) {
    form_ == UpdateForm::kFused ? update_fused(group) : update_foreach(group);
  }
}

void Optimizer::update_foreach(Group& group) const {
  const ActiveTensors active = active_of(group.parameters, group.first, group.second);
  if (active.parameters.empty()) return;
  const double lr = group.fields.lr * lr_factor_;
  switch (group.fields.type) {
    case OptimizerType::kSgd:
      return foreach_sgd(group.fields, active, lr);
    case OptimizerType::kAdam:
      return foreach_adam(group.fields, active, lr, steps_, false);
    case OptimizerType::kAdamW:
      return foreach_adam(group.fields, active, lr, steps_, true);
    case OptimizerType::kAdadelta:
      return foreach_adadelta(group.fields, active, lr);
    case OptimizerType::kBop:
      return foreach_bop(group.fields, active, lr);
  }
}

void Optimizer::update_fused(Group& group) const {
  const ActiveTensors active = active_of(group.parameters, group.first, group.second);
  if (active.parameters.empty()) return;
  switch (group.fields.type) {
    case OptimizerType::kSgd:
      return fused_sgd(group.fields, active, group.rate);
    case OptimizerType::kAdam:
      return fused_adam(group.fields, active, group.rate, device_steps_, false);
    case OptimizerType::kAdamW:
      return fused_adam(group.fields, active, group.rate, device_steps_, true);
    case OptimizerType::kAdadelta:
      return fused_adadelta(group.fields, active, group.rate);
    case OptimizerType::kBop:
      return fused_bop(group.fields, active, group.rate);
  }
}

std::vector<NamedState> Optimizer::state() const {
  std::vector<NamedState> all;
  for (const Group& group : groups_) {
    const char* first = first_name(group.fields.type);
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
