// Golden texts: files in tests/golden/ that a text must equal. With TBN_APPROVE=1 in the
// environment (scripts/approve_golden.sh) the file is rewritten instead and the test still fails
// once.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include "support/catch.h"
#include "support/source_dir.h"
#include "support/temp_dir.h"

namespace tbn::test {

inline void check_golden(const std::string& file, const std::string& text) {
  const auto path = source_dir() / "tests" / "golden" / file;
  if (std::getenv("TBN_APPROVE") != nullptr) {
    const bool same = std::filesystem::exists(path) && read_file(path) == text;
    write_file(path, text);
    if (!same) FAIL(file << " was rewritten; look at the difference, then run the test again");
  }
  REQUIRE(std::filesystem::exists(path));
  CHECK(text == read_file(path));
}

}  // namespace tbn::test
