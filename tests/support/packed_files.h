// Small packed files, and hostile ones whose checksums are right.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "file/crc32c.h"
#include "support/bytes.h"
#include "tbn/file.h"

namespace tbn::test {

inline PackedFile small_packed_file() {
  PackedFile file;
  file.graph_json = R"({"nodes":[{"name":"fc","p":4}],"eps":0.001})";
  file.features = {"binary", "tiled"};
  file.metadata = {{"tbn.trained_on", "mnist"}, {"tbn.accuracy", "98.1"}};
  file.tensors["fc.tile"] = HostTensor::of<std::uint8_t>({3}, std::vector<std::uint8_t>{1, 2, 255});
  file.tensors["fc.alpha"] = HostTensor::of<float>({2}, std::vector<float>{0.5F, -1.25F});
  file.test_vectors = TestVectors{HostTensor::of<float>({1, 2}, std::vector<float>{1.0F, 2.0F}),
                                  HostTensor::of<float>({1, 1}, std::vector<float>{3.0F})};
  return file;
}

inline std::string crc_digits(std::string_view bytes) {
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08x", crc32c(bytes));
  return digits;
}

// A packed file with this metadata (JSON members after the checksums) and these tensors (JSON
// members, each after a comma), and with both checksums as the specification demands.
inline std::string sealed(std::string_view metadata, std::string_view tensors,
                          std::string_view data) {
  std::string header = R"({"__metadata__":{"tbn.header_crc32c":"00000000","tbn.crc32c":")" +
                       crc_digits(data) + "\"" + std::string(metadata) + "}" +
                       std::string(tensors) + "}";
  while ((8 + header.size()) % 64 != 0) header += ' ';
  std::string head = little_endian_u64(header.size()) + header;
  head.replace(46, 8, crc_digits(head));
  return head + std::string(data);
}

}  // namespace tbn::test
