// The plain loops in float on registers of 16 lanes.
#if defined(__x86_64__)

#include "runtime/cpu/fast/float_loops.h"

namespace tbn::fast {

const FloatOps kFloatsAvx512 = Loops<16>::kOps;

}  // namespace tbn::fast

#endif
