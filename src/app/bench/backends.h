// The backends that are timed, and how close their answers must come to the reference before they
// are.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "app/bench/contest.h"
#include "base/contender.h"
#include "tbn/runtime.h"

namespace tbn::app {

struct TimedBackend {
  Backend backend;
  double tolerance;        // the largest error that may be timed, relative to the largest value
  double bits_per_weight;  // that a run reads, of the weights that a tile holds
};

// A new backend is a line here.
inline constexpr TimedBackend kTimedBackends[] = {
    {Backend::kReference, 1e-4, 32},
    {Backend::kExact, 1e-4, 1},
    {Backend::kInt8, 0.2, 1},
};

// Those of a list "exact,reference", or all of them for "all". Throws ConfigError for other names.
std::vector<TimedBackend> parse_backends(const std::string& text);

// The largest difference from `wanted` over its largest value; not a number where anything is not.
double relative_error(std::span<const float> given, std::span<const double> wanted);

// A network on one backend with an input and an output of its own.
class Runner {
 public:
  Runner(std::shared_ptr<const Network> network, Backend backend, int threads,
         std::vector<float> input, std::int64_t batch = 1);
  void run(RunObserver* observer = nullptr) { session_.run(input_, batch_, output_, observer); }
  const std::vector<float>& output() const { return output_; }

  // Runs into memory that held no answer and returns the error. Throws InternalError where it is
  // beyond `tolerance`.
  double check(std::span<const double> wanted, double tolerance);

 private:
  Session session_;
  Backend backend_;
  std::int64_t batch_;
  std::vector<float> input_;
  std::vector<float> output_;
};

// What a network is asked, and the right answer.
struct Exam {
  std::vector<float> input;
  std::vector<double> wanted;
  std::int64_t batch = 1;
  int threads = 1;
};

// Checks each backend on the network, times it and the rival in turn, and gives a row each.
std::vector<Comparison> compare_backends(const std::shared_ptr<const Network>& network,
                                         const std::vector<TimedBackend>& backends,
                                         const Exam& exam, const Contender& rival, int rounds);

// Checks each backend likewise, and prints how long the nodes of the network take on each: by op
// and kernel, and node by node. Under --json a list of objects: `about` with "backend", "us", "ops"
// and "nodes".
void print_profiles(const CommandLine& line, const std::shared_ptr<const Network>& network,
                    const std::vector<TimedBackend>& backends, const Exam& exam, const Json& about);

}  // namespace tbn::app
