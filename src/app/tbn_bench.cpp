// tbn-bench: how long a packed network takes, how fast a configuration's data are read, and how
// long its training step takes beside that of its float twin.
#include <chrono>
#include <cmath>
#include <ctime>
#include <limits>
#include <random>

#include <fmt/format.h>

#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "app/support/options.h"
#include "base/text.h"
#include "config/load.h"
#include "data/loader.h"
#include "data/registry.h"
#include "tbn/error.h"
#include "tbn/runtime.h"
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

// One backend's answer to a random example, in memory that held none.
std::vector<float> answer(Session& session, std::span<const float> input) {
  const std::int64_t outputs = element_count(session.network().output_shape());
  std::vector<float> output(static_cast<std::size_t>(outputs),
                            std::numeric_limits<float>::quiet_NaN());
  session.run(input, 1, output);
  return output;
}

// The largest difference over the largest value; not a number where anything is not.
double relative_error(std::span<const float> a, std::span<const float> b) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double d = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
    if (!(d < std::numeric_limits<double>::infinity())) return d;
    difference = std::max(difference, d);
    size = std::max(size, std::abs(static_cast<double>(b[i])));
  }
  return size > 0 ? difference / size : difference;
}

// The exact backend beside the reference, one example at a time, in turn.
int bench_model(const CommandLine& line, const std::string& file) {
  constexpr double kMostError = 1e-4;
  const auto network = Network::load(file);
  Session ours(network, {.backend = Backend::kExact});
  Session rival(network, {.backend = Backend::kReference});
  std::vector<float> input(static_cast<std::size_t>(element_count(network->input_shape())));
  std::mt19937 random(1);
  for (float& value : input) value = static_cast<float>(random() % 256);
  const double error = relative_error(answer(ours, input), answer(rival, input));
  if (!(error <= kMostError)) {
    throw InternalError(
        fmt::format("{}: the exact backend differs from the reference by {:g}", file, error));
  }
  const auto time = [&](Session& session, std::vector<double>& times) {
    const Clock::time_point start = Clock::now();
    answer(session, input);
    times.push_back(1e6 * seconds_since(start));
  };
  std::vector<double> our_times, rival_times;
  for (long long i = line.number("rounds", 1, 100'000); i > 0; --i) {
    time(ours, our_times);
    time(rival, rival_times);
  }
  const Quartiles our_us = quartiles(our_times), rival_us = quartiles(rival_times);
  const double ratio = rival_us.median / our_us.median;
  if (line.json()) {
    print_json(Json::array({Json::object({{"name", network->graph().name},
                                          {"threads", 1},
                                          {"ours_us", our_us.median},
                                          {"ours_quartiles_us", quartiles_json(our_us)},
                                          {"rival", "reference"},
                                          {"rival_us", rival_us.median},
                                          {"rival_quartiles_us", quartiles_json(rival_us)},
                                          {"ratio", ratio},
                                          {"max_error", error}})}));
    return kDone;
  }
  fmt::print("{}: one example, one thread, largest error {:.1e}\n\n", file, error);
  fmt::print("| backend | us, median | quartiles |\n|---|---|---|\n");
  fmt::print("| exact | {:.0f} | {:.0f}-{:.0f} |\n", our_us.median, our_us.low, our_us.high);
  fmt::print("| reference | {:.0f} | {:.0f}-{:.0f} |\n", rival_us.median, rival_us.low,
             rival_us.high);
  fmt::print("| ratio | {:.2f} | |\n", ratio);
  return kDone;
}

int run(int argc, char** argv) {
  CommandLine line(
      "tbn-bench",
      "times a packed network, the reading of data, or a training step beside its float twin",
      "<file.tbn>, or <data|train> --config <file> [key=value...]");
  line.value("config,c", "file", "the YAML configuration")
      .value("seconds", "n", "data: how long to read", "5")
      .value("rounds", "n", "timed runs or steps of each", "20");
  if (!line.parse(argc, argv)) return kDone;
  const std::string subject = line.file("subject, a .tbn file, data or train");
  if (subject.ends_with(".tbn")) return bench_model(line, subject);
  if (subject != "data" && subject != "train") {
    throw ConfigError(
        fmt::format("'{}' cannot be timed; a .tbn file, data and train can", subject));
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
