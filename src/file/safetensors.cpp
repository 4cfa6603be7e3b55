// Whole safetensors files: header and data together.
#include "file/safetensors.h"

#include <algorithm>
#include <bit>

#include "file/atomic_write.h"
#include "file/reader.h"
#include "file/safetensors_header.h"

namespace tbn {

static_assert(std::endian::native == std::endian::little,
              "tensor files are little-endian and their data is copied as it is");

namespace {

SafetensorsFile read_all(Reader& reader) {
  SafetensorsHeader header = read_safetensors_header(reader);
  SafetensorsFile file;
  file.tensors = read_safetensors_data(reader, header);
  file.metadata = std::move(header.metadata);
  return file;
}

// Gives the file's pieces, in order, to `write`.
template <class Write>
void write_pieces(const TensorMap& tensors, const std::map<std::string, std::string>& metadata,
                  Write write) {
  TensorRefs refs;
  for (const auto& [name, tensor] : tensors) refs.emplace_back(name, &tensor);
  sort_for_safetensors(refs);
  const std::string header =
      make_safetensors_header(refs, MetadataList(metadata.begin(), metadata.end()));
  write(std::as_bytes(std::span(header)));
  for (const auto& [name, tensor] : refs) write(tensor->bytes());
}

}  // namespace

SafetensorsFile read_safetensors(const std::filesystem::path& path) {
  Reader reader(path);
  return read_all(reader);
}

SafetensorsFile parse_safetensors(std::span<const std::byte> bytes, const std::string& where) {
  Reader reader(bytes, where);
  return read_all(reader);
}

std::vector<std::byte> serialize_safetensors(const TensorMap& tensors,
                                             const std::map<std::string, std::string>& metadata) {
  std::vector<std::byte> bytes;
  write_pieces(tensors, metadata, [&](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  });
  return bytes;
}

void write_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                       const std::map<std::string, std::string>& metadata) {
  AtomicFile file(path);
  write_pieces(tensors, metadata, [&](std::span<const std::byte> piece) { file.write(piece); });
  file.commit();
}

}  // namespace tbn
