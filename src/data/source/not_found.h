// The error for data that is not where it was looked for. Code that knows who named the place may
// add to its message.
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

// "; 'pets/photos' has it", where a folder right below `root` has one of the marker files that give
// a data set away; empty where none has.
std::string found_below(const std::filesystem::path& root,
                        const std::vector<std::string>& marker_files);

}  // namespace tbn
