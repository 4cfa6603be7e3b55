// A whole network of random weights, packed and run by every backend, beside its float twin.
#include <fmt/format.h>

#include "app/bench/backends.h"
#include "app/bench/subjects.h"
#include "app/support/exit_codes.h"
#include "train/infer_bench.h"

namespace tbn::app {

int bench_infer(const CommandLine& line, const Config& config) {
  const int threads = threads_of(line);
  const std::int64_t batch = line.number("batch", 1, 65'536);
  const std::vector<TimedBackend> backends = parse_backends(line.text("backend"));
  InferenceCase bench = inference_case(config, batch, threads);
  const auto network = Network::from(std::move(bench.packed));
  const Exam exam = {std::move(bench.input), std::move(bench.wanted), batch, threads};
  const std::int64_t p = config.weights.fields.p;
  Json about =
      Json::object({{"name", config.name}, {"p", p}, {"threads", threads}, {"batch_size", batch}});
  if (line.has("profile")) {
    print_profiles(line, network, backends, exam, std::move(about));
    return kDone;
  }
  print_comparisons(line, compare_backends(network, backends, exam, bench.rival, rounds_of(line)),
                    fmt::format("{}, p = {}, batch {}", config.name, p, batch), about);
  return kDone;
}

}  // namespace tbn::app
