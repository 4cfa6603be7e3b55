// What runs a packed network in the tools: a session on the processor or on a CUDA device, or the
// integers of an exported C file.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>

#include "app/support/options.h"
#include "micro/integer.h"
#include "tbn/runtime.h"

namespace tbn {

// Runs `batch` examples: input [batch, input shape], output [batch, output shape].
using PackedSession =
    std::function<void(std::span<const float> input, std::int64_t batch, std::span<float> output)>;

// --device, --precision, --kernel, --threads and --backend, whose default is exact.
void add_session_options(CommandLine& line);

// --backend micro: the integers of exported C, which are no backend of sessions.
bool asks_for_micro(const CommandLine& line);
// Throws ConfigError for a --backend that there is not; micro is int8 here.
Backend backend_of(const CommandLine& line);
// --threads; 0 where it is not given.
std::int64_t threads_of(const CommandLine& line);
// The same, all cores where it is not given.
int session_threads(const CommandLine& line);

// Throws ConfigError for options of sessions that do nothing beside the others: --kernel on the
// processor, --backend and --threads on a CUDA device, another precision for integers.
void check_session_options(const CommandLine& line);

// A session on the device that was asked for, and on no other; not of --backend micro.
PackedSession open_session(const CommandLine& line, const std::shared_ptr<const Network>& network);

// The int8 form for microcontrollers, of the ranges that the file carries. `path` is for errors.
micro::IntegerNetwork micro_network(const Network& network, const std::string& path);

}  // namespace tbn
