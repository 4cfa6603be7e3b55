// A packed file: every backend beside the reference, which is their oracle, one example at a time.
#include <random>

#include <fmt/format.h>

#include "app/bench/backends.h"
#include "app/bench/subjects.h"
#include "app/support/exit_codes.h"

namespace tbn::app {
namespace {

std::vector<float> random_pixels(const Shape& shape) {
  std::vector<float> pixels(static_cast<std::size_t>(element_count(shape)));
  std::mt19937 random(1);
  for (float& pixel : pixels) pixel = static_cast<float>(random() % 256);
  return pixels;
}

}  // namespace

int bench_model(const CommandLine& line, const std::string& file) {
  std::vector<TimedBackend> backends = parse_backends(line.text("backend"));
  const auto network = Network::load(file);
  const std::vector<float> input = random_pixels(network->input_shape());
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
