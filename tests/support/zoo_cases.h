// A small network of every family of the zoo, quick to build and to run, for tests that go through
// all of them. A new family needs a case here.
#pragma once

#include <vector>

#include "tbn/models.h"

namespace tbn::test {

// One or more specs per family, in no particular order. p = 2 and 4 divide every layer's weights.
std::vector<ModelSpec> zoo_cases();

}  // namespace tbn::test
