// Where this source tree lies: configurations, samples and golden files that tests read.
#pragma once

#include <filesystem>

namespace tbn::test {

// The top folder of the sources that the tests were built from.
std::filesystem::path source_dir();

}  // namespace tbn::test
