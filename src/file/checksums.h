// The two CRC-32C that packed files and checkpoints carry in their metadata, made and checked by
// one set of functions: tbn.header_crc32c over the length and the JSON, with its own eight digits
// as zeros, and tbn.crc32c over the data.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "file/reader.h"
#include "file/safetensors_header.h"

namespace tbn {

inline constexpr std::string_view kHeaderCrcKey = "tbn.header_crc32c";
inline constexpr std::string_view kDataCrcKey = "tbn.crc32c";

// What stands for the header's CRC until seal_header() knows it; always eight digits.
inline constexpr std::string_view kZeroDigits = "00000000";

// "0a1b2c3d"
std::string hex_digits(std::uint32_t value);

// The CRC of the data that `tensors`, sorted, will be: the value of kDataCrcKey.
std::string data_crc_of(const TensorRefs& tensors);

// Puts the CRC into a header made by make_safetensors_header() whose metadata begins with
// kHeaderCrcKey and kZeroDigits.
void seal_header(std::string& header);

// Throws DataError where the JSON of a header that was read does not have the CRC that it says.
void check_header_crc(const Reader& reader, const std::string& text);

// Throws DataError where the data, read since start_crc(), does not have the CRC `expected`.
void check_data_crc(const Reader& reader, const std::string& expected);

}  // namespace tbn
