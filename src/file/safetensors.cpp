// Whole safetensors files: header and data together.
#include "file/safetensors.h"

#include <algorithm>
#include <bit>
#include <optional>

#include "file/atomic_write.h"
#include "file/checksums.h"
#include "file/reader.h"
#include "file/safetensors_header.h"

namespace tbn {

static_assert(std::endian::native == std::endian::little,
              "tensor files are little-endian and their data is copied as it is");

namespace {

// Takes the checksum of the data out of the metadata, the header's being right; nothing where the
// file carries none. Each says that the other is there too: a damaged key must not hide both.
std::optional<std::string> take_checksum(const Reader& reader, SafetensorsHeader& header) {
  const auto of_header = header.metadata.extract(std::string(kHeaderCrcKey));
  auto of_data = header.metadata.extract(std::string(kDataCrcKey));
  if (of_header.empty() && of_data.empty()) return std::nullopt;
  check_header_crc(reader, header.text);
  if (of_data.empty()) reader.fail("header: metadata 'tbn.crc32c' is missing");
  return std::move(of_data.mapped());
}

SafetensorsFile read_all(Reader& reader) {
  SafetensorsHeader header = read_safetensors_header(reader);
  const std::optional<std::string> checksum = take_checksum(reader, header);
  SafetensorsFile file;
  if (checksum) reader.start_crc();
  file.tensors = read_safetensors_data(reader, header);
  if (checksum) check_data_crc(reader, *checksum);
  file.metadata = std::move(header.metadata);
  return file;
}

TensorRefs sorted_refs(const TensorMap& tensors) {
  TensorRefs refs;
  for (const auto& [name, tensor] : tensors) refs.emplace_back(name, &tensor);
  sort_for_safetensors(refs);
  return refs;
}

// Gives the file's pieces, in order, to `write`.
template <class Write>
void write_pieces(const TensorMap& tensors, const std::map<std::string, std::string>& metadata,
                  Write write) {
  const TensorRefs refs = sorted_refs(tensors);
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

void write_checked_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                               const std::map<std::string, std::string>& metadata,
                               const std::function<void()>& before) {
  const TensorRefs refs = sorted_refs(tensors);
  MetadataList list = {{std::string(kHeaderCrcKey), std::string(kZeroDigits)},
                       {std::string(kDataCrcKey), data_crc_of(refs)}};
  list.insert(list.end(), metadata.begin(), metadata.end());
  std::string header = make_safetensors_header(refs, list);
  seal_header(header);
  AtomicFile file(path);
  file.write(header);
  for (const auto& [name, tensor] : refs) file.write(tensor->bytes());
  file.commit(before);
}

}  // namespace tbn
