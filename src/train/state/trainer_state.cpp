// A training state and its checkpoints.
#include "train/state/trainer_state.h"

#include <fmt/format.h>
#include <torch/torch.h>

#include "tbn/error.h"
#include "train/executor/tensor_io.h"
#include "train/optim/optimizer_groups.h"
#include "train/state/init.h"

namespace tbn {
namespace {

std::vector<ParameterGroup> parameter_groups(const OptimConfig& optim, const GraphModule& model) {
  const std::vector<ParameterInfo> infos = trained_parameters(model.graph());
  std::vector<at::Tensor> tensors;
  for (const auto& named : model.tensors()) {
    if (is_buffer(named.role)) continue;
    TBN_CHECK(tensors.size() < infos.size() && infos[tensors.size()].name == named.name,
              "the network's tensors are not those of its graph");
    tensors.push_back(named.tensor);
  }
  std::vector<ParameterGroup> groups;
  for (const ResolvedGroup& resolved : resolve_groups(optim, infos)) {
    ParameterGroup group{resolved.fields, {}, {}};
    for (const std::size_t member : resolved.members) {
      group.names.push_back(infos[member].name);
      group.parameters.push_back(tensors[member]);
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

std::unique_ptr<Ema> make_ema(double decay, const GraphModule& model) {
  if (decay == 0) return nullptr;
  std::vector<std::string> names;
  std::vector<at::Tensor> tensors;
  for (const auto& named : model.tensors()) {
    names.push_back(named.name);
    tensors.push_back(named.tensor);
  }
  return std::make_unique<Ema>(std::move(names), std::move(tensors), decay);
}

// Copies the tensor of that name into `target`; the shapes must agree.
void restore_tensor(const TensorMap& from, const std::string& name, const at::Tensor& target,
                    const std::string& where) {
  const auto found = from.find(name);
  if (found == from.end()) {
    throw DataError(
        fmt::format("{}: tensor '{}' is missing; the checkpoint is of another "
                    "configuration",
                    where, name));
  }
  const at::Tensor source = to_torch(found->second);
  if (source.sizes() != target.sizes()) {
    throw DataError(fmt::format("{}: tensor '{}' has shape {}, and the configuration asks for {}",
                                where, name, to_string(found->second.shape()),
                                to_string(Shape(target.sizes().vec()))));
  }
  const torch::NoGradGuard no_grad;
  target.copy_(source);
}

HostTensor generator_state(c10::Device device) {
  return to_host(at::globalContext().defaultGenerator(device).get_state());
}

void set_generator_state(c10::Device device, const HostTensor& state, const std::string& where) {
  at::Generator generator = at::globalContext().defaultGenerator(device);
  try {
    generator.set_state(to_torch(state));
  } catch (const c10::Error&) {
    throw DataError(fmt::format("{}: 'rng/{}' is no state of LibTorch's generator", where,
                                device.is_cuda() ? "cuda" : "cpu"));
  }
}

}  // namespace

TrainState::TrainState(const Config& config, const Graph& graph, c10::Device device, bool resumes,
                       const std::vector<std::string>& classes)
    : device_(device), model_(std::make_shared<GraphModule>(graph)) {
  initialize(*model_, config.init, static_cast<std::uint64_t>(config.train.seed));
  if (!config.init.from.empty() && !resumes) {
    warm_started_ = warm_start(*model_, config.init.from, config.init.share, classes);
  }
  model_->set_channels_last(config.train.channels_last);
  model_->to(device);
  if (device.is_cuda() && config.train.channels_last) model_->lay_out_weights();
  optimizer_ = std::make_unique<Optimizer>(parameter_groups(config.optim, *model_),
                                           choose_update_form(config.train, device));
  ema_ = make_ema(config.train.ema, *model_);
  start_epoch(0);
}

void TrainState::start_epoch(std::int64_t epoch) {
  progress_.epoch = epoch;
  progress_.step_in_epoch = 0;
  progress_.loss_sum = 0;
  progress_.correct = 0;
  progress_.labels = 0;
  progress_.samples = 0;
  loss_sum_ = torch::zeros({}, at::TensorOptions(device_).dtype(at::kDouble));
  correct_ = torch::zeros({}, at::TensorOptions(device_).dtype(at::kLong));
}

void TrainState::count_step(const at::Tensor& loss, const at::Tensor& correct, std::int64_t samples,
                            std::int64_t labels) {
  const torch::NoGradGuard no_grad;
  loss_sum_.add_(loss.detach().to(at::kDouble), static_cast<double>(samples));
  if (correct.defined()) correct_.add_(correct);
  progress_.samples += samples;
  progress_.labels += labels;
  ++progress_.step_in_epoch;
  ++progress_.global_step;
}

void TrainState::fetch_sums() {
  progress_.loss_sum = loss_sum_.item<double>();
  progress_.correct = correct_.item<std::int64_t>();
}

std::string TrainState::not_finite() const {
  std::vector<at::Tensor> tensors;
  for (const auto& named : model_->tensors()) tensors.push_back(named.tensor);
  if (ema_) tensors.insert(tensors.end(), ema_->averages().begin(), ema_->averages().end());
  if (!all_finite(tensors)) return "a weight";
  tensors.clear();
  for (const NamedState& state : optimizer_->state()) tensors.push_back(state.tensor);
  return all_finite(tensors) ? "" : "the optimiser's state";
}

Checkpoint TrainState::capture(const std::string& config_yaml) {
  fetch_sums();
  Checkpoint checkpoint;
  checkpoint.graph = model_->graph();
  checkpoint.config_yaml = config_yaml;
  checkpoint.progress = progress_;
  checkpoint.metrics = metrics_;
  checkpoint.model = state_of(*model_);
  if (ema_) {
    for (std::size_t i = 0; i < ema_->names().size(); ++i) {
      checkpoint.ema.emplace(ema_->names()[i], to_host(ema_->averages()[i]));
    }
  }
  for (const NamedState& state : optimizer_->state()) {
    checkpoint.optimizer.emplace(state.name, to_host(state.tensor));
  }
  checkpoint.rng.emplace("cpu", generator_state(c10::kCPU));
  if (device_.is_cuda()) checkpoint.rng.emplace("cuda", generator_state(device_));
  return checkpoint;
}

void TrainState::restore(const Checkpoint& checkpoint, const std::string& where) {
  if (checkpoint.graph != model_->graph()) {
    throw DataError(
        fmt::format("{}: the checkpoint is of another network than the configuration "
                    "and the data make; use the run's own config.yaml",
                    where));
  }
  load_state(*model_, checkpoint.model, where);
  for (const NamedState& state : optimizer_->state()) {
    restore_tensor(checkpoint.optimizer, state.name, state.tensor, where);
  }
  if (ema_) {
    for (std::size_t i = 0; i < ema_->names().size(); ++i) {
      restore_tensor(checkpoint.ema, ema_->names()[i], ema_->averages()[i], where);
    }
    ema_->set_updates(checkpoint.progress.global_step);
  }
  progress_ = checkpoint.progress;
  metrics_ = checkpoint.metrics;
  optimizer_->set_steps(progress_.global_step);
  loss_sum_.fill_(progress_.loss_sum);
  correct_.fill_(progress_.correct);
  const auto cpu = checkpoint.rng.find("cpu");
  if (cpu != checkpoint.rng.end()) set_generator_state(c10::kCPU, cpu->second, where);
  const auto cuda = checkpoint.rng.find("cuda");
  if (device_.is_cuda() && cuda != checkpoint.rng.end()) {
    set_generator_state(device_, cuda->second, where);
  }
}

}  // namespace tbn
