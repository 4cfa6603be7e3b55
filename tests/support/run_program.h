// Runs a program for a CPU backend without a session, so that the instruction set can be chosen.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "runtime/cpu/program.h"

namespace tbn::test {

// The program on one example, in memory that holds no numbers, its parts backwards.
std::vector<float> run(const cpu::CpuProgram& program, const Graph& graph,
                       std::span<const float> input, RunObserver* observer = nullptr);

// Counts the kernels of a name that run.
struct KernelCount : RunObserver {
  explicit KernelCount(std::string_view wanted) : name(wanted) {}
  void ran(NodeId /*node*/, const char* kernel, double /*seconds*/) override {
    count += kernel == name ? 1 : 0;
  }
  std::string_view name;
  int count = 0;
};

}  // namespace tbn::test
