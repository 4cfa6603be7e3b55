// The arena: nothing that lives at once overlaps, and little is wasted.
#include <algorithm>

#include "micro/lower.h"
#include "micro/plan.h"
#include "support/catch.h"
#include "support/micro_cases.h"

using namespace tbn;
using namespace tbn::test;

namespace {

struct Lifetime {
  std::int64_t offset, bytes, first, last;
};

// Of every value, by who reads it; a value that is written in place shares its input's memory at
// the step that writes it.
std::vector<Lifetime> lifetimes(const micro::Network& network, const micro::Arena& arena) {
  std::vector<Lifetime> lives;
  for (std::size_t v = 0; v < network.sizes.size(); ++v) {
    lives.push_back({arena.offsets[v], network.sizes[v], -1, -1});
  }
  for (std::size_t i = 0; i < network.steps.size(); ++i) {
    const auto at = static_cast<std::int64_t>(i);
    const micro::MicroStep& step = network.steps[i];
    lives[static_cast<std::size_t>(step.output)].first = at;
    lives[static_cast<std::size_t>(step.output)].last = at;
    for (const int v : step.inputs) lives[static_cast<std::size_t>(v)].last = at;
  }
  lives[static_cast<std::size_t>(network.output)].last =
      static_cast<std::int64_t>(network.steps.size());
  return lives;
}

bool overlap(const Lifetime& a, const Lifetime& b) {
  return a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

// The bytes of the arena that hold something at a step, one by one.
std::int64_t held_at(std::int64_t step, const std::vector<Lifetime>& lives,
                     const micro::Arena& arena, std::int64_t scratch) {
  std::vector<bool> held(static_cast<std::size_t>(arena.bytes));
  const auto hold = [&](std::int64_t offset, std::int64_t bytes) {
    const auto begin = held.begin() + offset;
    std::fill(begin, begin + (bytes + 3) / 4 * 4, true);
  };
  for (const Lifetime& value : lives) {
    if (value.first <= step && step <= value.last) hold(value.offset, value.bytes);
  }
  hold(arena.scratch[static_cast<std::size_t>(step)], scratch);
  return std::count(held.begin(), held.end(), true);
}

micro::MicroStep step_of(micro::Action action, std::vector<int> inputs, int output) {
  return {"step", std::move(action), std::move(inputs), output, {}, {}};
}

}  // namespace

TEST_CASE("micro: values that live at once do not overlap in the arena") {
  for (const MicroCase& micro_case : micro_cases()) {
    INFO(micro_case.name);
    const micro::Network network = micro::lower(micro_case.packed);
    const std::vector<std::int64_t> scratch(network.steps.size(), 100);
    const micro::Arena arena = micro::plan_arena(network, network.sizes, scratch);
    const std::vector<Lifetime> lives = lifetimes(network, arena);
    for (std::size_t a = 0; a < lives.size(); ++a) {
      CHECK(lives[a].offset % 4 == 0);
      CHECK(lives[a].offset + lives[a].bytes <= arena.bytes);
      for (std::size_t b = a + 1; b < lives.size(); ++b) {
        const Lifetime &x = lives[a], &y = lives[b];
        const bool at_once = x.first <= y.last && y.first <= x.last;
        // Where y is written as x is read for the last time, they may be the same memory.
        const bool in_place = y.first == x.last && x.offset == y.offset && x.bytes == y.bytes;
        if (at_once && !in_place) CHECK_FALSE(overlap(x, y));
      }
    }
    for (std::size_t i = 0; i < scratch.size(); ++i) {
      const Lifetime own{arena.scratch[i], scratch[i], static_cast<std::int64_t>(i), 0};
      for (const Lifetime& value : lives) {
        const bool lives_now = value.first <= own.first && own.first <= value.last;
        if (lives_now) CHECK_FALSE(overlap(own, value));
      }
    }
  }
}

TEST_CASE("micro: the arena of a chain is what its largest step needs") {
  GraphBuilder b("chain");
  Value x = b.input({1, 28, 28});
  for (const std::int64_t channels : {16, 8, 24, 4}) {
    x = x.conv(channels, {.kernel = 3, .weights = binary()});
  }
  const Graph graph = b.finish(x);
  micro::Network network;
  network.sizes = {784, 784 * 16, 784 * 8, 784 * 24, 784 * 4};
  for (int i = 0; i < 4; ++i) {
    network.steps.push_back({"conv", micro::Layer{}, {i}, i + 1, {}, {}});
  }
  network.output = 4;
  const micro::Arena arena =
      micro::plan_arena(network, network.sizes, std::vector<std::int64_t>(4, 0));
  CHECK(arena.bytes == 784 * 32);
}

TEST_CASE(
    "micro: what lives at a step is what the arena holds then, and the most of it is its size") {
  for (const MicroCase& micro_case : micro_cases()) {
    INFO(micro_case.name);
    const micro::Network network = micro::lower(micro_case.packed);
    const std::vector<std::int64_t> scratch(network.steps.size(), 101);
    const micro::Arena arena = micro::plan_arena(network, network.sizes, scratch);
    const std::vector<Lifetime> lives = lifetimes(network, arena);
    REQUIRE(arena.live.size() == network.steps.size());
    for (std::size_t i = 0; i < scratch.size(); ++i) {
      CHECK(arena.live[i] == held_at(static_cast<std::int64_t>(i), lives, arena, scratch[i]));
    }
    CHECK(*std::max_element(arena.live.begin(), arena.live.end()) == arena.bytes);
  }
}

TEST_CASE("micro: what waits for the end of a branch lives within it, and a sum in place once") {
  micro::Network network;
  network.sizes = {40, 100, 60, 100, 100, 8};
  network.steps = {step_of(micro::Layer{}, {0}, 1), step_of(micro::Layer{}, {1}, 2),
                   step_of(micro::Layer{}, {2}, 3), step_of(micro::Sum{}, {1, 3}, 4),
                   step_of(micro::Layer{}, {4}, 5)};
  network.output = 5;
  const micro::Arena arena =
      micro::plan_arena(network, network.sizes, std::vector<std::int64_t>{0, 0, 20, 0, 0});
  CHECK(arena.live == std::vector<std::int64_t>{140, 160, 280, 200, 108});
  CHECK(arena.bytes == 280);
}
