// tbn-bench: how fast a configuration's data are read, and how long its training step takes beside
// that of its float twin.
#include <chrono>
#include <ctime>

#include <fmt/format.h>

#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "app/support/options.h"
#include "base/text.h"
#include "config/load.h"
#include "data/loader.h"
#include "data/registry.h"
#include "tbn/error.h"
#include "train/step_bench.h"
#include "train/trainer_graph.h"

namespace tbn::app {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double cpu_seconds() {
  timespec now{};
  if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0) throw SystemError("no process clock");
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

struct ReadingRate {
  std::int64_t samples = 0;
  double seconds = 0;
  double cpu_seconds = 0;
  double per_second() const { return static_cast<double>(samples) / seconds; }
  double per_core() const { return static_cast<double>(samples) / cpu_seconds; }
};

// Reads augmented training batches, epoch after epoch, after a first one that is not counted.
ReadingRate reading_rate(const Config& config, double seconds) {
  const DataSplits data = load_data(data_options(config.data));
  BatchLoader loader(*data.train,
                     {.batch_size = config.train.batch_size,
                      .shuffle = true,
                      .augment = true,
                      .mix = {.mixup = config.data.mixup, .cutmix = config.data.cutmix},
                      .threads = static_cast<int>(config.data.threads)});
  Batch batch;
  loader.start_epoch(0);
  loader.next(batch);
  ReadingRate rate;
  const double cpu_start = cpu_seconds();
  const Clock::time_point start = Clock::now();
  for (std::int64_t epoch = 1; rate.seconds < seconds; ++epoch) {
    loader.start_epoch(epoch);
    while (rate.seconds < seconds && loader.next(batch)) {
      rate.samples += batch.size;
      rate.seconds = seconds_since(start);
    }
  }
  rate.cpu_seconds = cpu_seconds() - cpu_start;
  return rate;
}

int bench_data(const CommandLine& line, const Config& config) {
  const ReadingRate rate =
      reading_rate(config, static_cast<double>(line.number("seconds", 1, 600)));
  if (line.json()) {
    print_json(Json::array({Json::object({{"name", config.name},
                                          {"threads", config.data.threads},
                                          {"samples", rate.samples},
                                          {"samples_per_second", rate.per_second()},
                                          {"samples_per_cpu_second", rate.per_core()}})}));
    return kDone;
  }
  fmt::print("{}: {} samples in {:.1f} s with data.threads = {}\n", config.data.name,
             grouped(static_cast<std::uint64_t>(rate.samples)), rate.seconds, config.data.threads);
  fmt::print("{:.0f} samples/s, {:.0f} a second of one core\n", rate.per_second(), rate.per_core());
  return kDone;
}

Json quartiles_json(const Quartiles& q) { return Json::array({q.low, q.median, q.high}); }

int bench_train(const CommandLine& line, const Config& config) {
  const StepTimes times = time_steps(config, static_cast<int>(line.number("rounds", 1, 100'000)));
  const double ratio = times.ours_us.median / times.rival_us.median;
  const double bytes =
      static_cast<double>(times.ours_bytes) / static_cast<double>(times.rival_bytes);
  if (line.json()) {
    print_json(Json::array({Json::object({{"name", config.name},
                                          {"p", config.weights.fields.p},
                                          {"threads", config.train.threads},
                                          {"batch_size", config.train.batch_size},
                                          {"device", times.device},
                                          {"ours_us", times.ours_us.median},
                                          {"ours_quartiles_us", quartiles_json(times.ours_us)},
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
  fmt::print("{}, batch {}, {}\n\n", config.name, config.train.batch_size, times.device);
  fmt::print("| training step | ms, median | quartiles | MB of weights, gradients, optimiser |\n");
  fmt::print("|---|---|---|---|\n");
  row("this configuration", times.ours_us, times.ours_bytes);
  row("its float twin", times.rival_us, times.rival_bytes);
  fmt::print("| ratio | {:.2f} | | {:.2f} |\n", ratio, bytes);
  return kDone;
}

int run(int argc, char** argv) {
  CommandLine line("tbn-bench",
                   "times the reading of data, or a training step beside its float twin",
                   "<data|train> --config <file> [key=value...]");
  line.value("config,c", "file", "the YAML configuration")
      .value("seconds", "n", "data: how long to read", "5")
      .value("rounds", "n", "train: timed steps of each network", "20");
  if (!line.parse(argc, argv)) return kDone;
  const std::string subject = line.file("subject, data or train");
  if (subject != "data" && subject != "train") {
    throw ConfigError(fmt::format("'{}' cannot be timed; data and train can", subject));
  }
  if (line.text("config").empty()) {
    throw ConfigError("which configuration? Give it as --config <file>");
  }
  const Config config = load_config(line.text("config"), line.settings());
  return subject == "data" ? bench_data(line, config) : bench_train(line, config);
}

}  // namespace
}  // namespace tbn::app

int main(int argc, char** argv) {
  return tbn::run_tool("tbn-bench", [&] { return tbn::app::run(argc, argv); });
}
