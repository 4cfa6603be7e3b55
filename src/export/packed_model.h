// From a packed model to the contents of a .tbn file, with test vectors that the reference runtime
// computed, so that every later reader and backend can check itself (tbn-eval --verify).
//
//   Model packed = pack_model(read_trained("runs/fashion").model);
//   PackedFile file = make_packed_file(packed, {}, example_inputs(packed, 4));
//   make_compact(file, "fashion.tbn");
//   write_packed("fashion.tbn", file);
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "runtime/example_inputs.h"
#include "tbn/file.h"
#include "tbn/model.h"
#include "tbn/runtime.h"

namespace tbn {

// The tensors are stored as they are: with halves where narrow_scalars() left some.
// `verify_input` [k, ...] becomes the file's test vectors with the outputs of the reference
// runtime; none are stored where it is empty. Throws DataError where the packed model cannot be
// loaded back within the limits, NonFiniteError where it gives outputs that are not finite,
// ConfigError where the input does not fit.
PackedFile make_packed_file(const Model& packed, std::map<std::string, std::string> metadata,
                            const HostTensor& verify_input = {}, const Limits& limits = {});

// The same file in fewer bytes: its graph in short form, tensors in pairs, and test vectors that
// example_inputs() made without their inputs (features `compact` and `generated`). Throws DataError
// beginning with `where` for a file that holds no network.
void make_compact(PackedFile& file, const std::string& where, const Limits& limits = {});
// The same file without these two features, for readers that do not know them.
void make_plain(PackedFile& file, const std::string& where, const Limits& limits = {});
bool is_compact(const PackedFile& file);

// Replaces the file's prepared weights by those that the kernels of these backends read with one
// of instruction_sets() (runtime/prepare.h). Throws DataError beginning with `where` for a file
// that holds no network.
void prepare_file(PackedFile& file, std::span<const Backend> backends,
                  std::string_view instructions, const std::string& where,
                  const Limits& limits = {});

}  // namespace tbn
