// Reads the numbers of an HDF5 file: the part of the format that arrays of samples are stored in,
// with every address, size and count held against the file before it is used.
//
// The format's own library is not used: on a damaged file it reads outside its memory (1.10.8 does
// so for single flipped bits). What is read here: superblocks 0 to 3; object headers 1 and 2;
// datasets in the root group, by symbol table or by link messages; float 32 and 64 and integers of
// 1 to 8 bytes, little-endian; compact, contiguous and chunked storage (B-trees of version 1, what
// libraries write unless asked for the latest format); filters gzip and shuffle.
// Specification: "HDF5 File Format Specification Version 3.0", The HDF Group.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "data/points/hdf5_objects.h"
#include "tbn/tensor.h"

namespace tbn {

class Hdf5File {
 public:
  // Reads the file and lists its datasets. Throws DataError when it is missing, cut short or not
  // HDF5, with the way out where it is of a form that is not read here.
  explicit Hdf5File(const std::filesystem::path& path);

  bool contains(std::string_view name) const { return objects_.contains(name); }
  // Throws DataError when there is no such dataset.
  Shape shape(std::string_view name) const;

  // All values, row-major. Throws DataError when it holds no floats, or is damaged.
  std::vector<float> floats(std::string_view name) const;
  // All values, which must be integers of 0 to 255.
  std::vector<std::uint8_t> bytes(std::string_view name) const;

 private:
  Hdf5Array array(std::string_view name) const;

  Hdf5Bytes file_;
  std::map<std::string, std::uint64_t, std::less<>> objects_;  // addresses of object headers
};

}  // namespace tbn
