// Runs a program for a CPU backend without a session, so that the instruction set can be chosen.
#pragma once

#include <span>
#include <vector>

#include "runtime/cpu/program.h"

namespace tbn::test {

// The program on one example, in memory that holds no numbers, its parts backwards.
std::vector<float> run(const cpu::CpuProgram& program, const Graph& graph,
                       std::span<const float> input, RunObserver* observer = nullptr);

}  // namespace tbn::test
