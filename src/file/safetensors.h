// Tensors in safetensors files: checkpoints and the container of packed models.
//
//   write_safetensors("last.safetensors", model_state, {{"epoch", "7"}});
//   SafetensorsFile file = read_safetensors("last.safetensors");
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "tbn/tensor.h"

namespace tbn {

struct SafetensorsFile {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;
};

// Both check everything that the format demands before they use it. A damaged or foreign file is a
// DataError that names the file and the place: "m.safetensors: truncated: the header says 1,234
// bytes of data, the file holds 1,200". A file that carries our checksums (checksums.h) is held to
// them, and they are left out of `metadata`; files of others have none.
SafetensorsFile read_safetensors(const std::filesystem::path& path);
SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, const std::string& where);

// Equal contents give equal bytes. The second writes piece by piece, and the file is there whole or
// not at all (see atomic_write.h).
std::vector<std::byte> serialize_safetensors(const TensorMap& tensors,
                                             const std::map<std::string, std::string>& metadata);
void write_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                       const std::map<std::string, std::string>& metadata);

// As above, with checksums over the header and the data; `before` as in AtomicFile::commit().
void write_checked_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                               const std::map<std::string, std::string>& metadata,
                               const std::function<void()>& before = {});

}  // namespace tbn
