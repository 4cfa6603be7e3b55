// A whole network of random weights, packed and run by every backend, beside its float twin.
#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "app/bench/backends.h"
#include "app/bench/cuda.h"
#include "app/bench/subjects.h"
#include "app/support/cuda_options.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "tbn/error.h"
#include "train/bench/infer_bench.h"

namespace tbn::app {
namespace {

// The configuration of the float twin on the same device: LibTorch has no fp16 of ours.
Config on_device(const CommandLine& line, Config config) {
  if (precision_of(line) == Precision::kFp16) {
    throw ConfigError(
        "--precision fp16: the float twin runs in fp32 or bf16, and is timed beside it");
  }
  config.train.device = line.text("device");
  config.train.precision =
      precision_of(line) == Precision::kBf16 ? TrainPrecision::kBf16 : TrainPrecision::kFp32;
  config.train.channels_last = true;
  return config;
}

int bench_infer_on_cuda(const CommandLine& line, const Config& config) {
  const std::int64_t batch = line.number("batch", 1, 65'536);
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  const Contender rival = device_rival(on_device(line, config), batch);
  InferenceCase bench = inference_case(config, batch, cores);
  const auto network = Network::from(std::move(bench.packed));
  const CudaResult result = time_on_cuda(
      line, network, {std::move(bench.input), std::move(bench.wanted), batch, cores}, &rival);
  const std::int64_t p = config.weights.fields.number("p");
  if (line.json()) {
    Json json = to_json(result);
    print_json(json.set("name", config.name).set("p", p));
  } else {
    fmt::print("{}, p = {}\n", config.name, p);
    print(result);
  }
  return kDone;
}

}  // namespace

int bench_infer(const CommandLine& line, const Config& config) {
  if (asks_for_cuda(line)) return bench_infer_on_cuda(line, config);
  const int threads = threads_of(line);
  const std::int64_t batch = line.number("batch", 1, 65'536);
  const std::vector<TimedBackend> backends = parse_backends(line.text("backend"));
  InferenceCase bench = inference_case(config, batch, threads);
  const auto network = Network::from(std::move(bench.packed));
  const Exam exam = {std::move(bench.input), std::move(bench.wanted), batch, threads};
  const std::int64_t p = config.weights.fields.number("p");
  Json about =
      Json::object({{"name", config.name}, {"p", p}, {"threads", threads}, {"batch_size", batch}});
  if (line.has("profile")) {
    print_profiles(line, network, backends, exam, about);
    return kDone;
  }
  const Contender rival = processor_rival(config, batch, threads);
  print_comparisons(line, compare_backends(network, backends, exam, rival, rounds_of(line)),
                    fmt::format("{}, p = {}, batch {}", config.name, p, batch), about);
  return kDone;
}

}  // namespace tbn::app
