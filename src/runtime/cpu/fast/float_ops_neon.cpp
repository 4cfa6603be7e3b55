// The plain loops in float on registers of 4 lanes, of which AArch64 has 32.
//
// There are no sums by table look-ups (SignOps) beside them, because they would not be faster. TBL
// looks bytes up, four for a float, in one to four registers. In vector instructions, of which
// Arm's optimisation guides (Cortex-A720's, for one) count TBL of four registers as three:
//
//   FMLA              4 weights in 1
//   TBL of 4, FADD    4 inputs per pattern, 16 weights in 4; and the byte indices of 4 rows, made
//                     of patterns in 2 (repeat, add place), serve two pixels at most, as tables
//                     and sums fill the registers: 3.2 weights in 1
//   TBL of 2, FADD    3 inputs per pattern, 12 weights in 2; indices serve four pixels: 4.8 in 1
//   TBL of 1          a byte plane each, of 4 inputs: 4 TBL, 8 ZIP, 4 FADD for 64 weights: 4 in 1
//   EOR, FADD         4 weights in 2
//
// The third line gains a fifth at best where TBL of two registers takes one step, before the tables
// are made, and loses where it takes two. As GCC 12 compiles the whole loops, with loads, counters
// and the copies that bring tables into neighbouring registers, FMLA adds 2.5 weights an
// instruction, the second line 3.5 and the third 1.9. What look-ups would save is memory traffic:
// the weights of a single vector's layer are read once, as floats here and nearly as bits there.
#if defined(__aarch64__)

#include "runtime/cpu/fast/float_loops.h"

namespace tbn::fast {

const FloatOps kFloatsNeon = Loops<4, 4>::kOps;

}  // namespace tbn::fast

#endif
