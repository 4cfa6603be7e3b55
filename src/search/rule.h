// Choices by a layer's size alone, which cost no training.
#pragma once

#include "search/cost.h"

namespace tbn {

// Each layer takes the dearest choice that stores at most T bits, or its last one; T is the largest
// at which the network keeps the budget. What is left of the budget makes layers one choice dearer,
// the smallest first, round by round. The budget must have passed check_budget(); throws
// ConfigError where no such network keeps all of it.
Pick pick_by_size(CostMeter& meter, const Budget& budget);

}  // namespace tbn
