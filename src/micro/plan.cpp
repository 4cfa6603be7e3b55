// Greedy by size first, as compilers of such networks do it; then other orders, until none of the
// arena is wasted or enough were tried.
#include "micro/plan.h"

#include <algorithm>
#include <numeric>

namespace tbn::micro {

namespace {

struct Block {
  std::int64_t bytes = 0;
  int first = 0;  // step that writes it; -1 before the first
  int last = 0;   // step that reads it last
  std::int64_t offset = -1;
  bool meets(const Block& other) const { return first <= other.last && other.first <= last; }
  bool lives_at(int step) const { return first <= step && step <= last; }
};

bool writes_in_place(const Action& action) {
  return std::holds_alternative<Sum>(action) || std::holds_alternative<ScaleChannels>(action) ||
         std::holds_alternative<Activate>(action);
}

std::vector<Block> value_blocks(const Network& network,
                                const std::vector<std::int64_t>& value_bytes) {
  std::vector<Block> blocks(value_bytes.size());
  for (std::size_t v = 0; v < blocks.size(); ++v) blocks[v] = {value_bytes[v], -1, -1};
  const int steps = static_cast<int>(network.steps.size());
  for (int i = 0; i < steps; ++i) {
    const MicroStep& step = network.steps[static_cast<std::size_t>(i)];
    blocks[static_cast<std::size_t>(step.output)].first = i;
    blocks[static_cast<std::size_t>(step.output)].last = i;
    for (const int value : step.inputs) blocks[static_cast<std::size_t>(value)].last = i;
  }
  blocks[static_cast<std::size_t>(network.output)].last = steps;
  return blocks;
}

// The value whose memory each value has: itself, or one that it is written over.
std::vector<std::size_t> owners(const Network& network, std::vector<Block>& blocks) {
  std::vector<std::size_t> owner(blocks.size());
  std::iota(owner.begin(), owner.end(), std::size_t{0});
  for (std::size_t i = 0; i < network.steps.size(); ++i) {
    const MicroStep& step = network.steps[i];
    if (!writes_in_place(step.action)) continue;
    const auto output = static_cast<std::size_t>(step.output);
    for (const int input : step.inputs) {
      const std::size_t from = owner[static_cast<std::size_t>(input)];
      const bool dies = blocks[static_cast<std::size_t>(input)].last == static_cast<int>(i) &&
                        blocks[from].last == static_cast<int>(i);
      if (!dies || blocks[from].bytes != blocks[output].bytes) continue;
      owner[output] = from;
      blocks[from].last = blocks[output].last;
      break;
    }
  }
  return owner;
}

// Each block in turn at the lowest offset that is free while it lives; returns the peak.
std::int64_t place(const std::vector<Block*>& blocks) {
  std::int64_t peak = 0;
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    std::vector<const Block*> busy;
    for (std::size_t j = 0; j < i; ++j) {
      if (blocks[j]->meets(*blocks[i])) busy.push_back(blocks[j]);
    }
    std::sort(busy.begin(), busy.end(),
              [](const Block* a, const Block* b) { return a->offset < b->offset; });
    std::int64_t offset = 0;
    for (const Block* other : busy) {
      if (other->offset - offset >= blocks[i]->bytes) break;
      offset = std::max(offset, other->offset + other->bytes);
    }
    blocks[i]->offset = offset;
    peak = std::max(peak, offset + blocks[i]->bytes);
  }
  return peak;
}

std::int64_t live_at(const std::vector<Block*>& blocks, int step) {
  std::int64_t live = 0;
  for (const Block* block : blocks) {
    if (block->lives_at(step)) live += block->bytes;
  }
  return live;
}

// What is alive at once at the worst step: no order needs less.
std::int64_t least_peak(const std::vector<Block*>& blocks) {
  std::int64_t most = 0;
  for (const Block* at : blocks) most = std::max(most, live_at(blocks, at->first));
  return most;
}

// Swaps blocks of the order at random, the same way each time, and keeps what is no worse.
void improve(std::vector<Block*>& order, std::int64_t peak, std::int64_t least) {
  constexpr std::size_t kWork = 4'000'000;  // pairs of blocks looked at, some tenths of a second
  const std::size_t tries = kWork / (order.size() * order.size() + 1);
  std::uint64_t state = 1;
  const auto random = [&] {
    state = state * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::size_t>(state >> 33) % order.size();
  };
  for (std::size_t i = 0; i < tries && peak > least; ++i) {
    const std::size_t a = random(), b = random();
    std::swap(order[a], order[b]);
    const std::int64_t now = place(order);
    if (now <= peak) {
      peak = now;
    } else {
      std::swap(order[a], order[b]);
    }
  }
}

std::int64_t place_well(std::vector<Block*> order) {
  std::stable_sort(order.begin(), order.end(),
                   [](const Block* a, const Block* b) { return a->bytes > b->bytes; });
  improve(order, place(order), least_peak(order));
  return place(order);
}

std::int64_t aligned(std::int64_t bytes) { return (bytes + 3) / 4 * 4; }

}  // namespace

Arena plan_arena(const Network& network, const std::vector<std::int64_t>& value_bytes,
                 const std::vector<std::int64_t>& scratch_bytes) {
  std::vector<Block> values = value_blocks(network, value_bytes);
  const std::vector<std::size_t> owner = owners(network, values);
  std::vector<Block> scratch(scratch_bytes.size());
  std::vector<Block*> all;
  for (std::size_t v = 0; v < values.size(); ++v) {
    values[v].bytes = aligned(values[v].bytes);
    if (owner[v] == v) all.push_back(&values[v]);
  }
  for (std::size_t i = 0; i < scratch.size(); ++i) {
    const int step = static_cast<int>(i);
    scratch[i] = {aligned(scratch_bytes[i]), step, step};
    all.push_back(&scratch[i]);
  }
  Arena arena{.bytes = place_well(all)};
  for (const std::size_t from : owner) arena.offsets.push_back(values[from].offset);
  for (const Block& block : scratch) {
    arena.scratch.push_back(block.offset);
    arena.live.push_back(live_at(all, block.first));
  }
  return arena;
}

}  // namespace tbn::micro
