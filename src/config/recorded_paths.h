// Paths that a run recorded as they were typed, relative to the folder that it was started in.
#pragma once

#include <string>

namespace tbn {

// Throws DataError where nothing is at a path that `source` recorded as the value of `key`: what
// was recorded, the folder that it was looked for in, what is near, and `way_out`. An empty path is
// none.
void check_recorded_path(const std::string& key, const std::string& recorded,
                         const std::string& source, const std::string& way_out);

}  // namespace tbn
