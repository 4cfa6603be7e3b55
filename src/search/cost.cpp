// Packs networks in memory and compares their costs with a budget.
#include "search/cost.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "export/c_source.h"
#include "export/packed_size.h"
#include "graph/summary.h"
#include "micro/integer.h"
#include "micro/lower.h"
#include "tbn/error.h"
#include "tbn/file.h"

namespace tbn {
namespace {

// The header's numbers have a digit more or less, and it is padded to 64 bytes. What most layers
// have in common stands there once: a layer that is changed alone says otherwise, and where all are
// changed none does. Sums of single changes are off by less than this.
constexpr std::int64_t kHeaderSlack = 2048;
constexpr std::int64_t kLayerSlack = 96;

std::int64_t slack_of(const Graph& graph) {
  const auto layers = std::ranges::count_if(
      graph.nodes, [](const Node& node) { return weights_of(node.op) != nullptr; });
  return kHeaderSlack + kLayerSlack * layers;
}

std::string number(std::int64_t value) { return grouped(static_cast<std::uint64_t>(value)); }

// Sizes do not depend on the ranges of values.
CSource c_form(const PackedFile& file) {
  const micro::Network network =
      micro::lower({graph_from_json(file.graph_json, "the packed graph"), file.tensors});
  if (!network.takes_bytes) return c_source_f32(network, "network");
  const micro::Ranges ranges(network.sizes.size(), micro::Range{0, 1});
  return c_source(micro::quantize(network, ranges), "network");
}

}  // namespace

std::string_view unit_of(CostKind kind) {
  constexpr std::array<std::string_view, kCostKinds.size()> kUnits = {
      "bytes", "bits", "multiply-adds", "bytes of RAM", "bytes of flash"};
  return kUnits[static_cast<std::size_t>(kind)];
}

std::string_view option_of(CostKind kind) {
  constexpr std::array<std::string_view, kCostKinds.size()> kOptions = {"bytes", "bits", "macs",
                                                                        "ram", "flash"};
  return kOptions[static_cast<std::size_t>(kind)];
}

Costs cost_of(const Graph& graph, const FileFrame& frame, bool with_c) {
  const PackedFile file =
      future_file(graph, frame.metadata, frame.test_vectors, frame.units, frame.scalars);
  const LayerSummary totals = summarize(graph, frame.scalars).totals;
  Costs costs;
  costs[CostKind::kFile] = std::ssize(serialize_packed(file));
  costs[CostKind::kBits] = totals.bits;
  costs[CostKind::kMacs] = totals.macs;
  if (!with_c) return costs;
  PackedFile plain = frame.scalars == DType::kF32
                         ? file
                         : future_file(graph, frame.metadata, 0, frame.units, DType::kF32);
  const CSource source = c_form(plain);
  costs[CostKind::kRam] = source.arena_bytes;
  costs[CostKind::kFlash] = source.flash_bytes();
  return costs;
}

bool fits(const Costs& costs, const Budget& budget) {
  return std::ranges::all_of(budget,
                             [&](const Limit& limit) { return costs[limit.kind] <= limit.most; });
}

bool needs_c(const Budget& budget) {
  return std::ranges::any_of(budget, [](const Limit& limit) {
    return limit.kind == CostKind::kRam || limit.kind == CostKind::kFlash;
  });
}

std::optional<std::int64_t> parse_amount(std::string_view text) {
  constexpr double kMost = 1e15;
  double factor = 1;
  if (text.ends_with('k')) factor = 1e3;
  if (text.ends_with('M')) factor = 1e6;
  if (factor > 1) text.remove_suffix(1);
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return {};
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  value *= factor;
  const double whole = std::round(value);
  if (!(whole >= 1 && whole <= kMost) || std::abs(value - whole) > 1e-6) return {};
  return static_cast<std::int64_t>(whole);
}

CostMeter::CostMeter(const SearchSpace& space, FileFrame frame, bool with_c)
    : space_(space), frame_(std::move(frame)), with_c_(with_c), slack_(slack_of(space.graph)) {
  const Pick dearest = space.dearest();
  const Costs base = exact(dearest);
  for (std::size_t i = 0; i < space.layers.size(); ++i) {
    std::vector<Costs>& changes = changes_.emplace_back();
    for (std::size_t c = 0; c < space.layers[i].choices.size(); ++c) {
      Pick alone = dearest;
      alone[i] = static_cast<int>(c);
      Costs change = exact(alone);
      for (const CostKind kind : kCostKinds) change[kind] -= base[kind];
      changes.push_back(change);
    }
  }
}

const Costs& CostMeter::exact(const Pick& pick) {
  const auto found = exact_.find(pick);
  if (found != exact_.end()) return found->second;
  return exact_.emplace(pick, cost_of(with_choices(space_, pick), frame_, with_c_)).first->second;
}

Costs CostMeter::predicted(const Pick& pick) const {
  Costs sum = exact_.at(space_.dearest());
  for (std::size_t i = 0; i < pick.size(); ++i) {
    for (const CostKind kind : kCostKinds) {
      sum[kind] += changes_[i][static_cast<std::size_t>(pick[i])][kind];
    }
  }
  return sum;
}

bool CostMeter::fits(const Pick& pick, const Budget& budget) {
  const Costs sum = predicted(pick);
  bool is_open = false;
  for (const Limit& limit : budget) {
    // Memory is shared, so that its sums say nothing.
    const bool adds_up = limit.kind == CostKind::kBits || limit.kind == CostKind::kMacs;
    const std::int64_t slack = adds_up ? 0 : slack_;
    const bool is_known = limit.kind != CostKind::kRam;
    if (is_known && sum[limit.kind] - slack > limit.most) return false;
    is_open = is_open || !is_known || sum[limit.kind] + slack > limit.most;
  }
  return !is_open || tbn::fits(exact(pick), budget);
}

void check_budget(CostMeter& meter, const Budget& budget) {
  const Costs least = meter.exact(meter.space().cheapest());
  const Costs most = meter.exact(meter.space().dearest());
  for (std::size_t i = 0; i < budget.size(); ++i) {
    const Limit& limit = budget[i];
    const bool too_little = least[limit.kind] > limit.most;
    const bool holds_all = i == 0 && fits(most, budget);
    if (!too_little && !holds_all) continue;
    throw ConfigError("--" + std::string(option_of(limit.kind)) + ": " +
                      (too_little ? "no network takes as little as "
                                  : "the largest network of the space keeps ") +
                      number(limit.most) + " " + std::string(unit_of(limit.kind)) +
                      "; those that this search chooses from take " + number(least[limit.kind]) +
                      " to " + number(most[limit.kind]));
  }
}

}  // namespace tbn
