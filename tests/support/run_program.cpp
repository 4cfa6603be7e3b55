// The smallest caller that a program can have.
#include "support/run_program.h"

#include <cstdint>
#include <limits>

namespace tbn::test {

std::vector<float> run(const cpu::CpuProgram& program, const Graph& graph,
                       std::span<const float> input, RunObserver* observer) {
  static constexpr float kPoison = std::numeric_limits<float>::quiet_NaN();
  const auto poisoned = [](std::int64_t count) {
    return std::vector<float>(static_cast<std::size_t>(count) + 16, kPoison);
  };
  const auto line = [](std::vector<float>& memory) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory.data());
    const std::size_t bytes = (64 - address % 64) % 64;
    return memory.data() + bytes / std::size_t{sizeof(float)};
  };
  std::vector<float> arena = poisoned(program.arena_values());
  std::vector<float> shared = poisoned(program.shared_values());
  std::vector<const float*> inputs(static_cast<std::size_t>(program.most_inputs()));
  std::vector<float> output(static_cast<std::size_t>(element_count(graph.output_shape())), kPoison);
  program.run(
      input.data(), output.data(), {line(arena), line(shared), inputs.data()},
      [&](std::int64_t count, cpu::CpuProgram::Work work) {
        for (std::int64_t task = count; task-- > 0;) {
          std::vector<float> scratch = poisoned(program.scratch_values());
          work(task, line(scratch));
        }
      },
      observer);
  return output;
}

}  // namespace tbn::test
