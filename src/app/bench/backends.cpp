// Times a backend once its answer has been checked.
#include "app/bench/backends.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "app/bench/shapes.h"
#include "config/problems.h"
#include "config/value_limits.h"
#include "tbn/error.h"

namespace tbn::app {

std::vector<TimedBackend> parse_backends(const std::string& text) {
  if (text == "all") return {std::begin(kTimedBackends), std::end(kTimedBackends)};
  std::vector<std::string> names = {"all"};
  for (const TimedBackend& known : kTimedBackends) names.emplace_back(to_string(known.backend));
  std::vector<TimedBackend> found;
  for (const std::string& name : split(text, ',')) {
    const auto* known = std::find_if(std::begin(kTimedBackends), std::end(kTimedBackends),
                                     [&](const auto& b) { return to_string(b.backend) == name; });
    if (known == std::end(kTimedBackends)) {
      throw ConfigError(
          fmt::format("--backend: '{}' is not {}", printable(name), join_choices(names)));
    }
    found.push_back(*known);
  }
  return found;
}

double relative_error(std::span<const float> given, std::span<const double> wanted) {
  double difference = 0, size = 0;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const double d = std::abs(static_cast<double>(given[i]) - wanted[i]);
    if (!(d < std::numeric_limits<double>::infinity())) return d;
    difference = std::max(difference, d);
    size = std::max(size, std::abs(wanted[i]));
  }
  return size > 0 ? difference / size : difference;
}

Runner::Runner(std::shared_ptr<const Network> network, Backend backend, int threads,
               std::vector<float> input, std::int64_t batch)
    : session_(std::move(network), {.backend = backend, .threads = threads}),
      backend_(backend),
      batch_(batch),
      input_(std::move(input)),
      output_(static_cast<std::size_t>(batch * element_count(session_.network().output_shape()))) {}

double Runner::check(std::span<const double> wanted, double tolerance) {
  std::fill(output_.begin(), output_.end(), std::numeric_limits<float>::quiet_NaN());
  run();
  const double error = relative_error(output_, wanted);
  if (error <= tolerance) return error;
  throw InternalError(
      fmt::format("{}: the {} backend is wrong by {:g} of the largest value, {:g} "
                  "may be timed",
                  session_.network().graph().name, to_string(backend_), error, tolerance));
}

std::vector<Comparison> compare_backends(const std::shared_ptr<const Network>& network,
                                         const std::vector<TimedBackend>& backends,
                                         const Exam& exam, const Contender& rival, int rounds) {
  std::vector<Comparison> rows;
  std::vector<std::function<void()>> calls = {rival.run};
  for (const TimedBackend& b : backends) {
    const auto runner =
        std::make_shared<Runner>(network, b.backend, exam.threads, exam.input, exam.batch);
    rows.push_back({.ours = std::string(to_string(b.backend)),
                    .rival = rival.name,
                    .max_error = runner->check(exam.wanted, b.tolerance)});
    calls.emplace_back([runner] { runner->run(); });
  }
  const std::vector<Quartiles> times = time_in_turn(calls, rounds);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].rival_us = times[0];
    rows[i].ours_us = times[i + 1];
  }
  return rows;
}

}  // namespace tbn::app
