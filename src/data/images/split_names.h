// Folders that look like the splits of a folder of pictures, under names that are not read.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tbn {

// The names that a split's folder may have.
inline const std::vector<std::string> kTrainNames = {"train"};
inline const std::vector<std::string> kValidationNames = {"val", "validation"};
inline const std::vector<std::string> kTestNames = {"test"};

// "; 'pets/valid' is not read: rename it to 'val' if it is that", of each folder of `root` whose
// name resembles a split's that is not there itself. Empty where there is none.
std::string mistaken_splits(const std::filesystem::path& root);

}  // namespace tbn
