// Small files that ask for absurd memory: what ops on sequences would take is known before any of
// it is taken.
#include "runtime/packed_ops.h"
#include "runtime/plan.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;

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
  // Four values a token: two of its one feature, a score and a region.
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
