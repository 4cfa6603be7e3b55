// A packed file: every backend beside the reference, which is their oracle, one example at a time.
#include <random>

#include <fmt/format.h>

#include "app/bench/backends.h"
#include "app/bench/cuda.h"
#include "app/bench/subjects.h"
#include "app/support/cuda_options.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "base/shown.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

std::vector<float> random_pixels(const Shape& shape, std::int64_t batch) {
  std::vector<float> pixels(static_cast<std::size_t>(batch * element_count(shape)));
  std::mt19937 random(1);
  for (float& pixel : pixels) pixel = static_cast<float>(random() % 256);
  return pixels;
}

// A batch on a CUDA device, after its answers were those of the reference.
int bench_on_cuda(const CommandLine& line, const std::string& file) {
  if (line.has("profile")) {
    throw ConfigError("--profile is for the cpu; on cuda every layer's time is shown without it");
  }
  const auto network = Network::load(file);
  const std::int64_t batch = line.number("batch", 1, 65'536);
  Exam exam = {.input = random_pixels(network->input_shape(), batch), .batch = batch};
  Runner reference(network, Backend::kReference, 1, exam.input, batch);
  reference.run();
  exam.wanted.assign(reference.output().begin(), reference.output().end());
  const CudaResult result = time_on_cuda(line, network, exam);
  if (line.json()) {
    Json json = to_json(result);
    print_json(json.set("name", network->graph().name));
  } else {
    fmt::print("{}\n", shown(file));
    print(result);
  }
  return kDone;
}

}  // namespace

int bench_model(const CommandLine& line, const std::string& file) {
  if (asks_for_cuda(line)) return bench_on_cuda(line, file);
  std::vector<TimedBackend> backends = parse_backends(line.text("backend"));
  const auto network = Network::load(file);
  const std::vector<float> input = random_pixels(network->input_shape(), 1);
  Runner reference(network, Backend::kReference, 1, input);
  reference.run();

  const std::vector<double> wanted(reference.output().begin(), reference.output().end());
  const Json about = Json::object({{"name", network->graph().name}, {"threads", 1}});
  if (line.has("profile")) {
    print_profiles(line, network, backends, {input, wanted}, about);
    return kDone;
  }
  std::erase_if(backends, [](const auto& b) { return b.backend == Backend::kReference; });
  const std::vector<Comparison> rows = compare_backends(
      network, backends, {input, wanted},
      {std::string(to_string(Backend::kReference)), [&] { reference.run(); }}, rounds_of(line));
  print_comparisons(line, rows, fmt::format("{}, one example", file), about);
  return kDone;
}

}  // namespace tbn::app
