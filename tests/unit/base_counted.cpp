// Counts in sentences.
#include "base/counted.h"

#include <limits>

#include "support/catch.h"

using namespace tbn;

TEST_CASE("one of something is said in the singular, and any other number in the plural") {
  CHECK(counted(1, "sample") == "1 sample");
  CHECK(counted(0, "sample") == "0 samples");
  CHECK(counted(2, "sample") == "2 samples");
  CHECK(counted(1'234'567, "sample") == "1,234,567 samples");
  CHECK(counted(-1, "sample") == "-1 samples");
  CHECK(counted(std::numeric_limits<std::int64_t>::min(), "step") ==
        "-9,223,372,036,854,775,808 steps");
  CHECK(counted(1, "entry", "entries") == "1 entry");
  CHECK(counted(11, "entry", "entries") == "11 entries");
}
