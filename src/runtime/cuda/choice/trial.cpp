// Times launches.
#include "runtime/cuda/choice/trial.h"

#include <algorithm>

#include "runtime/cuda/device/status.h"
#include "tbn/error.h"

namespace tbn::cuda {
namespace {

double milliseconds(const Stream& stream, int calls, FunctionRef<void()> launches) {
  constexpr const char* kWhat = "timing a kernel";
  const Event start, end;
  check(cudaEventRecord(start.get(), stream.get()), kWhat);
  for (int i = 0; i < calls; ++i) launches();
  check(cudaEventRecord(end.get(), stream.get()), kWhat);
  check(cudaEventSynchronize(end.get()), kWhat);
  float taken = 0;
  check(cudaEventElapsedTime(&taken, start.get(), end.get()), kWhat);
  return static_cast<double>(taken);
}

}  // namespace

double tolerance(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return 1e-4;
    case Precision::kFp16:
      return 4e-3;
    case Precision::kBf16:
      return 2e-2;
  }
  TBN_CHECK(false, "not a precision");
}

double time_launches(const Stream& stream, int rounds, FunctionRef<void()> launches) {
  constexpr double kRoundMilliseconds = 0.2;
  const double first = milliseconds(stream, 1, launches);
  if (rounds == 1) return 1000 * first;
  const double once = std::max(milliseconds(stream, 2, launches) / 2, 1e-3);
  const int calls = std::clamp(static_cast<int>(kRoundMilliseconds / once), 1, 100);
  double least = 1e30;
  for (int round = 0; round < rounds; ++round) {
    least = std::min(least, milliseconds(stream, calls, launches) / calls);
  }
  return 1000 * least;
}

}  // namespace tbn::cuda
