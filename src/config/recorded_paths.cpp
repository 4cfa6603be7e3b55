// Looks for the files at recorded paths.
#include "config/recorded_paths.h"

#include <filesystem>

#include <fmt/format.h>

#include "config/problems.h"
#include "file/nearby.h"
#include "tbn/error.h"

namespace tbn {

void check_recorded_path(const std::string& key, const std::string& recorded,
                         const std::string& source, const std::string& way_out) {
  const std::filesystem::path path = recorded;
  if (path.empty() || !is_missing(path)) return;
  throw DataError(fmt::format(
      "{}: {} was recorded as '{}', which is not there{}; {}{}", source, key, printable(recorded),
      nearby(path), path.is_absolute() ? "" : "go to the folder that the run was started in, or ",
      way_out));
}

}  // namespace tbn
