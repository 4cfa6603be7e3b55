// Looks whether something is there.
#include "config/recorded_paths.h"

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "config/problems.h"
#include "tbn/error.h"

namespace tbn {

void check_recorded_path(const std::string& key, const std::string& recorded,
                         const std::string& source, const std::string& way_out) {
  const std::filesystem::path path = recorded;
  std::error_code error;
  if (path.empty() || std::filesystem::exists(path, error) || error) return;
  const std::string shown = printable(recorded);
  if (path.is_absolute()) {
    throw DataError(fmt::format("{}: {} was recorded as '{}', which is not there; {}", source, key,
                                shown, way_out));
  }
  const std::filesystem::path here = std::filesystem::absolute(path, error).lexically_normal();
  throw DataError(fmt::format(
      "{}: {} was recorded as '{}', and from here that is '{}', which is not there; go to the "
      "folder that the run was started in, or {}",
      source, key, shown, printable(here.string()), way_out));
}

}  // namespace tbn
