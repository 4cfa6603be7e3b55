// Suggestions for paths that do not exist, for error messages.
#pragma once

#include <filesystem>
#include <string>

namespace tbn {

// Whether nothing is at a path; what may not be looked at is not missing.
bool is_missing(const std::filesystem::path& path);

// The end of a sentence about a path that is_missing(). It names the folder that a relative path
// was looked for in, then what is near: the same path from a folder above or without its first
// folders, else what the last of its folders that exist holds; nothing of one that may not be
// listed, and no number of names where there are very many.
//
//   " in '/work/runs'; '../runs/a' is there"
//   " in '/work'; '/work/runs' holds 'resnet18' (did you mean that?)"
//   "; '/work/runs' holds 'a', 'b', 'c' and 4 more"
std::string nearby(const std::filesystem::path& missing);

}  // namespace tbn
