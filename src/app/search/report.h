// What tbn-search prints and writes of networks.
#pragma once

#include <string>

#include "file/json.h"
#include "search/cost.h"

namespace tbn::app {

// "47,936 bytes, 312,345 bits, 8,123,456 multiply-adds", with RAM and flash where they are known.
std::string costs_text(const Costs& costs);
// "48,000 bytes, 40,000 bytes of RAM"
std::string budget_text(const Budget& budget);
Json costs_json(const Costs& costs);

// The layers of a space with their choices, and the costs of its ends.
std::string space_text(CostMeter& meter);
Json space_json(CostMeter& meter);

}  // namespace tbn::app
