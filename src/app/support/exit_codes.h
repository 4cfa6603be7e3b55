// What the tools return, and the frame that turns exceptions into one sentence and a code.
#pragma once

#include <functional>
#include <string>

namespace tbn {

constexpr int kDone = 0;
constexpr int kRuntimeFailure = 1;  // the machine failed us, or a bug
constexpr int kUsage = 2;           // the command line or the configuration
constexpr int kBadData = 3;         // a data set or model file
constexpr int kNonFinite = 4;       // the loss or a weight became infinite or not a number
constexpr int kSignal = 128;        // and the number of the signal that stopped a run, after saving

// Calls `body` and returns its code. What it throws becomes "tbn-train: error: <sentence>" on the
// standard error output and the code of its type; several problems of a configuration follow a
// heading, a line each. A standard output that cannot be written is an error too. Before anything
// else, those of the descriptors 0 to 2 that are closed are opened on /dev/null: else the next file
// that is opened would be the console.
int run_tool(const std::string& name, const std::function<int()>& body);

}  // namespace tbn
