// The header of a safetensors file, parsed and written: what safetensors.h and packed.cpp share.
//
// The format (github.com/huggingface/safetensors): u64 little-endian length n; n bytes of JSON,
// {"__metadata__": {string: string}, name: {"dtype": .., "shape": [..], "data_offsets": [a, b]}};
// then the data, row-major and little-endian, which the tensors cover without holes or overlaps.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "file/reader.h"
#include "tbn/tensor.h"

namespace tbn {

struct SafetensorsEntry {
  std::string name;
  DType dtype = DType::kF32;
  Shape shape;
  std::uint64_t begin = 0;  // bytes, from the start of the data
  std::uint64_t end = 0;
};

struct SafetensorsHeader {
  std::string text;  // the JSON as it is in the file, its padding included
  std::map<std::string, std::string> metadata;
  std::vector<SafetensorsEntry> entries;  // in the order of their data
};

// Limits that no honest file meets. The first is the official reader's own.
inline constexpr std::uint64_t kMaxSafetensorsHeaderBytes = 100'000'000;
inline constexpr std::size_t kMaxSafetensorsRank = 32;

// Reads and checks a whole header from the start of a file: after it, every entry is known to lie
// in the data that follows, and sizes cannot overflow. Throws a DataError otherwise.
SafetensorsHeader read_safetensors_header(Reader& reader);

// Reads the data that follows the header. Tensors of a reader that maps its file lie in it, without
// a copy, and keep the mapping.
TensorMap read_safetensors_data(Reader& reader, const SafetensorsHeader& header);

// Tensors to write, by name, without copies.
using TensorRefs = std::vector<std::pair<std::string_view, const HostTensor*>>;
using MetadataList = std::vector<std::pair<std::string, std::string>>;

// Sorts into the order of the data that the official writer has: element types from the widest to
// the narrowest, so that each tensor is aligned to its elements; then names.
void sort_for_safetensors(TensorRefs& tensors);

// The length and the JSON, padded with spaces so that the data that follows starts at a multiple of
// 64 bytes; `tensors` must be sorted. Metadata comes first, in the given order.
std::string make_safetensors_header(const TensorRefs& tensors, const MetadataList& metadata);
// The same of tensors whose bytes are not at hand: `entries` say where they lie.
std::string make_safetensors_header(const std::vector<SafetensorsEntry>& entries,
                                    const MetadataList& metadata);

}  // namespace tbn
