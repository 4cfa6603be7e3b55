// Reads the options for CUDA devices.
#include "app/support/cuda_options.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "config/problems.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::string_view kCuda = "cuda";

// The number behind "cuda:", 0 for "cuda", -1 for anything else.
int device_index(std::string_view name) {
  if (name == kCuda) return 0;
  if (!name.starts_with("cuda:")) return -1;
  const std::string_view digits = name.substr(kCuda.size() + 1);
  const bool number = !digits.empty() && digits.size() <= 3 &&
                      digits.find_first_not_of("0123456789") == std::string_view::npos;
  return number ? std::stoi(std::string(digits)) : -1;
}

}  // namespace

bool asks_for_cuda(const CommandLine& line) {
  const std::string name = line.text("device");
  if (name == "cpu" || name == "auto") return false;
  if (device_index(name) >= 0) return true;
  throw ConfigError(
      fmt::format("--device: '{}' is not one of auto, cpu, cuda, cuda:N", printable(name)));
}

Precision precision_of(const CommandLine& line) {
  const std::string name = line.text("precision");
  std::string names;
  for (const Precision precision : kPrecisions) {
    if (name == to_string(precision)) return precision;
    names += (names.empty() ? "" : ", ") + std::string(to_string(precision));
  }
  throw ConfigError(fmt::format("--precision: '{}' is not one of {}", printable(name), names));
}

CudaOptions cuda_options(const CommandLine& line) {
  return {.device = std::max(0, device_index(line.text("device"))),
          .precision = precision_of(line),
          .kernel = line.text("kernel")};
}

}  // namespace tbn
