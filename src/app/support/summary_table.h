// The summary of a network as a table for people and as JSON for programs.
#pragma once

#include <string>

#include "file/json.h"
#include "tbn/model.h"

namespace tbn {

// One line per weight layer (shape, form, p, tile length, scalars, bits per weight, bytes,
// multiply-adds), the totals, and their ratio to one bit and to 32 bits per weight and to dense
// arithmetic. Ends with a line break.
std::string summary_table(const Summary& summary);

// {"totals": {...}, "layers": [{"name", "weights", "bits", "bits_per_weight", "bytes", "macs",
// ...}]}
Json summary_json(const Summary& summary);

}  // namespace tbn
