// Linked into the tests of the emulator's kernels for a second run, in which the threads of each
// launch take turns in another order: what passes only because one thread happens to come before
// another fails here.
#include "support/cuda_emulator/stream.h"

namespace {

[[maybe_unused]] const bool kShuffled = [] {
  cuda_emulator::set_shuffled_threads(1);
  return true;
}();

}  // namespace
