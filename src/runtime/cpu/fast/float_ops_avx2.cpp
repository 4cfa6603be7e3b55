// The plain loops in float on registers of 8 lanes.
#if defined(__x86_64__)

#include "runtime/cpu/fast/float_loops.h"

namespace tbn::fast {

const FloatOps kFloatsAvx2 = Loops<8>::kOps;

}  // namespace tbn::fast

#endif
