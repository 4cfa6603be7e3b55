// Small HDF5 files for the tests, in the form that the format's library writes for uncompressed
// arrays: superblock 0, a symbol table, contiguous datasets.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tbn/tensor.h"

namespace tbn::test {

struct Hdf5Dataset {
  std::string name;
  Shape shape;
  std::string type;  // "f4", "f8", "u1", "i8"
  std::string bytes;
};

// Values are converted to `type`.
Hdf5Dataset hdf5_dataset(const std::string& name, const Shape& shape, const std::string& type,
                         const std::vector<double>& values);

// The bytes of the file; at most eight datasets.
std::string hdf5_file(std::vector<Hdf5Dataset> datasets);

}  // namespace tbn::test
