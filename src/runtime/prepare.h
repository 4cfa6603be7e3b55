// Prepared weights for packed files, and the check of those that a file holds.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tbn/runtime.h"

namespace tbn {

// The instruction sets of this processor whose kernels there are, the best first: "avx512vnni",
// "avx512", "avx2", "portable".
std::vector<std::string> instruction_sets();

// The weights of a network as a backend's kernels read them with an instruction set of
// instruction_sets(), by their names in a packed file; none for the reference backend. Two backends
// that use the same kernel for a layer give the same tensor.
TensorMap prepare_weights(const Network& network, Backend backend, std::string_view instructions);

// Throws DataError where prepared weights of the network that this processor could use are not what
// its packed weights give.
void check_prepared(const Network& network);

}  // namespace tbn
