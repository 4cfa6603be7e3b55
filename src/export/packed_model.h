// From a packed model to the contents of a .tbn file, with test vectors that the reference runtime
// computed, so that every later reader and backend can check itself (tbn-eval --verify).
//
//   Model packed = pack_model(read_trained("runs/fashion").model);
//   write_packed("fashion.tbn", make_packed_file(packed, {}, example_inputs(packed.graph, 4)));
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "tbn/file.h"
#include "tbn/model.h"
#include "tbn/runtime.h"

namespace tbn {

// `count` inputs [count, ...], the same for the same shape everywhere: whole pixel values 0..255,
// or values in [-1, 1) for sequences.
HostTensor example_inputs(const Graph& graph, std::int64_t count);
// In the units of the network, where it has some.
HostTensor example_inputs(const Model& packed, std::int64_t count);

// The tensors are stored as they are: with halves where narrow_scalars() left some.
// `verify_input` [k, ...] becomes the file's test vectors with the outputs of the reference
// runtime; none are stored where it is empty. Throws DataError where the packed model cannot be
// loaded back within the limits, NonFiniteError where it gives outputs that are not finite,
// ConfigError where the input does not fit.
PackedFile make_packed_file(const Model& packed, std::map<std::string, std::string> metadata,
                            const HostTensor& verify_input = {}, const Limits& limits = {});

// Replaces the file's prepared weights by those that the kernels of these backends read with one
// of instruction_sets() (runtime/prepare.h). Throws DataError beginning with `where` for a file
// that holds no network.
void prepare_file(PackedFile& file, std::span<const Backend> backends,
                  std::string_view instructions, const std::string& where,
                  const Limits& limits = {});

}  // namespace tbn
