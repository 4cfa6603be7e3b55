// Two training states in one process, stepped alternately.
#include "train/bench/step_bench.h"

#include <vector>

#include "config/data_options.h"
#include "data/registry.h"
#include "tbn/error.h"
#include "train/bench/bench_network.h"
#include "train/bench/step_contender.h"
#include "train/executor/device.h"
#include "train/run/trainer_graph.h"

namespace tbn {
namespace {

constexpr int kStepsATimeOnGpu = 10;

}  // namespace

StepTimes time_steps(const Config& asked, int rounds, int warm_up) {
  TBN_CHECK(rounds > 0, "rounds");
  Config config = asked;
  const c10::Device device = resolve_device(config.train.device);
  configure_torch(config.train, device);
  config.train.precision = choose_precision(config.train.precision, device).precision;
  const SampleSpec spec = describe_data(data_options(config.data));
  const BatchTensors batch = random_batch(spec, config.train.batch_size, device);
  StepContender ours(config, spec, device);
  StepContender rival(float_twin(config, spec), spec, device);
  std::optional<StepContender> in_fp32;
  if (config.train.precision == TrainPrecision::kBf16) {
    Config other = config;
    other.train.precision = TrainPrecision::kFp32;
    in_fp32.emplace(other, spec, device);
  }
  const int steps = device.is_cuda() ? kStepsATimeOnGpu : 1;
  std::vector<double> our_times, rival_times, fp32_times;
  for (int i = -warm_up; i < rounds; ++i) {
    const double our_time = ours.step_us(batch, steps);
    const double rival_time = rival.step_us(batch, steps);
    const double fp32_time = in_fp32 ? in_fp32->step_us(batch, steps) : 0;
    if (i < 0) continue;
    our_times.push_back(our_time);
    rival_times.push_back(rival_time);
    if (in_fp32) fp32_times.push_back(fp32_time);
  }
  return {.ours_us = quartiles(our_times),
          .rival_us = quartiles(rival_times),
          .fp32_us = in_fp32 ? std::optional(quartiles(fp32_times)) : std::nullopt,
          .precision = config.train.precision,
          .ours_bytes = ours.state_bytes(),
          .rival_bytes = rival.state_bytes(),
          .device = describe_device(device),
          .recorded = ours.recorded() && rival.recorded()};
}

}  // namespace tbn
