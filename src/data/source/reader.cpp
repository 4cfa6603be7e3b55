// The checks that every reader makes of its folder.
#include "data/source/reader.h"

#include <system_error>

namespace tbn {

std::optional<std::filesystem::path> find_first(const std::filesystem::path& folder,
                                                const std::vector<std::string>& names) {
  for (const auto& name : names) {
    std::error_code error;
    if (std::filesystem::exists(folder / name, error)) return folder / name;
  }
  return std::nullopt;
}

}  // namespace tbn
