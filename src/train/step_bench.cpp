// Two training states in one process, stepped alternately.
#include "train/step_bench.h"

#include <ATen/Context.h>
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "data/registry.h"
#include "tbn/error.h"
#include "train/bench_network.h"
#include "train/device.h"
#include "train/step.h"
#include "train/trainer_graph.h"

namespace tbn {
namespace {

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

// A network in training, its data apart.
class Contender {
 public:
  Contender(const Config& config, const SampleSpec& spec, c10::Device device)
      : train_(config.train),
        state_(config, bench_graph(config, spec), device),
        loss_(config, spec, device),
        device_(device) {
    state_.model().train();
  }

  double step_us(const BatchTensors& batch) {
    const auto start = std::chrono::steady_clock::now();
    const double loss = run_step(state_, loss_, train_, batch, 1e-3).loss.item<double>();
    if (device_.is_cuda()) torch::cuda::synchronize();
    TBN_CHECK(loss == loss, "the loss of a random batch is not a number");
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
        .count();
  }

  std::int64_t bytes() {
    std::int64_t sum = 0;
    for (const torch::Tensor& p : state_.model().parameters()) {
      sum += 2 * static_cast<std::int64_t>(p.nbytes());  // and its gradient
    }
    for (const NamedState& s : state_.optimizer().state()) {
      sum += static_cast<std::int64_t>(s.tensor.nbytes());
    }
    return sum;
  }

 private:
  TrainConfig train_;
  TrainState state_;
  TaskLoss loss_;
  c10::Device device_;
};

}  // namespace

StepTimes time_steps(const Config& config, int rounds, int warm_up) {
  TBN_CHECK(rounds > 0, "rounds");
  const c10::Device device = resolve_device(config.train.device);
  configure_torch(config.train, device);
  const SampleSpec spec = describe_data(data_options(config.data));
  const BatchTensors batch = random_batch(spec, config.train.batch_size, device);
  Contender ours(config, spec, device);
  Contender rival(float_twin(config), spec, device);
  std::vector<double> our_times, rival_times;
  for (int i = -warm_up; i < rounds; ++i) {
    const double our_time = ours.step_us(batch);
    const double rival_time = rival.step_us(batch);
    if (i < 0) continue;
    our_times.push_back(our_time);
    rival_times.push_back(rival_time);
  }
  return {quartiles(our_times), quartiles(rival_times), ours.bytes(), rival.bytes(),
          describe_device(device)};
}

}  // namespace tbn
