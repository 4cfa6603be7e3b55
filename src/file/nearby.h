// Where a path that is not there perhaps leads: for the sentences of errors.
#pragma once

#include <filesystem>
#include <string>

namespace tbn {

// Whether nothing is at a path; what may not be looked at is not missing.
bool is_missing(const std::filesystem::path& path);

// Of a path that is_missing(), the end of a sentence. For a relative one the folder that it was
// looked for in, then what is near: the same path from a folder above or without its first folders,
// else what the last of its folders that exist holds.
//
//   " in '/work/runs'; '../runs/a' is there"
//   " in '/work'; '/work/runs' holds 'resnet18' (did you mean that?)"
//   "; '/work/runs' holds 'a', 'b', 'c' and 4 more"
std::string nearby(const std::filesystem::path& missing);

}  // namespace tbn
