// Chooses the tile by what its products, and the copies that feed them, take at least.
#include "runtime/cuda/kernels/wgmma_plan.h"

#include <algorithm>
#include <limits>

#include "runtime/cuda/layer/tensor_maps.h"

namespace tbn::cuda {
namespace {

// Rates of one multiprocessor per cycle: products of two 16-bit numbers (NVIDIA H100 white paper),
// and bytes from the cache that all share (about 5 TB/s over 132 multiprocessors at 1.7 GHz).
constexpr double kProducts = 2048, kCacheBytes = 24;
// Filling the ring, and writing the first and last sums, where nothing else is left to do.
constexpr double kTileCycles = 2000;
constexpr std::int64_t kMostPartialBytes = std::int64_t{8} << 20;

int parts(std::int64_t whole, int part) { return static_cast<int>((whole + part - 1) / part); }

std::int64_t partial_bytes(const WgmmaTile& tile, std::int64_t tiles, int splits) {
  return splits > 1 ? tiles * splits * tile.rows * tile.pixels * std::int64_t{sizeof(float)} : 0;
}

// The most blocks per tile that leave no multiprocessor with two blocks.
int splits_of(const WgmmaTile& tile, const WgmmaPlan& plan, int multiprocessors) {
  const int tiles = plan.row_tiles * plan.pixel_tiles;
  int splits = std::clamp(multiprocessors / tiles, 1, plan.units());
  while (partial_bytes(tile, tiles, splits) > kMostPartialBytes) --splits;
  return splits;
}

// Cycles until the last multiprocessor is done.
double cycles(const WgmmaTile& tile, const WgmmaPlan& plan, int multiprocessors) {
  const double sums = static_cast<double>(tile.rows) * tile.pixels;
  const double products = sums * kStepInputs / kProducts;
  const int taps = plan.padded ? plan.unit_steps : 1;  // that share a copy
  const double copies =
      (plan.copied_pixels * kStepInputs * 2.0 / taps + tile.rows * kStepInputs / 8.0) / kCacheBytes;
  const int steps = std::min(plan.steps, parts(plan.units(), plan.splits) * plan.unit_steps);
  // Written by each block that shares the tile, and read by the last.
  const double partials = plan.splits > 1 ? sums * 4 * (1 + plan.splits) / kCacheBytes : 0;
  const int rounds = parts(plan.items(), multiprocessors);
  return rounds * (steps * std::max(products, copies) + partials + kTileCycles);
}

WgmmaPlan plan_of(const LayerShape& shape, int tile, bool padded) {
  const WgmmaTile& size = kWgmmaTiles[tile];
  WgmmaPlan plan{.tile = tile, .padded = padded, .row_tiles = parts(shape.rows, size.rows)};
  plan.pixel_tiles = parts((padded ? padded_pixels(shape) : shape).pixels(), size.pixels);
  plan.tap_steps = parts(shape.order.tap_inputs, kStepInputs);
  plan.steps = shape.order.taps * plan.tap_steps;
  plan.unit_steps = padded ? shape.order.taps : kBlockSteps;
  plan.row_blocks = parts(shape.tile_rows, kBlockRows);
  plan.copied_pixels = size.pixels + (padded ? reach(shape) : 0);
  return plan;
}

}  // namespace

bool wgmma_takes(const LayerShape& shape) {
  constexpr std::int64_t kMostPixels = (std::int64_t{1} << 31) - 1024;  // coordinates of copies
  if (shape.form != WeightForm::kTile || shape.groups != 1 || shape.tile_rows != shape.rows ||
      shape.rows < 1 || shape.pixels() < 1 || shape.pixels() > kMostPixels) {
    return false;
  }
  const bool apart = shape.row_step == 1 && shape.copy_step == shape.rows;
  const bool beside = shape.copy_step == 1 && shape.row_step == shape.copies();
  const bool whole_steps = shape.order.taps == 1 || shape.order.tap_inputs % kStepInputs == 0;
  return (shape.copies() == 1 || apart || beside) && whole_steps && has_tensor_map(shape);
}

bool wgmma_takes_padded(const LayerShape& shape) {
  return wgmma_takes(shape) && shape.order.taps > 1 && shape.stride_h == 1 && shape.stride_w == 1 &&
         shape.padding_h + shape.padding_w > 0 && reach(shape) <= kMostReach &&
         has_tensor_map(padded_pixels(shape));
}

WgmmaPlan wgmma_plan(const LayerShape& shape, int multiprocessors, bool padded) {
  WgmmaPlan best;
  double least = std::numeric_limits<double>::infinity();
  for (int tile = 0; tile < static_cast<int>(std::size(kWgmmaTiles)); ++tile) {
    const WgmmaTile& size = kWgmmaTiles[tile];
    if (padded && !size.padded) continue;
    WgmmaPlan plan = plan_of(shape, tile, padded);
    plan.splits = splits_of(size, plan, multiprocessors);
    const double time = cycles(size, plan, multiprocessors);
    if (time < least) {
      best = plan;
      least = time;
    }
  }
  return best;
}

std::int64_t wgmma_partial_bytes(const WgmmaPlan& plan) {
  return partial_bytes(kWgmmaTiles[plan.tile], plan.items() / plan.splits, plan.splits);
}

}  // namespace tbn::cuda
