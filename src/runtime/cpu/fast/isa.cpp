// Finds out which instructions the processor has.
#include "runtime/cpu/fast/kernel.h"

#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace tbn::fast {
namespace {

#if defined(__aarch64__)
bool has_dot_products() {
#if defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  return false;
#endif
}
#endif

}  // namespace

const std::vector<Isa>& usable_isas() {
  static const std::vector<Isa> isas = [] {
    std::vector<Isa> found;
#if defined(__x86_64__)
    const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw");
    if (avx512 && avx2) {
      if (__builtin_cpu_supports("avx512vnni")) {
        found.push_back({"avx512vnni", &kSignsAvx512, &kBytesVnni, &kIntegersVnni, &kFloatsAvx512,
                         &kByteTablesAvx512});
      }
      found.push_back({"avx512", &kSignsAvx512, &kBytesAvx2, &kIntegersAvx512, &kFloatsAvx512});
    }
    if (avx2) found.push_back({"avx2", &kSignsAvx2, &kBytesAvx2, &kIntegersAvx2, &kFloatsAvx2});
#elif defined(__aarch64__)
    if (has_dot_products()) {
      found.push_back(
          {"neon-dotprod", nullptr, &kBytesNeonDotprod, &kIntegersNeonDotprod, &kFloatsNeon});
    }
    found.push_back({"neon", nullptr, &kBytesNeon, &kIntegersNeon, &kFloatsNeon});
#endif
    found.push_back({"portable", nullptr, &kBytesPortable, &kIntegersPortable, &kFloatsPortable});
    return found;
  }();
  return isas;
}

}  // namespace tbn::fast
