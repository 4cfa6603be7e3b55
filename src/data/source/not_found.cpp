// Parts of its message.
#include "data/source/not_found.h"

#include <system_error>

#include "base/shown.h"
#include "data/source/reader.h"
#include "file/nearby.h"

namespace tbn {

std::string missing_text(const std::filesystem::path& path) {
  return "there is no '" + path.string() + "'" + nearby(path);
}

std::string found_below(const std::filesystem::path& root,
                        const std::vector<std::string>& marker_files) {
  constexpr int kMost = 1000;  // entries that are looked at
  std::error_code error;
  int seen = 0;
  for (std::filesystem::directory_iterator at(root, error), end;
       !error && at != end && seen < kMost; at.increment(error), ++seen) {
    if (find_first(at->path(), marker_files))
      return "; '" + shown(at->path().string()) + "' has it";
  }
  return {};
}

}  // namespace tbn
