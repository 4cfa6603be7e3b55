// The memory plan: nothing alive is overwritten, and dead memory is used again.
#include <random>

#include "graph/passes/passes.h"
#include "runtime/plan/fuse_additions.h"
#include "runtime/plan/plan.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/random_model.h"
#include "tbn/error.h"

using namespace tbn;

namespace {

// Whether two values are alive at the same step. A value that is written in the step that reads the
// other last meets it too, but for an elementwise op that overwrites its input.
bool alive_together(const Slot& a, const Slot& b) {
  const Slot& earlier = a.first < b.first ? a : b;
  const Slot& later = a.first < b.first ? b : a;
  if (earlier.last > later.first) return true;
  const bool overwrites = earlier.offset == later.offset && earlier.size == later.size;
  return earlier.last == later.first && !overwrites;
}

bool overlap(const Slot& a, const Slot& b) {
  return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}

void check_plan(const Graph& graph) {
  const MemoryPlan plan = plan_memory(graph);
  REQUIRE(plan.slots.size() == graph.nodes.size());
  for (std::size_t i = 1; i < plan.slots.size(); ++i) {
    const Slot& slot = plan.slots[i];
    INFO(describe(graph.nodes[i]));
    CHECK(slot.offset >= 0);
    CHECK(slot.offset % kSlotAlignment == 0);
    CHECK(slot.offset + slot.size <= plan.arena_values);
    for (std::size_t k = 1; k < i; ++k) {
      if (alive_together(slot, plan.slots[k]) && overlap(slot, plan.slots[k])) {
        FAIL_CHECK(describe(graph.nodes[i]) << " overwrites " << describe(graph.nodes[k]));
      }
    }
  }
}

// A tangle of additions, activations and linears whose inputs are any earlier values.
Graph tangle(std::uint64_t seed) {
  std::mt19937_64 engine(seed);
  GraphBuilder b("tangle");
  std::vector<Value> values = {b.input({24})};
  const auto any = [&] { return values[engine() % values.size()]; };
  for (int i = 0; i < 40; ++i) {
    const auto kind = engine() % 3;
    values.push_back(kind == 0 ? any() + any() : kind == 1 ? any().relu() : any().linear(24));
  }
  Value sum = values.back();
  for (const Value& value : values) sum = sum + value;
  return b.finish(sum);
}

}  // namespace

TEST_CASE("no two live values of a plan overlap") {
  check_plan(pack_model(test::random_trained(test::odd_network(), 1)).graph);
  for (std::uint64_t seed = 0; seed < 50; ++seed) check_plan(tangle(seed));
  for (std::uint64_t seed = 0; seed < 50; ++seed) check_plan(fuse_additions(tangle(seed)));
}

TEST_CASE("the same graph gives the same plan") {
  const MemoryPlan a = plan_memory(tangle(7));
  const MemoryPlan b = plan_memory(tangle(7));
  CHECK(a.arena_values == b.arena_values);
  for (std::size_t i = 0; i < a.slots.size(); ++i) CHECK(a.slots[i].offset == b.slots[i].offset);
}

TEST_CASE("a chain of layers needs the two largest neighbours") {
  GraphBuilder b("chain");
  Value x = b.input({16});
  for (int i = 0; i < 10; ++i) x = x.linear(160);
  CHECK(plan_memory(b.finish(x)).arena_values == 320);
}

TEST_CASE("elementwise ops overwrite an input that dies, and no other") {
  GraphBuilder b("net");
  const Value x = b.input({16}).linear(16);  // 1, read again by the sum
  const Value y = x.relu();                  // 2 must not overwrite 1
  const Value z = y.flatten();               // 3 overwrites 2
  const MemoryPlan plan = plan_memory(b.finish(x + z));
  CHECK(plan.slots[0].offset == -1);
  CHECK(plan.slots[2].offset != plan.slots[1].offset);
  CHECK(plan.slots[3].offset == plan.slots[2].offset);
  CHECK(plan.slots[4].offset == plan.slots[1].offset);
  CHECK(plan.arena_values == 32);
}

TEST_CASE("ops on sequences that read each position only to write it overwrite it too") {
  GraphBuilder b("net");
  const Value x = b.input({4, 4}).linear(4);
  Value y = x.reshape({4, 4}).position_embedding().add_identity();
  y = y - y.transpose();  // the transpose may not take the place of what it reads
  const Graph graph = b.finish(y * y);
  const MemoryPlan plan = plan_memory(graph);
  REQUIRE(plan.slots.size() == 8);
  for (const std::size_t i : {2u, 3u, 4u, 6u, 7u}) CHECK(plan.slots[i].offset == 0);
  CHECK(plan.slots[5].offset == 16);
  CHECK(plan.arena_values == 32);
}

TEST_CASE("an op whose only input is the caller's does not write over it") {
  GraphBuilder b("net");
  const MemoryPlan plan = plan_memory(b.finish(b.input({5}).relu()));
  CHECK(plan.slots[1].offset == 0);
  CHECK(plan.arena_values == kSlotAlignment);
}

TEST_CASE("a network with more activations than the limit is refused") {
  GraphBuilder b("wide");
  const Value x = b.input({1}).linear(2'000'000'000);
  const Graph graph = b.finish(x + x.relu());
  const std::string message = test::message_of<DataError>([&] { plan_memory(graph); });
  CHECK(test::says(message, {"network 'wide'", "2,147,483,648", "activation 'relu1'"}));
}
