// A training step and its float twin's, as step_bench timed them.
#include <fmt/format.h>

#include "app/bench/contest.h"
#include "app/bench/subjects.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "train/bench/step_bench.h"

namespace tbn::app {

int bench_train(const CommandLine& line, const Config& config) {
  const StepTimes times = time_steps(config, rounds_of(line));
  const double ratio = times.ours_us.median / times.rival_us.median;
  const double bytes =
      static_cast<double>(times.ours_bytes) / static_cast<double>(times.rival_bytes);
  if (line.json()) {
    print_json(Json::array(
        {Json::object({{"name", config.name},
                       {"p", config.weights.fields.number("p")},
                       {"threads", config.train.threads},
                       {"batch_size", config.train.batch_size},
                       {"device", times.device},
                       {"cuda_graph", times.recorded},
                       {"ours_us", times.ours_us.median},
                       {"ours_quartiles_us", quartiles_json(times.ours_us)},
                       {"precision", std::string(word_of(times.precision))},
                       {"fp32_us", times.fp32_us ? Json(times.fp32_us->median) : Json()},
                       {"rival", "float twin"},
                       {"rival_us", times.rival_us.median},
                       {"rival_quartiles_us", quartiles_json(times.rival_us)},
                       {"ratio", ratio},
                       {"ours_state_bytes", times.ours_bytes},
                       {"rival_state_bytes", times.rival_bytes}})}));
    return kDone;
  }
  const auto row = [](const char* name, const Quartiles& q, std::int64_t state) {
    fmt::print("| {} | {:.2f} | {:.2f}-{:.2f} | {:.2f} |\n", name, q.median / 1e3, q.low / 1e3,
               q.high / 1e3, static_cast<double>(state) / 1e6);
  };
  fmt::print("{}, batch {}, {}, {}{}\n\n", config.name, config.train.batch_size, times.device,
             word_of(times.precision), times.recorded ? ", steps replayed from a CUDA graph" : "");
  fmt::print("| training step | ms, median | quartiles | MB of weights, gradients, optimiser |\n");
  fmt::print("|---|---|---|---|\n");
  row("this configuration", times.ours_us, times.ours_bytes);
  row("its float twin", times.rival_us, times.rival_bytes);
  fmt::print("| ratio | {:.2f} | | {:.2f} |\n", ratio, bytes);
  if (times.fp32_us) {
    row("this configuration in fp32", *times.fp32_us, times.ours_bytes);
    fmt::print("| ratio | {:.2f} | | |\n", times.ours_us.median / times.fp32_us->median);
  }
  return kDone;
}

}  // namespace tbn::app
