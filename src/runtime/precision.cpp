// Names of the precisions of CUDA sessions, for programs without them too.
#include "tbn/cuda.h"
#include "tbn/error.h"

namespace tbn {

std::string_view to_string(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return "fp32";
    case Precision::kFp16:
      return "fp16";
    case Precision::kBf16:
      return "bf16";
  }
  TBN_CHECK(false, "not a precision");
}

}  // namespace tbn
