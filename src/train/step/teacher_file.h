// The file of a teacher, marked by its bytes: what is kept of a teacher's answers must be known to
// be those of the teacher that gave them.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace tbn {

// "CRC-32C 1c291ca3 of 5121 bytes" of a file, whatever its name. Throws as Reader does.
std::string mark_of_file(const std::filesystem::path& path);

// Calls `read`, which reads the file, and returns the mark of what it read. Throws DataError,
// beginning with `key`, where the file is another afterwards: nobody knows which one was read.
std::string read_marked(const std::string& key, const std::filesystem::path& path,
                        const std::function<void()>& read);

}  // namespace tbn
