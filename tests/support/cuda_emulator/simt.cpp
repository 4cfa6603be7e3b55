// Fibers for the threads of the device, and what they wait at.
#include "support/cuda_emulator/device.h"

#include <sys/mman.h>

#include <algorithm>
#include <exception>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/cuda_emulator/stream.h"

#ifndef __x86_64__
#error "the emulator switches between fibers as x86-64 does"
#endif

// Saves what a called function must keep, and goes on where `to` was saved.
extern "C" void tbn_switch_fiber(void** from, void* to);
asm(R"(
  .text
  .globl tbn_switch_fiber
tbn_switch_fiber:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");

namespace cuda_emulator {
namespace {

constexpr std::size_t kStackBytes = 256 * 1024;

// How many threads meet at one place, and how often they have.
struct Meeting {
  int arrived = 0;
  std::uint64_t rounds = 0;
  std::vector<void*> given;
};

struct Warp {
  std::map<unsigned, Meeting> meetings;  // by their lanes
};

struct Block {
  std::vector<std::byte> shared_storage;
  std::byte* shared = nullptr;
  std::vector<Warp> warps;
  std::map<std::pair<int, int>, Meeting> groups;
  std::map<int, Meeting> named;
  Meeting all;
  int running = 0;
  std::shared_ptr<void> extension;
};

struct Fiber {
  Place place;
  Block* block = nullptr;
  int number = 0;  // in the block
  void* stack_pointer = nullptr;
  bool done = false;
  std::shared_ptr<void> state;
};

struct Launch {
  const std::function<void()>* thread = nullptr;
  std::vector<Fiber> fibers;
  Fiber* running = nullptr;
  void* scheduler = nullptr;  // its stack pointer
  bool moved = false;         // in this turn of all fibers
  std::exception_ptr error;
};

Launch* current = nullptr;
bool reversed_blocks = false;
unsigned shuffled_by = 0;       // the seed of the threads' order, 0: in order
std::minstd_rand random_turns;  // where it is not 0

// Stacks are kept: a launch after another of the same size makes none.
std::vector<std::byte*>& stacks() {
  static std::vector<std::byte*> all;
  return all;
}

std::byte* stack(std::size_t i) {
  while (stacks().size() <= i) {
    void* memory = mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    mprotect(memory, 4096, PROT_NONE);  // what runs over its end stops there
    stacks().push_back(static_cast<std::byte*>(memory));
  }
  return stacks()[i];
}

void leave() { tbn_switch_fiber(&current->running->stack_pointer, current->scheduler); }

[[noreturn]] void run_thread() {
  try {
    (*current->thread)();
  } catch (...) {
    if (current->error == nullptr) current->error = std::current_exception();
  }
  Fiber& self = *current->running;
  self.done = true;
  --self.block->running;
  current->moved = true;
  leave();
  __builtin_unreachable();
}

void prepare(Fiber& fiber, std::byte* memory) {
  auto* top = reinterpret_cast<void**>(memory + kStackBytes);
  // At a function's entry the stack pointer is 8 below a multiple of 16.
  top -= 1;
  *top = nullptr;
  *--top = reinterpret_cast<void*>(&run_thread);
  for (int saved = 0; saved < 6; ++saved) *--top = nullptr;
  fiber.stack_pointer = top;
}

Fiber& self() { return *current->running; }

void meet(Meeting& meeting, int count, std::size_t index, std::size_t size, void* given,
          const std::function<void(void**)>& compute) {
  meeting.given.resize(size);
  meeting.given[index] = given;
  const std::uint64_t round = meeting.rounds;
  if (++meeting.arrived == count) {
    compute(meeting.given.data());
    meeting.arrived = 0;
    ++meeting.rounds;
    current->moved = true;
    return;
  }
  wait_until([&meeting, round] { return meeting.rounds != round; });
}

// Lets a thread run until it waits. Whether it goes on later.
bool resume(Fiber& fiber) {
  if (fiber.done) return false;
  current->running = &fiber;
  tbn_switch_fiber(&current->scheduler, fiber.stack_pointer);
  if (current->error != nullptr) std::rethrow_exception(current->error);
  return !fiber.done;
}

// Fibers [begin, end), which are a warp's.
struct WarpFibers {
  std::size_t begin, end;
};
std::vector<WarpFibers> warps_of(const std::vector<Fiber>& fibers) {
  std::vector<WarpFibers> warps;
  for (std::size_t i = 0; i < fibers.size(); ++i) {
    if (fibers[i].number % 32 == 0) warps.push_back({i, i});
    warps.back().end = i + 1;
  }
  return warps;
}

bool turn_in_order() {
  bool left = false;
  for (Fiber& fiber : current->fibers) left = resume(fiber) || left;
  return left;
}

// A warp after another as far as it comes without the others, lanes and warps in any order: as
// uneven as threads can be that only barriers keep together.
bool turn_shuffled(std::vector<WarpFibers>& warps) {
  constexpr int kMostTurns = 1000;  // of a warp that asks and asks whether others have come
  std::shuffle(warps.begin(), warps.end(), random_turns);
  bool left = false, any_moved = false;
  for (const WarpFibers& warp : warps) {
    std::vector<std::size_t> lanes(warp.end - warp.begin);
    std::iota(lanes.begin(), lanes.end(), warp.begin);
    std::shuffle(lanes.begin(), lanes.end(), random_turns);
    bool warp_left = true;
    current->moved = true;
    for (int i = 0; i < kMostTurns && warp_left && current->moved; ++i) {
      current->moved = warp_left = false;
      for (const std::size_t lane : lanes) {
        warp_left = resume(current->fibers[lane]) || warp_left;
      }
      any_moved = any_moved || current->moved;
    }
    left = left || warp_left;
  }
  current->moved = any_moved;
  return left;
}

void run_all(const char* name) {
  std::vector<WarpFibers> warps = warps_of(current->fibers);
  bool left = true;
  while (left) {
    current->moved = false;
    left = shuffled_by != 0 ? turn_shuffled(warps) : turn_in_order();
    if (left && !current->moved) {
      throw std::runtime_error(std::string("kernel ") + name +
                               ": all of its threads wait for each other");
    }
  }
}

uint3 index_of(std::int64_t i, dim3 size) {
  return {static_cast<unsigned>(i % size.x), static_cast<unsigned>(i / size.x % size.y),
          static_cast<unsigned>(i / size.x / size.y)};
}

std::int64_t volume(dim3 size) { return std::int64_t{size.x} * size.y * size.z; }

// Blocks [first, first + count) of a launch, together.
void run_blocks(std::int64_t first, std::int64_t count, dim3 blocks, dim3 threads,
                std::size_t shared_bytes, const char* name, const std::function<void()>& thread) {
  constexpr std::size_t kAlignment = 1024;
  const auto each = static_cast<int>(volume(threads));
  Launch launch{.thread = &thread};
  std::vector<std::unique_ptr<Block>> made;
  for (std::int64_t b = 0; b < count; ++b) {
    auto block = std::make_unique<Block>();
    // Of what an earlier block left there nothing may be taken for granted.
    block->shared_storage.assign(shared_bytes + kAlignment, std::byte{0xff});
    const auto begin = reinterpret_cast<std::uintptr_t>(block->shared_storage.data());
    block->shared = block->shared_storage.data() + (kAlignment - begin % kAlignment) % kAlignment;
    block->warps.resize(static_cast<std::size_t>((each + 31) / 32));
    block->running = each;
    for (int t = 0; t < each; ++t) {
      launch.fibers.push_back(
          {.place = {index_of(t, threads), index_of(first + b, blocks), threads, blocks},
           .block = block.get(),
           .number = t});
    }
    made.push_back(std::move(block));
  }
  for (std::size_t i = 0; i < launch.fibers.size(); ++i) prepare(launch.fibers[i], stack(i));
  Launch* const outer = std::exchange(current, &launch);
  try {
    run_all(name);
  } catch (...) {
    current = outer;
    throw;
  }
  current = outer;
}

}  // namespace

const Place& place() { return self().place; }
void* shared_memory() { return self().block->shared; }
int thread_of_block() { return self().number; }
std::shared_ptr<void>& thread_state() { return self().state; }
int lane() { return self().number % 32; }
std::shared_ptr<void>& block_extension() { return self().block->extension; }

void wait_until(const std::function<bool()>& ready) {
  while (!ready()) leave();
  current->moved = true;
}

void warp_together(unsigned lanes, void* given, void (*compute)(unsigned, void**)) {
  Fiber& fiber = self();
  Warp& warp = fiber.block->warps[static_cast<std::size_t>(fiber.number / 32)];
  const int left = fiber.block->shared == nullptr
                       ? 0
                       : static_cast<int>(volume(fiber.place.threads)) - fiber.number / 32 * 32;
  // A last warp that is not full has fewer lanes than the mask says.
  const unsigned there = left >= 32 ? ~0u : (1u << left) - 1;
  const unsigned members = lanes & there;
  if ((members >> lane() & 1u) == 0) {
    throw std::runtime_error("a thread calls a warp's function whose mask leaves it out");
  }
  meet(warp.meetings[members], __builtin_popcount(members), static_cast<std::size_t>(lane()), 32,
       given, [&](void** all) { compute(members, all); });
}

void group_together(int name, int count, void* given, void (*compute)(int, void**)) {
  Fiber& fiber = self();
  Meeting& meeting = fiber.block->groups[{name, fiber.number / count}];
  meet(meeting, count, static_cast<std::size_t>(fiber.number % count),
       static_cast<std::size_t>(count), given, [&](void** all) { compute(count, all); });
}

void block_barrier() {
  // Threads that have returned no longer count; who waits looks again whenever one does.
  Block& block = *self().block;
  Meeting& meeting = block.all;
  const std::uint64_t round = meeting.rounds;
  ++meeting.arrived;
  wait_until([&] {
    if (meeting.rounds != round) return true;
    if (meeting.arrived < block.running) return false;
    meeting.arrived = 0;
    ++meeting.rounds;
    return true;
  });
}

void named_barrier(int name, int count) {
  meet(self().block->named[name], count, 0, 1, nullptr, [](void**) {});
}

void set_reversed_blocks(bool reversed) { reversed_blocks = reversed; }
unsigned set_shuffled_threads(unsigned seed) {
  random_turns.seed(seed);
  return std::exchange(shuffled_by, seed);
}

void launch(dim3 blocks, dim3 threads, std::size_t shared_bytes, bool cooperative,
            cudaStream_t stream, const char* name, std::function<void()> thread) {
  constexpr std::int64_t kMostThreads = 1024;
  constexpr std::size_t kMostShared = 227 * 1024;
  if (volume(blocks) <= 0 || volume(threads) <= 0 || volume(threads) > kMostThreads ||
      blocks.y > 65535 || blocks.z > 65535 || shared_bytes > kMostShared) {
    throw std::runtime_error(std::string("kernel ") + name + ": no device could launch it");
  }
  on_stream(stream, [=, label = std::string(name), body = std::move(thread)] {
    const std::int64_t all = volume(blocks);
    const std::int64_t together = cooperative ? all : 1;
    const bool reversed = reversed_blocks || (shuffled_by != 0 && random_turns() % 2 == 0);
    for (std::int64_t first = 0; first < all; first += together) {
      run_blocks(reversed ? all - together - first : first, together, blocks, threads, shared_bytes,
                 label.c_str(), body);
    }
  });
}

}  // namespace cuda_emulator
