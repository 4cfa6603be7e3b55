// The values of an HDF5 dataset, from wherever in the file they are.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "data/points/hdf5_objects.h"

namespace tbn {

// The bytes of all values, row-major. Throws DataError when a part is missing or damaged.
std::vector<std::uint8_t> hdf5_values(const Hdf5Bytes& file, std::string_view name,
                                      const Hdf5Array& array);

}  // namespace tbn
