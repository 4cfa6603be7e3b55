// What a data set is to the rest of tbn: a name, the files that give it away, and a function that
// reads it. To add one, write a file that returns a DatasetReader and list it in dataset.cpp.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/image_set.h"

namespace tbn {

struct DatasetReader {
  std::string name;                  // as written in a configuration
  std::vector<std::string> folders;  // looked into below a root; "" is the root itself
  std::vector<std::string> signs;    // any of these files in a folder: the data set is there
  std::string package;               // Debian package that installs it, or empty
  std::filesystem::path package_root;

  // Reads the training or the test images of `folder`. Throws DataError.
  std::function<ImageSet(const std::filesystem::path& folder, bool train)> read;
};

// The first of `names` that exists in `folder`.
std::optional<std::filesystem::path> find_first(const std::filesystem::path& folder,
                                                const std::vector<std::string>& names);

}  // namespace tbn
