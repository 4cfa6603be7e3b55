// The binary format of CIFAR-10 and CIFAR-100: records of label bytes and 3 x 32 x 32 pixels,
// nothing else. CIFAR-100 has two labels, coarse then fine; the fine one is used.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/source/image_set.h"
#include "data/source/reader.h"

namespace tbn {

// Reads `files` one after another. `label_limits` has the number of classes of each label byte; the
// last label is kept. Throws DataError: a file that is empty or no whole number of records, or a
// label out of range, with the record's number.
ImageSet read_cifar(const std::vector<std::filesystem::path>& files,
                    const std::vector<int>& label_limits, std::vector<std::string> class_names);

DatasetReader cifar10_reader();
DatasetReader cifar100_reader();

}  // namespace tbn
