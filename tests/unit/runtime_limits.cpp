// Small files that ask for absurd memory: what ops on sequences would take is known before any of
// it is taken.
#include <limits>

#include "runtime/plan/limits.h"
#include "runtime/plan/packed_ops.h"
#include "runtime/plan/plan.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/random_model.h"
#include "tbn/error.h"
#include "tbn/models.h"
#include "tbn/runtime.h"

using namespace tbn;
using test::says;

namespace {

std::string refusal(const Graph& graph) {
  return test::message_of<DataError>([&] { check_packed_ops(graph, "m.tbn"); });
}

Graph attention_of(std::int64_t tokens) {
  GraphBuilder b("net");
  return b.finish(b.input({3}).expand(tokens).attention({}));
}

}  // namespace

TEST_CASE("attention works on memory that grows with the tokens, not with their square") {
  for (const std::int64_t tokens : {std::int64_t{1000}, std::int64_t{2000}}) {
    const std::int64_t values = attention_scratch(Attention{.heads = 4}, {tokens, 32}).values();
    CHECK(values == tokens * (2 * 32 / 4 + 2));
  }
  const Attention windows{.heads = 2, .grid = {70, 7}, .window = 7};
  CHECK(attention_scratch(windows, {490, 6}).values() == 49 * (2 * 3 + 2));
}

TEST_CASE("attention over more tokens than memory may hold is refused") {
  // Four values per token: two of its one feature, a score and a region.
  check_packed_ops(attention_of(kMaxArenaValues / 4), "m.tbn");
  CHECK(
      refusal(attention_of(kMaxArenaValues / 4 + 1)) ==
      "m.tbn: attention 'attention1': what it works on is more than 2,147,483,648 values; no such "
      "network is run");
}

TEST_CASE("tables of sinusoidal positions count as weights") {
  GraphBuilder b("net");
  Value x = b.input({2}).expand(1'000'000'000);
  for (int i = 0; i < 2; ++i) x = x.position_embedding(PositionKind::kSinusoidal);
  CHECK(refusal(b.finish(x)) ==
        "m.tbn: position_embedding 'positions2': the weights up to here are more than "
        "2,147,483,648 values; no such network is run");
}

TEST_CASE("what a session holds of tensors beside layers counts") {
  const auto values = [](const auto& build) {
    GraphBuilder b("net");
    const Graph graph = b.finish(build(b.input({7, 12})));
    return cost_of(graph, graph.nodes.back()).values;
  };
  CHECK(values([](Value x) { return x.layer_norm(); }) == 2 * 12);
  CHECK(values([](Value x) { return x.class_token(); }) == 12);
  CHECK(values([](Value x) { return x.position_embedding(PositionKind::kLearned); }) == 7 * 12);
  CHECK(values([](Value x) { return x.position_embedding(PositionKind::kSinusoidal); }) == 7 * 12);
  CHECK(values([](Value x) { return x.relu(); }) == 0);
}

namespace {

std::string limit_refusal(const Graph& graph, const Limits& limits = {}) {
  return test::message_of<DataError>([&] { check_limits(graph, limits, "m.tbn"); });
}

// A network of one op on its input, as a file of some hundred bytes may hold it.
Graph one(const Shape& input, const Op& op, int inputs = 1) {
  GraphBuilder b("net");
  const Value x = b.input(input);
  return b.finish(b.add(op, std::vector<Value>(static_cast<std::size_t>(inputs), x)));
}

}  // namespace

TEST_CASE("a small file that asks for more memory than the limits is refused by its largest node") {
  const std::int64_t huge = std::int64_t{1} << 29;
  const struct {
    const char* node;
    Graph graph;
  } cases[] = {
      {"expand", one({4}, Expand{.count = huge / 4 + 1})},
      {"pad2d", one({1, 1, 1}, Pad2d{.bottom = 1 << 15, .right = 1 << 15})},
      {"conv2d", one({1, 1, 1}, Conv2d{.out_channels = 1, .padding = 1 << 14})},
      {"linear", one({1 << 15}, Linear{.out_features = 1 << 15})},
      {"position_embedding", one({huge / 2, 2}, PositionEmbedding{PositionKind::kSinusoidal})},
      {"attention", one({huge / 4, 3}, Attention{})},
      {"reshape", one({huge + 1}, Reshape{{1, huge + 1}})},
  };
  for (const auto& c : cases) {
    INFO(c.node);
    const std::string message = limit_refusal(c.graph);
    CHECK(says(message, {"m.tbn: the bytes of its weights and of an example's activations are ",
                         "more than the 2,147,483,648 of Limits::memory_bytes", c.node,
                         "if you trust the file, raise it (--max-memory of the tools)"}));
  }
}

TEST_CASE("a small file that would run for years is refused by its busiest node") {
  const struct {
    const char* node;
    Graph graph;
  } cases[] = {
      {"moving_average", one({1 << 24, 1}, MovingAverage{.kernel = (1LL << 31) - 1})},
      {"attention", one({1 << 21, 3}, Attention{})},
      {"matmul", one({1 << 14, 1 << 14}, MatMul{}, 2)},
      {"max_pool2d",
       one({1, 1 << 14, 1 << 14}, MaxPool2d{.kernel = {1 << 12, 1 << 12}, .stride = 1})},
      {"avg_pool2d",
       one({1, 1 << 14, 1 << 14}, AvgPool2d{.kernel = {1 << 12, 1 << 12}, .stride = 1})},
      {"conv2d", one({1, 1 << 13, 1 << 13}, Conv2d{.out_channels = 1, .kernel = {255, 255}})},
      {"linear", one({1 << 14, 1 << 14}, Linear{.out_features = 1 << 13})},
  };
  for (const auto& c : cases) {
    INFO(c.node);
    const std::string message =
        limit_refusal(c.graph, {.memory_bytes = std::numeric_limits<std::int64_t>::max()});
    CHECK(says(message, {"m.tbn: the operations for one example are ",
                         "more than the 1,000,000,000,000 of Limits::operations", c.node}));
  }
}

TEST_CASE("the zoo's largest networks take little of the default limits") {
  const Limits part = {.memory_bytes = Limits{}.memory_bytes / 8,
                       .operations = Limits{}.operations / 100};
  const TaskSpec classes = {.output = {1000}};
  const TaskSpec parts = {.task = Task::kSegmentation, .output = {4096, 13}};
  const OptionMap stem = {{"stem", std::string("imagenet")}};
  const ModelSpec specs[] = {
      {.type = "vit_imagenet", .input = {3, 256, 256}, .task = classes},
      {.type = "swin_t_imagenet", .input = {3, 224, 224}, .task = classes},
      {.type = "resnet34", .options = stem, .input = {3, 224, 224}, .task = classes},
      {.type = "pointnet_sem_seg", .input = {4096, 9}, .task = parts},
  };
  for (const ModelSpec& spec : specs) {
    INFO(spec.type);
    check_limits(build_model(spec), part, "m");
  }
}

TEST_CASE("limits are the caller's, at load and where a session is made") {
  GraphBuilder b("net");
  const Value x = b.input({3, 40, 40}).conv(8, {.kernel = 3, .weights = tiled(2)});
  const Model packed = test::random_packed(b.finish(x.global_avg_pool().linear(4)), 1);
  const auto load = [&](const Limits& limits) { return Network::from(packed, {}, "m", limits); };
  const std::int64_t operations = 40 * 40 * 4 * 27;
  CHECK(load({}) != nullptr);
  CHECK(load({.operations = 3 * operations}) != nullptr);
  CHECK(says(test::message_of<DataError>([&] { load({.operations = operations}); }),
             {"m: the operations for one example are"}));
  CHECK(says(test::message_of<DataError>([&] { load({.memory_bytes = 8 * 40 * 40 * 4}); }),
             {"m: the bytes of its weights"}));
  // What kernels work on besides, the tables of sums, is known where a session is made: with the
  // least that the network is loaded within, there is nothing left for them.
  std::int64_t least = 8 * 40 * 40 * 4;
  for (std::int64_t step = 1 << 16; step > 0; step /= 2) {
    try {
      load({.memory_bytes = least + step});
    } catch (const DataError&) {
      least += step;
    }
  }
  const auto tight = load({.memory_bytes = least + 1});
  CHECK(says(test::message_of<DataError>([&] { Session(tight, {.backend = Backend::kExact}); }),
             {"m: a session takes", "of Limits::memory_bytes"}));
}
