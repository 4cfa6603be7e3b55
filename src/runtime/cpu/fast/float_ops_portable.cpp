// The plain loops in float on registers of 4 lanes.
#include "runtime/cpu/fast/float_loops.h"

namespace tbn::fast {

const FloatOps kFloatsPortable = Loops<4>::kOps;

}  // namespace tbn::fast
