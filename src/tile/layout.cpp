// How a weight tensor is cut into tiles, and what to say where a factor does not divide it.
#include <algorithm>
#include <limits>

#include "tbn/error.h"
#include "tile/reuse.h"

namespace tbn {
namespace {

// The nearest divisors of `weights` below and above p, for the error message.
std::string nearest_factors(std::int64_t weights, std::int64_t p) {
  std::int64_t below = 1;
  std::int64_t above = weights;
  for (std::int64_t d = 1; d <= weights / d; ++d) {
    if (weights % d != 0) continue;
    for (std::int64_t f : {d, weights / d}) {
      if (f < p) below = std::max(below, f);
      if (f > p) above = std::min(above, f);
    }
  }
  if (p > weights) return std::to_string(weights) + " at most";
  return std::to_string(below) + " and " + std::to_string(above);
}

}  // namespace

TileLayout tile_layout(std::int64_t outputs, std::int64_t inputs, std::int64_t p,
                       std::string_view layer, TileOrder order) {
  TBN_CHECK(
      outputs > 0 && inputs > 0 && outputs <= std::numeric_limits<std::int64_t>::max() / inputs,
      "weight shape");
  if (p < 1) {
    throw ConfigError(std::string(layer) + ": compression factor p must be at least 1, is " +
                      std::to_string(p));
  }
  const std::int64_t weights = outputs * inputs;
  if (weights % p != 0) {
    throw ConfigError(std::string(layer) + ": p = " + std::to_string(p) + " divides neither its " +
                      std::to_string(outputs) + " outputs nor its " + std::to_string(weights) +
                      " weights; the nearest factors that work are " + nearest_factors(weights, p));
  }
  const TileForm form = outputs % p == 0 ? TileForm::kRows : TileForm::kFlat;
  if (order == TileOrder::kInterleave && form == TileForm::kFlat) {
    throw ConfigError(std::string(layer) +
                      ": rows are interleaved where p divides the outputs; p = " +
                      std::to_string(p) + " does not divide " + std::to_string(outputs));
  }
  return {.outputs = outputs,
          .inputs = inputs,
          .p = p,
          .q = weights / p,
          .form = form,
          .order = p == 1 ? TileOrder::kRepeat : order};
}

bool reuses_rows(const TileLayout& layout, std::int64_t groups) {
  return layout.form == TileForm::kRows && (groups == 1 || layout.p == 1);
}

std::int64_t tile_index(const TileLayout& layout, std::int64_t k) {
  if (layout.form == TileForm::kFlat) return k % layout.q;
  return layout.row_of(k / layout.inputs) * layout.inputs + k % layout.inputs;
}

std::int64_t scalar_index(const TileLayout& layout, AlphaScope scope, std::int64_t k) {
  switch (scope) {
    case AlphaScope::kLayer:
      return 0;
    case AlphaScope::kOutput:
      return k / layout.inputs;
    case AlphaScope::kTile:
      return layout.form == TileForm::kFlat ? k / layout.q : layout.slice_of(k / layout.inputs);
  }
  TBN_CHECK(false, "unknown scope of scalars");
}

AlphaScope scope_of(const TileLayout& layout, std::size_t scalars) {
  const auto count = static_cast<std::int64_t>(scalars);
  if (count == 1) return AlphaScope::kLayer;
  if (count == layout.p) return AlphaScope::kTile;
  TBN_CHECK(count == layout.outputs, "1, p or n scalars");
  return AlphaScope::kOutput;
}

std::string_view to_string(AlphaScope scope) {
  switch (scope) {
    case AlphaScope::kTile:
      return "tile";
    case AlphaScope::kLayer:
      return "layer";
    case AlphaScope::kOutput:
      return "output";
  }
  return "";
}

std::string_view to_string(TileOrder order) {
  return order == TileOrder::kRepeat ? "repeat" : "interleave";
}

std::string_view to_string(TileForm form) { return form == TileForm::kRows ? "rows" : "flat"; }

}  // namespace tbn
