// Reads and augments training batches as a run does, to time that alone.
#include <chrono>
#include <ctime>

#include <fmt/format.h>

#include "app/bench/subjects.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "base/counted.h"
#include "base/text.h"
#include "config/data_options.h"
#include "data/loader.h"
#include "data/registry.h"
#include "tbn/error.h"
#include "train/run/trainer_graph.h"

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
                      .refill = true,
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

}  // namespace

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
  fmt::print("{}: {} in {:.1f} s with data.threads = {}\n", config.data.name,
             counted(rate.samples, "sample"), rate.seconds, config.data.threads);
  fmt::print("{:.0f} samples/s, {:.0f} per second and core\n", rate.per_second(), rate.per_core());
  return kDone;
}

}  // namespace tbn::app
