// What networks of a search cost: against the file that such a network becomes, and against the sum
// of single changes.
#include "search/cost.h"

#include <filesystem>

#include "export/packed_model.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/random_model.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "tbn/file.h"

using namespace tbn;
using tbn::test::message_of;

namespace {

Graph network() {
  GraphBuilder b("net");
  Value x = b.input({1, 12, 12});
  x = x.conv(32, {.kernel = 3, .stride = 2, .weights = uniform(8)}).named("stem").batch_norm();
  x = x.relu().conv(64, {.kernel = 3, .weights = tiled(4)}).named("one").batch_norm().relu();
  x = x.conv(64, {.kernel = 3, .stride = 2, .weights = tiled(4)}).named("two").batch_norm().relu();
  return b.finish(x.global_avg_pool().linear(10, {.weights = uniform(8)}).named("head"));
}

const FileFrame kFrame{.metadata = {{"tbn.producer", "a test"}, {"tbn.accuracy", "91.23"}}};

std::vector<Pick> some_picks(const SearchSpace& space) {
  std::vector<Pick> picks = {space.dearest(), space.cheapest()};
  for (const std::string text : {"8/1/2/6", "4/16/1/8", "6/2/8/4"}) {
    picks.push_back(pick_of(space, text, "here"));
  }
  return picks;
}

}  // namespace

TEST_CASE("the bytes of a pick are those of the file that a trained network becomes") {
  const test::TempDir folder;
  const SearchSpace space = search_space(network(), {});
  std::uint64_t seed = 1;
  for (const Pick& pick : some_picks(space)) {
    CAPTURE(pick_text(space, pick));
    const Graph graph = with_choices(space, pick);
    const Model packed = pack_model(test::random_trained(graph, ++seed));
    PackedFile file = make_packed_file(packed, kFrame.metadata, example_inputs(packed, 1));
    make_compact(file, "m");
    write_packed(folder / "m.tbn", file);
    const Costs costs = cost_of(graph, kFrame);
    CHECK(costs[CostKind::kFile] ==
          static_cast<std::int64_t>(std::filesystem::file_size(folder / "m.tbn")));
    const LayerSummary totals = summarize(graph).totals;
    CHECK(costs[CostKind::kBits] == totals.bits);
    CHECK(costs[CostKind::kMacs] == totals.macs);
    CHECK(costs[CostKind::kRam] == 0);
  }
}

TEST_CASE("single changes add up to the costs of a network, but for its header") {
  const SearchSpace space = search_space(network(), {});
  CostMeter meter(space, kFrame, true);
  for (const Pick& pick : some_picks(space)) {
    CAPTURE(pick_text(space, pick));
    const Costs sum = meter.predicted(pick);
    const Costs exact = meter.exact(pick);
    CHECK(sum[CostKind::kBits] == exact[CostKind::kBits]);
    CHECK(sum[CostKind::kMacs] == exact[CostKind::kMacs]);
    CHECK(std::abs(sum[CostKind::kFile] - exact[CostKind::kFile]) < 512);
    CHECK(std::abs(sum[CostKind::kFlash] - exact[CostKind::kFlash]) < 512);
    CHECK(exact[CostKind::kRam] > 0);
    // Right at the edge, where the sums leave it open.
    for (const CostKind kind : kCostKinds) {
      CHECK(meter.fits(pick, {{kind, exact[kind]}}));
      CHECK(!meter.fits(pick, {{kind, exact[kind] - 1}}));
    }
  }
}

TEST_CASE("sums of many layers' changes leave open what the header decides") {
  GraphBuilder b("deep");
  Value x = b.input({16});
  for (int i = 0; i < 100; ++i) {
    x = x.linear(16, {.weights = tiled(2)}).named("layers." + std::to_string(i)).relu();
  }
  const SearchSpace space = search_space(b.finish(x.linear(10).named("head")), {.factors = {1, 2}});
  REQUIRE(space.layers.size() == 100);
  CostMeter meter(space, kFrame, false);
  std::vector<Pick> picks = {space.cheapest(), space.dearest()};
  for (const std::size_t share : {2, 3, 10}) {
    Pick& pick = picks.emplace_back(space.dearest());
    for (std::size_t i = 0; i < pick.size(); i += share) pick[i] = 1;
  }
  for (const Pick& pick : picks) {
    const std::int64_t exact = meter.exact(pick)[CostKind::kFile];
    CAPTURE(pick_text(space, pick), exact, meter.predicted(pick)[CostKind::kFile]);
    CHECK(meter.fits(pick, {{CostKind::kFile, exact}}));
    CHECK(!meter.fits(pick, {{CostKind::kFile, exact - 1}}));
  }
}

TEST_CASE("halves of scalars make a file smaller, and C source takes single precision") {
  const SearchSpace space = search_space(network(), {});
  FileFrame half = kFrame;
  half.scalars = DType::kF16;
  const Costs small = cost_of(space.graph, half, true);
  const Costs large = cost_of(space.graph, kFrame, true);
  CHECK(small[CostKind::kFile] < large[CostKind::kFile]);
  CHECK(small[CostKind::kFlash] == large[CostKind::kFlash]);
}

TEST_CASE("amounts are whole numbers, with k for thousands and M for millions") {
  for (const auto& [text, value] : {std::pair<std::string, std::int64_t>{"48k", 48000},
                                    {"1.5M", 1500000},
                                    {"50257", 50257},
                                    {"0.5k", 500},
                                    {"48.256k", 48256},
                                    {"1000000000000000", 1000000000000000}}) {
    CAPTURE(text);
    CHECK(parse_amount(text) == value);
  }
  for (const std::string text :
       {"", "k", "0", "-1", "+1", "1e6", "48 k", "48K", "48kB", "1.2345k", "0.3", "1..5", "inf",
        "nan", "0x10", "2000000000000000", "99999999999999999999999999", "48k\n", "kk"}) {
    CAPTURE(text);
    CHECK(!parse_amount(text));
  }
}

TEST_CASE("a budget outside the space is refused with both ends of it") {
  const SearchSpace space = search_space(network(), {});
  CostMeter meter(space, kFrame, false);
  CHECK_NOTHROW(check_budget(meter, {{CostKind::kFile, 9000}}));
  const std::string little = message_of<ConfigError>([&] {
    check_budget(meter, {{CostKind::kMacs, 10}});
  });
  CHECK(little.starts_with("--macs: no network takes as little as 10 multiply-adds; those that "));
  const std::string much = message_of<ConfigError>([&] {
    check_budget(meter, {{CostKind::kFile, 1000000}});
  });
  CHECK(much.starts_with("--bytes: the largest network of the space keeps 1,000,000 bytes; "));
  // A second limit may be wide.
  CHECK_NOTHROW(check_budget(meter, {{CostKind::kFile, 9000}, {CostKind::kMacs, 1000000000}}));
}
