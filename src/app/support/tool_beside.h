// Where the other tools lie.
#pragma once

#include <string>

namespace tbn {

// The path of another tool, "tbn-train": beside this one. Throws SystemError where that cannot be
// found out.
std::string tool_beside(const std::string& name);

}  // namespace tbn
