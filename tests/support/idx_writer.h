// Small data sets for tests, in the formats of MNIST (IDX) and CIFAR (binary). Pixels and labels
// follow formulas, so that a test knows every byte without reading a file.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>

#include "support/temp_dir.h"

namespace tbn::test {

inline std::string big_endian(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(value >> shift));
  return out;
}

inline std::string gzipped(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::runtime_error("deflateInit2 failed");
  }
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  std::string input(bytes);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int code = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (code != Z_STREAM_END) throw std::runtime_error("deflate failed");
  return out;
}

// Byte k of sample i, and its label; `salt` tells the files of a data set apart.
inline std::uint8_t sample_pixel(std::uint32_t i, std::uint32_t k, std::uint32_t salt = 0) {
  return static_cast<std::uint8_t>(salt * 89 + i * 31 + k * 7 + (i * k) % 13);
}
inline std::uint8_t sample_label(std::uint32_t i, std::uint32_t classes) {
  return static_cast<std::uint8_t>((i * 7 + 3) % classes);
}

inline std::string sample_pixels(std::uint32_t i, std::uint32_t count, std::uint32_t salt = 0) {
  std::string out;
  for (std::uint32_t k = 0; k < count; ++k) {
    out.push_back(static_cast<char>(sample_pixel(i, k, salt)));
  }
  return out;
}

inline std::string idx_images(std::uint32_t count, std::uint32_t rows, std::uint32_t columns,
                              std::uint32_t salt = 0) {
  std::string out = big_endian(0x803) + big_endian(count) + big_endian(rows) + big_endian(columns);
  for (std::uint32_t i = 0; i < count; ++i) out += sample_pixels(i, rows * columns, salt);
  return out;
}

inline std::string idx_labels(std::uint32_t count, std::uint32_t classes = 10) {
  std::string out = big_endian(0x801) + big_endian(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    out.push_back(static_cast<char>(sample_label(i, classes)));
  }
  return out;
}

// The four files of an MNIST-like data set; the test images have salt 1.
inline void write_idx_dataset(const std::filesystem::path& folder, std::uint32_t train,
                              std::uint32_t test, std::uint32_t side = 28) {
  write_file(folder / "train-images-idx3-ubyte", idx_images(train, side, side));
  write_file(folder / "train-labels-idx1-ubyte", idx_labels(train));
  write_file(folder / "t10k-images-idx3-ubyte", idx_images(test, side, side, 1));
  write_file(folder / "t10k-labels-idx1-ubyte", idx_labels(test));
}

// A file of CIFAR-10 (`coarse` 0) or CIFAR-100 records (`coarse` 20 coarse classes).
inline std::string cifar_records(std::uint32_t count, std::uint32_t classes, std::uint32_t coarse,
                                 std::uint32_t salt) {
  std::string out;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (coarse > 0) out.push_back(static_cast<char>(sample_label(i + 1, coarse)));
    out.push_back(static_cast<char>(sample_label(i, classes)));
    out += sample_pixels(i, 3072, salt);
  }
  return out;
}

// data_batch_1..5.bin with salts 1..5 and `per_file` images each, and test_batch.bin with salt 6.
inline void write_cifar10_dataset(const std::filesystem::path& folder, std::uint32_t per_file) {
  for (std::uint32_t file = 1; file <= 5; ++file) {
    write_file(folder / ("data_batch_" + std::to_string(file) + ".bin"),
               cifar_records(per_file, 10, 0, file));
  }
  write_file(folder / "test_batch.bin", cifar_records(per_file, 10, 0, 6));
}

}  // namespace tbn::test
