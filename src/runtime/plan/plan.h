// The memory plan: where in one arena each value of a network lies, by liveness. Values that are
// never alive together share memory, and an elementwise op writes over an input that dies with
// it. So does a layer with a second input, which it adds to its sums (see fuse_additions.h).
#pragma once

#include <cstdint>
#include <vector>

#include "tbn/graph.h"

namespace tbn {

// Slots start on multiples of this many floats, one cache line.
inline constexpr std::int64_t kSlotAlignment = 16;
// The most values an arena may hold (8 GiB of floats): what a small hostile file can make us ask
// for.
inline constexpr std::int64_t kMaxArenaValues = std::int64_t{1} << 31;

struct Slot {
  std::int64_t offset = -1;  // in floats; -1 for the input, which stays where the caller has it
  std::int64_t size = 0;     // in floats
  NodeId first = 0;          // the step that writes it
  NodeId last = 0;           // the last step that reads it; one past the last node for the output
};

struct MemoryPlan {
  std::vector<Slot> slots;  // one per node
  std::int64_t arena_values = 0;
};

// The same graph gives the same plan. Throws DataError beginning with "network '<name>': " where
// the arena would exceed kMaxArenaValues.
MemoryPlan plan_memory(const Graph& graph);

}  // namespace tbn
