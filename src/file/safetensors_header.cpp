// Parses, checks and writes the header of a safetensors file.
#include "file/safetensors_header.h"

#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <tuple>
#include <utility>

#include "base/shape.h"
#include "base/text.h"
#include "file/json.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::string_view kMetadataKey = "__metadata__";

// From the widest to the narrowest: the official writer's order of the types that we know.
constexpr std::array kDataOrder = {DType::kI64, DType::kF64, DType::kF32, DType::kI32, DType::kBF16,
                                   DType::kF16, DType::kI8,  DType::kU8,  DType::kBool};

DType parse_dtype(const std::string& name) {
  for (const DType dtype : kDataOrder) {
    if (to_string(dtype) == name) return dtype;
  }
  throw DataError("dtype " + in_quotes(name) +
                  " is none of BOOL, U8, I8, I32, I64, F16, BF16, F32 and F64");
}

Shape parse_shape(const Json& json) {
  const Json::Array& dims = json.as_array();
  if (dims.size() > kMaxSafetensorsRank) {
    throw DataError("the shape has " + grouped(dims.size()) + " dimensions, more than " +
                    std::to_string(kMaxSafetensorsRank));
  }
  Shape shape;
  for (const Json& dim : dims) {
    shape.push_back(dim.as_int(0, std::numeric_limits<std::int64_t>::max()));
  }
  return shape;
}

SafetensorsEntry parse_entry(const std::string& name, const Json& json) {
  SafetensorsEntry entry;
  entry.name = name;
  entry.dtype = parse_dtype(json.at("dtype").as_string());
  entry.shape = parse_shape(json.at("shape"));
  const Json& offsets = json.at("data_offsets");
  if (offsets.as_array().size() != 2 || json.size() != 3) {
    throw DataError("an entry holds dtype, shape and two data_offsets, nothing else");
  }
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  entry.begin = static_cast<std::uint64_t>(offsets.at(std::size_t{0}).as_int(0, kMax));
  entry.end = static_cast<std::uint64_t>(offsets.at(std::size_t{1}).as_int(0, kMax));
  const std::optional<std::int64_t> bytes = checked_byte_count(entry.dtype, entry.shape);
  if (!bytes) throw DataError("the size of shape " + to_string(entry.shape) + " overflows");
  if (entry.end < entry.begin || entry.end - entry.begin != static_cast<std::uint64_t>(*bytes)) {
    throw DataError(std::string(to_string(entry.dtype)) + " " + to_string(entry.shape) + " takes " +
                    grouped(static_cast<std::uint64_t>(*bytes)) + " bytes, data_offsets say [" +
                    grouped(entry.begin) + ", " + grouped(entry.end) + "]");
  }
  return entry;
}

std::map<std::string, std::string> parse_metadata(const Json& json) {
  std::map<std::string, std::string> metadata;
  for (const auto& [key, value] : json.as_object()) metadata.emplace(key, value.as_string());
  return metadata;
}

// No holes, no overlaps, and exactly the data that the file holds.
void check_coverage(const Reader& reader, const std::vector<SafetensorsEntry>& entries) {
  std::uint64_t at = 0;
  for (const SafetensorsEntry& entry : entries) {
    if (entry.begin != at) {
      reader.fail("header: tensor " + in_quotes(entry.name) + " starts at byte " +
                  grouped(entry.begin) + " of the data, where " + grouped(at) +
                  " was expected: tensors must not overlap or leave holes");
    }
    at = entry.end;
  }
  const std::uint64_t held = reader.remaining();
  if (at > held) {
    reader.fail("truncated: the header says " + grouped(at) + " bytes of data, the file holds " +
                grouped(held));
  }
  if (at < held) {
    reader.fail("the header says " + grouped(at) + " bytes of data, the file holds " +
                grouped(held) + ": " + grouped(held - at) + " too many");
  }
}

std::string read_header_text(Reader& reader) {
  const std::uint64_t length = reader.read_u64("the header's length");
  if (length > kMaxSafetensorsHeaderBytes) {
    reader.fail("not a safetensors file: its first 8 bytes say a header of " + grouped(length) +
                " bytes, the limit is " + grouped(kMaxSafetensorsHeaderBytes));
  }
  std::string text = reader.read_text(length, "the header");
  if (!text.starts_with('{')) {
    reader.fail("not a safetensors file: its header does not start with '{'");
  }
  return text;
}

// A tensor in the mapped file where there is one and it is aligned there, which files of other
// writers need not be; a copy otherwise.
HostTensor read_tensor(Reader& reader, const SafetensorsEntry& entry, const std::string& what) {
  const std::uint64_t size = entry.end - entry.begin;
  const bool is_mapped = size > 0 && reader.mapping() != nullptr;
  if (is_mapped && reader.offset() % size_of(entry.dtype) == 0) {
    const std::span<const std::byte> bytes = reader.borrow(size, what);
    return HostTensor::borrow(entry.dtype, entry.shape, bytes, reader.mapping());
  }
  return {entry.dtype, entry.shape, reader.read_bytes(size, what)};
}

}  // namespace

SafetensorsHeader read_safetensors_header(Reader& reader) {
  SafetensorsHeader header;
  header.text = read_header_text(reader);
  const Json json = parse_json(header.text, reader.where() + ": header");
  for (const auto& [name, value] : json.as_object()) {
    try {
      if (name == kMetadataKey) {
        header.metadata = parse_metadata(value);
      } else {
        header.entries.push_back(parse_entry(name, value));
      }
    } catch (const DataError& error) {
      reader.fail("header: " + in_quotes(name) + ": " + error.what());
    }
  }
  // Tensors without elements share their place with the next one: they come before it.
  std::ranges::sort(header.entries, {}, [](const SafetensorsEntry& entry) {
    return std::tuple(entry.begin, entry.end, std::string_view(entry.name));
  });
  check_coverage(reader, header.entries);
  return header;
}

TensorMap read_safetensors_data(Reader& reader, const SafetensorsHeader& header) {
  TensorMap tensors;
  for (const SafetensorsEntry& entry : header.entries) {
    const std::string what = "tensor " + in_quotes(entry.name);
    HostTensor tensor = read_tensor(reader, entry, what);
    if (entry.dtype == DType::kBool &&
        std::ranges::any_of(std::as_const(tensor).bytes(),
                            [](std::byte b) { return b > std::byte{1}; })) {
      reader.fail(what + " is BOOL and holds bytes other than 0 and 1");
    }
    tensors.emplace(entry.name, std::move(tensor));
  }
  return tensors;
}

void sort_for_safetensors(TensorRefs& tensors) {
  std::ranges::sort(tensors, {}, [](const auto& tensor) {
    const auto rank = std::ranges::find(kDataOrder, tensor.second->dtype()) - kDataOrder.begin();
    return std::pair(rank, tensor.first);
  });
}

std::string make_safetensors_header(const TensorRefs& tensors, const MetadataList& metadata) {
  std::vector<SafetensorsEntry> entries;
  std::uint64_t begin = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::uint64_t end = begin + tensor->bytes().size();
    entries.push_back({std::string(name), tensor->dtype(), tensor->shape(), begin, end});
    begin = end;
  }
  return make_safetensors_header(entries, metadata);
}

std::string make_safetensors_header(const std::vector<SafetensorsEntry>& entries,
                                    const MetadataList& metadata) {
  Json::Object members;
  if (!metadata.empty()) {
    Json strings = Json::object();
    for (const auto& [key, value] : metadata) strings.set(key, value);
    members.append(std::string(kMetadataKey), std::move(strings));
  }
  for (const SafetensorsEntry& each : entries) {
    TBN_CHECK(each.name != kMetadataKey, "a tensor must not be named __metadata__");
    Json entry = Json::object({{"dtype", to_string(each.dtype)},
                               {"shape", each.shape},
                               {"data_offsets", Json::array({each.begin, each.end})}});
    members.append(each.name, std::move(entry));
  }
  constexpr std::size_t kLengthBytes = 8;
  constexpr std::size_t kAlignment = 64;
  std::string json = Json::object(std::move(members)).compact();
  json.append((kAlignment - (kLengthBytes + json.size()) % kAlignment) % kAlignment, ' ');
  if (json.size() > kMaxSafetensorsHeaderBytes) {
    throw DataError("the header of a safetensors file would take " + grouped(json.size()) +
                    " bytes, the limit is " + grouped(kMaxSafetensorsHeaderBytes));
  }
  std::string text;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    text += static_cast<char>((json.size() >> (8 * i)) & 0xff);
  }
  return text + json;
}

}  // namespace tbn
