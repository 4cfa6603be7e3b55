// The inputs of test vectors that a file names instead of holding them: fixed generators, which
// tbn/file.h specifies (`generated`).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tbn/model.h"
#include "tbn/runtime.h"

namespace tbn {

// The generator that example_inputs() is.
inline constexpr std::string_view kExampleGenerator = "example-1";

// `count` inputs [count, ...], the same for the same shape everywhere: whole pixel values 0..255,
// or values in [-1, 1) for sequences.
HostTensor example_inputs(const Graph& graph, std::int64_t count);
// In the units of the network, where it has some.
HostTensor example_inputs(const Model& packed, std::int64_t count);

// Throws DataError, beginning with `where`, for the name of a generator that there is not.
void check_generator(std::string_view generator, const std::string& where);

// Whether `count` inputs of the network stay within the limit on memory.
bool may_generate(const Graph& graph, std::int64_t count, const Limits& limits);

// What the generator of that name makes for a packed network. Throws DataError, beginning with
// `where`, for a name that there is not and for inputs beyond the limit on memory.
HostTensor generated_inputs(std::string_view generator, const Graph& graph,
                            const TensorMap& tensors, std::int64_t count, const Limits& limits,
                            const std::string& where);

}  // namespace tbn
