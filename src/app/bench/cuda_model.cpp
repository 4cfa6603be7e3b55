// A packed network on a CUDA device: its answer is checked, then a batch is timed on the device
// alone, and with the copies to the device and back.
#include <algorithm>
#include <chrono>
#include <limits>

#include <fmt/format.h>

#include "app/bench/backends.h"
#include "app/bench/cuda.h"
#include "app/support/cuda_options.h"
#include "app/support/json_out.h"
#include "base/text.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

// How far from the right answer a network may be that is timed: activations of 16 bits round at
// every layer.
double tolerance(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return 1e-4;
    case Precision::kFp16:
      return 2e-2;
    case Precision::kBf16:
      return 1e-1;
  }
  TBN_CHECK(false, "not a precision");
}

std::vector<double> time_with_copies(CudaSession& session, const Exam& exam,
                                     std::vector<float>& output, int rounds) {
  std::vector<double> us;
  for (int round = 0; round < rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    session.run(exam.input, exam.batch, output);
    us.push_back(1e6 *
                 std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return us;
}

double per_second(const CudaResult& result, const Quartiles& us) {
  return 1e6 * static_cast<double>(result.batch) / us.median;
}

Json kernels_json(const CudaResult& result) {
  Json kernels = Json::array();
  for (const CudaKernelChoice& choice : result.kernels) {
    kernels.push_back(Json::object({{"node", choice.node},
                                    {"kernel", choice.kernel},
                                    {"us", choice.microseconds},
                                    {"rejected", choice.rejected}}));
  }
  return kernels;
}

void print_row(const char* what, const CudaResult& result, const Quartiles& us) {
  fmt::print("| {} | {} | {} | {:.0f} |\n", what, microseconds(us.median), microseconds(us),
             per_second(result, us));
}

}  // namespace

CudaResult time_on_cuda(const CommandLine& line, std::shared_ptr<const Network> network,
                        const Exam& exam, const Contender* rival) {
  CudaOptions options = cuda_options(line);
  options.max_batch = exam.batch;  // in one part
  CudaSession session(std::move(network), options);
  CudaResult result = {
      .device = session.device_name(), .precision = options.precision, .batch = exam.batch};
  std::vector<float> output(exam.wanted.size(), std::numeric_limits<float>::quiet_NaN());
  session.run(exam.input, exam.batch, output);
  result.max_error = relative_error(output, exam.wanted);
  if (!(result.max_error <= tolerance(options.precision))) {
    throw InternalError(
        fmt::format("{}: in {} it is wrong by {:g} of the largest value, {:g} may "
                    "be timed",
                    result.device, to_string(options.precision), result.max_error,
                    tolerance(options.precision)));
  }
  const int rounds = rounds_of(line);
  result.device_us = quartiles(session.time(exam.input, exam.batch, rounds));
  result.host_us = quartiles(time_with_copies(session, exam, output, rounds));
  if (rival != nullptr) {
    const auto times = time_in_turn({[&] { session.repeat(); }, rival->run}, rounds);
    result.beside = {.ours = "tbn " + std::string(to_string(options.precision)),
                     .ours_us = times[0],
                     .rival = rival->name,
                     .rival_us = times[1],
                     .max_error = result.max_error};
  }
  result.memory = session.memory();
  result.kernels = session.kernels(exam.batch);
  return result;
}

Json to_json(const CudaResult& result) {
  Json json = Json::object({{"device", result.device},
                            {"precision", std::string(to_string(result.precision))},
                            {"batch_size", result.batch},
                            {"us", result.device_us.median},
                            {"quartiles_us", quartiles_json(result.device_us)},
                            {"with_copies_us", result.host_us.median},
                            {"with_copies_quartiles_us", quartiles_json(result.host_us)},
                            {"max_error", result.max_error},
                            {"weight_bytes", result.memory.weights},
                            {"activation_bytes", result.memory.activations},
                            {"workspace_bytes", result.memory.workspace},
                            {"kernels", kernels_json(result)}});
  if (result.beside) json.set("beside", to_json(*result.beside, Json::object()));
  return json;
}

void print(const CudaResult& result) {
  fmt::print("{}, {}, batch {}, largest error {:.1e} of the largest value\n\n", result.device,
             to_string(result.precision), result.batch, result.max_error);
  fmt::print("| | us, median | quartiles | examples/s |\n|---|---|---|---|\n");
  print_row("on the device", result, result.device_us);
  print_row("with copies from and to the host", result, result.host_us);
  if (result.beside) {
    fmt::print("\n| ours | us, median | quartiles | rival | us, median | quartiles | ratio |\n");
    fmt::print("|---|---|---|---|---|---|---|\n| {} | {} | {} | {} | {} | {} | {:.2f} |\n",
               result.beside->ours, microseconds(result.beside->ours_us.median),
               microseconds(result.beside->ours_us), result.beside->rival,
               microseconds(result.beside->rival_us.median), microseconds(result.beside->rival_us),
               result.beside->ratio());
  }
  const auto bytes = [](std::int64_t count) { return grouped(static_cast<std::uint64_t>(count)); };
  fmt::print("\nbytes: weights {}, activations {}, workspace {}\n\n", bytes(result.memory.weights),
             bytes(result.memory.activations), bytes(result.memory.workspace));
  fmt::print("| layer | kernel | us when chosen | wrong here |\n|---|---|---|---|\n");
  for (const CudaKernelChoice& choice : result.kernels) {
    fmt::print("| {} | {} | {} | {} |\n", choice.node, choice.kernel,
               choice.microseconds > 0 ? microseconds(choice.microseconds) : "", choice.rejected);
  }
}

}  // namespace tbn::app
