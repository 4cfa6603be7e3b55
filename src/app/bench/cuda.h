// A packed network timed on a CUDA device.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/bench/backends.h"
#include "app/support/options.h"
#include "base/quartiles.h"
#include "tbn/cuda.h"

namespace tbn::app {

struct CudaResult {
  std::string device;
  Precision precision = Precision::kBf16;
  std::int64_t batch = 1;
  Quartiles device_us;   // of a batch whose inputs lie on the device
  Quartiles host_us;     // with the copies of inputs and outputs
  double max_error = 0;  // relative to the largest value
  // Beside a rival: both timed in turn, from an idle device to an idle device.
  std::optional<Comparison> beside;
  CudaMemory memory;
  std::vector<CudaKernelChoice> kernels;
};

// Checks the answers, then times; `line` has the options device, precision, kernel and rounds.
// Throws InternalError where the network's answers are wrong.
CudaResult time_on_cuda(const CommandLine& line, std::shared_ptr<const Network> network,
                        const Exam& exam, const Contender* rival = nullptr);

Json to_json(const CudaResult& result);
void print(const CudaResult& result);

}  // namespace tbn::app
