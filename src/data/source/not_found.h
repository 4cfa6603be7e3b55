// Data that are not where they were looked for, which whoever knows who named the place may say
// more about.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tbn/error.h"

namespace tbn {

class DataNotFound final : public DataError {
 public:
  using DataError::DataError;
};

// "there is no 'x'", with what is near.
std::string missing_text(const std::filesystem::path& path);

// "; 'pets/photos' has it", where a folder right below `root` has one of the signs that give a data
// set away; empty where none has.
std::string found_below(const std::filesystem::path& root, const std::vector<std::string>& signs);

}  // namespace tbn
