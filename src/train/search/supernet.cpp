// Steps of the sandwich rule, and the state of their training.
#include "train/search/supernet.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <torch/torch.h>

#include "base/counter_rng.h"
#include "file/json.h"
#include "file/safetensors.h"
#include "tbn/error.h"
#include "train/executor/device.h"
#include "train/executor/tensor_io.h"
#include "train/step/loss.h"

namespace tbn {
namespace {

constexpr std::int64_t kMostSteps = std::int64_t{1} << 48;
// Draws of LibTorch's generator, dropout's, beside those of evolution (search/evolution.cpp).
constexpr std::uint64_t kDropout = std::uint64_t{1} << 60;

void put_back(const TensorMap& tensors, const std::string& name, const at::Tensor& target,
              const std::string& where) {
  const auto found = tensors.find(name);
  if (found == tensors.end() || found->second.shape() != target.sizes().vec() ||
      found->second.dtype() != to_dtype(target.scalar_type())) {
    throw DataError(
        fmt::format("{}: its tensor '{}' is missing or of another shape; it is of "
                    "another search",
                    where, name));
  }
  const torch::NoGradGuard no_grad;
  target.copy_(to_torch(found->second));
}

// The first of them, or the first that is not finite.
double loss_of_step(const at::Tensor& losses) {
  for (std::int64_t i = 0; i < losses.numel(); ++i) {
    const auto loss = losses[i].item<double>();
    if (!std::isfinite(loss)) return loss;
  }
  return losses[0].item<double>();
}

// As said by save(). Throws DataError.
Supernet::Progress progress_of(const std::string& text, const std::string& where) {
  const Json json = parse_json(text, where);
  try {
    return {.epoch = json.at("epoch").as_int(0, kMostSteps),
            .step_in_epoch = json.at("step_in_epoch").as_int(0, kMostSteps),
            .steps = json.at("steps").as_int(0, kMostSteps)};
  } catch (const DataError& error) {
    throw DataError(fmt::format("{}: tbn.supernet: {}", where, error.what()));
  }
}

}  // namespace

at::Tensor imitation_loss(const at::Tensor& outputs, const at::Tensor& taught, Task task) {
  if (task == Task::kForecasting) return tbn::mse_loss(outputs, taught);
  const at::Tensor wanted = at::softmax(taught.to(at::kFloat), -1);
  return -(wanted * at::log_softmax(outputs.to(at::kFloat), -1)).sum(-1).mean();
}

Supernet::Supernet(const Config& config, TrainerSetup& setup, const CostMeter& meter,
                   const Limit& limit, double near)
    : config_(config),
      setup_(setup),
      meter_(meter),
      limit_(limit),
      near_(near),
      weights_(meter.space(), setup.state.model(), config),
      optimizer_(weights_.groups(config.optim), choose_update_form(config.train, setup.device)),
      dearest_(network(meter.space().dearest())),
      cheapest_(network(meter.space().cheapest())) {
  TBN_CHECK(setup.state.model().graph() == dearest_->graph(), "a training of another network");
}

std::shared_ptr<GraphModule> Supernet::network(const Pick& pick) const {
  auto module = std::make_shared<GraphModule>(with_choices(meter_.space(), pick));
  module->set_channels_last(config_.train.channels_last);
  module->to(setup_.device);
  module->train();
  return module;
}

// Adds the gradients of one network to the shared ones. Learns from the labels where there are no
// outputs to learn from.
at::Tensor Supernet::learn(GraphModule& network, const Pick& pick, const TrainBatch& batch,
                           const at::Tensor& outputs_of_dearest) {
  weights_.fill(network, pick);
  at::Tensor outputs;
  {
    const Autocast autocast(config_.train.precision == TrainPrecision::kBf16, setup_.device);
    outputs = network.forward(batch.tensors.inputs);
  }
  const bool imitates = outputs_of_dearest.defined();
  const Task task = setup_.data.train->spec().task.task;
  const at::Tensor loss = imitates ? imitation_loss(outputs, outputs_of_dearest, task)
                                   : setup_.loss(network, outputs, batch.tensors);
  loss.backward();
  weights_.collect(network, pick);
  losses_.push_back(loss.detach().to(at::kDouble));
  return outputs.detach();
}

double Supernet::step(const TrainBatch& batch, double lr_factor) {
  const SearchSpace& space = meter_.space();
  const auto seed = static_cast<std::uint64_t>(config_.train.seed);
  const auto number = static_cast<std::uint64_t>(progress_.steps);
  at::manual_seed(CounterRng(seed, RngUse::kSearch, kDropout, number).next());
  optimizer_.zero_grad();
  losses_.clear();
  const at::Tensor taught = learn(*dearest_, space.dearest(), batch, {});
  learn(*cheapest_, space.cheapest(), batch, taught);
  const Pick pick = random_near(meter_, limit_, near_, seed, number);
  learn(*network(pick), pick, batch, taught);
  optimizer_.begin_step(lr_factor);
  if (config_.train.clip_norm > 0) {
    std::vector<at::Tensor> gradients = optimizer_.gradients();
    clip_gradients(gradients, config_.train.clip_norm);
  }
  optimizer_.update();
  ++progress_.step_in_epoch;
  ++progress_.steps;
  return loss_of_step(at::stack(losses_).cpu());
}

bool Supernet::is_finite() const {
  return std::ranges::all_of(weights_.parameters(), [](const SharedWeights::Parameter& parameter) {
    return at::isfinite(parameter.value).all().item<bool>();
  });
}

void Supernet::save(const std::filesystem::path& path) const {
  TensorMap tensors;
  for (const SharedWeights::Parameter& parameter : weights_.parameters()) {
    tensors.emplace("model/" + parameter.key, to_host(parameter.value));
  }
  for (const NamedState& state : optimizer_.state()) {
    tensors.emplace("optim/" + state.name, to_host(state.tensor));
  }
  const Json progress = Json::object({{"epoch", progress_.epoch},
                                      {"step_in_epoch", progress_.step_in_epoch},
                                      {"steps", progress_.steps}});
  write_checked_safetensors(path, tensors, {{"tbn.supernet", progress.compact()}});
}

void Supernet::restore(const std::filesystem::path& path) {
  const std::string where = path.string();
  const SafetensorsFile file = read_safetensors(path);
  const auto text = file.metadata.find("tbn.supernet");
  if (text == file.metadata.end()) {
    throw DataError(fmt::format("{}: is no supernet of tbn-search", where));
  }
  progress_ = progress_of(text->second, where);
  for (const SharedWeights::Parameter& parameter : weights_.parameters()) {
    put_back(file.tensors, "model/" + parameter.key, parameter.value, where);
  }
  for (const NamedState& state : optimizer_.state()) {
    put_back(file.tensors, "optim/" + state.name, state.tensor, where);
  }
  optimizer_.set_steps(progress_.steps);
}

}  // namespace tbn
