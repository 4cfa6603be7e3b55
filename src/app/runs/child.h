// A training as a process of its own.
#pragma once

#include <string>
#include <vector>

namespace tbn::app {

// Runs a program to its end and returns its exit code, 128 + n where signal n ended it. Its
// standard output is dropped unless `shows`; its errors are this process's. Signals that end a
// training (docs/runs.md) are passed on meanwhile, and returned as the child answers them. Throws
// SystemError where the program cannot be started.
int run_child(const std::vector<std::string>& command, bool shows);

}  // namespace tbn::app
