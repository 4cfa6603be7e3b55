// Random batches, and steps of the trainer's own step function.
#include "train/bench/step_contender.h"

#include <torch/torch.h>

#include <chrono>
#include <vector>

#include "tbn/error.h"
#include "train/bench/bench_network.h"
#include "train/step/cuda_graph.h"

namespace tbn {

BatchTensors random_batch(const SampleSpec& spec, std::int64_t size, c10::Device device) {
  const auto sized = [&](const Shape& shape) {
    std::vector<std::int64_t> sizes = {size};
    sizes.insert(sizes.end(), shape.begin(), shape.end());
    return sizes;
  };
  BatchTensors batch;
  batch.inputs = random_inputs(spec, size);
  if (spec.labels() > 0) {
    const Shape shape = spec.labels() == 1 ? Shape{} : Shape{spec.labels()};
    batch.labels = torch::randint(0, spec.task.output.back(), sized(shape), torch::kInt64);
  }
  if (spec.targets() > 0) batch.targets = torch::randn(sized(spec.task.output));
  for (torch::Tensor* t : {&batch.inputs, &batch.labels, &batch.targets}) {
    if (t->defined()) *t = t->to(device);
  }
  return batch;
}

StepContender::StepContender(const Config& config, const SampleSpec& spec, c10::Device device)
    : train_(config.train),
      state_(config, bench_graph(config, spec), device),
      loss_(config, spec, device),
      device_(device),
      mode_(choose_step_mode(config.train, device).mode),
      runner_(state_, loss_, train_, mode_) {
  state_.model().train();
}

double StepContender::step_us(const BatchTensors& batch, int steps) {
  wait_for(device_);
  const auto start = std::chrono::steady_clock::now();
  at::Tensor loss;
  for (int i = 0; i < steps; ++i) loss = runner_.run(batch, 1e-3).loss;
  wait_for(device_);
  const double us =
      std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
  TBN_CHECK(!at::isnan(loss).item<bool>(), "the loss of a random batch is not a number");
  return us / steps;
}

std::int64_t StepContender::state_bytes() {
  std::int64_t sum = 0;
  for (const torch::Tensor& p : state_.model().parameters()) {
    sum += 2 * static_cast<std::int64_t>(p.nbytes());  // and its gradient
  }
  for (const NamedState& s : state_.optimizer().state()) {
    sum += static_cast<std::int64_t>(s.tensor.nbytes());
  }
  return sum;
}

}  // namespace tbn
