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

StepTimes time_steps(const Config& config, int rounds, int warm_up) {
  TBN_CHECK(rounds > 0, "rounds");
  const c10::Device device = resolve_device(config.train.device);
  configure_torch(config.train, device);
  const SampleSpec spec = describe_data(data_options(config.data));
  const BatchTensors batch = random_batch(spec, config.train.batch_size, device);
  StepContender ours(config, spec, device);
  StepContender rival(float_twin(config, spec), spec, device);
  const int steps = device.is_cuda() ? kStepsATimeOnGpu : 1;
  std::vector<double> our_times, rival_times;
  for (int i = -warm_up; i < rounds; ++i) {
    const double our_time = ours.step_us(batch, steps);
    const double rival_time = rival.step_us(batch, steps);
    if (i < 0) continue;
    our_times.push_back(our_time);
    rival_times.push_back(rival_time);
  }
  return {quartiles(our_times), quartiles(rival_times),  ours.state_bytes(),
          rival.state_bytes(),  describe_device(device), ours.recorded() && rival.recorded()};
}

}  // namespace tbn
