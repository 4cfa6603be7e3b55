// What the tools print under --json: one document on the standard output and nothing else there.
#pragma once

#include <string>

#include "file/json.h"

namespace tbn {

// Writes `document`, indented, to the standard output. Throws SystemError where that fails.
void print_json(const Json& document);

// A document on one line, which ends with a line break.
std::string json_line(const Json& document);

}  // namespace tbn
