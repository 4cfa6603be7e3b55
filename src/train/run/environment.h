// What a run was made with: versions, machine, command line. For environment.json.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "file/json.h"

namespace tbn {

// {"tbn", "libtorch", "cpu", "cores", "system", "device", "threads", "date", "command", "seed"}
Json environment_json(const std::vector<std::string>& command_line, const std::string& device,
                      std::int64_t seed);

// "AMD EPYC 9124 16-Core Processor", or "unknown".
std::string cpu_name();

// "2026-03-01T12:30:05Z"
std::string utc_now();

// Where environment.json of a run that continues says another number of threads: that its bits will
// be others, in a sentence. Empty where it is the same, or cannot be read.
std::string threads_note(const std::filesystem::path& environment, std::int64_t threads);

}  // namespace tbn
