// Chooses the tile by what its products, and the copies that feed them, take at least.
#include "runtime/cuda/kernels/wgmma_plan.h"

#include <algorithm>

#include "runtime/cuda/tensor_maps.h"

namespace tbn::cuda {
namespace {

// Of one multiprocessor, a cycle: products of two 16-bit numbers (NVIDIA H100 white paper), and
// bytes from the cache that all share (about 5 TB/s over 132 multiprocessors at 1.7 GHz).
constexpr double kProducts = 2048, kCacheBytes = 24;
// Filling the ring, and writing the first and last sums, where nothing else is left to do.
constexpr double kTileCycles = 2000;
constexpr std::int64_t kMostPartialBytes = std::int64_t{8} << 20;

int parts(std::int64_t whole, int part) { return static_cast<int>((whole + part - 1) / part); }

std::int64_t partial_bytes(const WgmmaTile& tile, std::int64_t tiles, int splits) {
  return splits > 1 ? tiles * splits * tile.rows * tile.pixels * std::int64_t{sizeof(float)} : 0;
}

// As many as leave no multiprocessor with two.
int splits_of(const WgmmaTile& tile, int tiles, int blocks, int multiprocessors) {
  int splits = std::clamp(multiprocessors / tiles, 1, blocks);
  while (partial_bytes(tile, tiles, splits) > kMostPartialBytes) --splits;
  return splits;
}

// Cycles until the last multiprocessor is done.
double cycles(const WgmmaTile& tile, const WgmmaPlan& plan, int multiprocessors) {
  const double sums = static_cast<double>(tile.rows) * tile.pixels;
  const double products = sums * kStepInputs / kProducts;
  const double copies =
      (tile.pixels * kStepInputs * 2.0 + tile.rows * kStepInputs / 8.0) / kCacheBytes;
  const int steps =
      std::min(plan.steps, parts(parts(plan.steps, kBlockSteps), plan.splits) * kBlockSteps);
  // Written by each block that shares the tile, and read by the last.
  const double partials = plan.splits > 1 ? sums * 4 * (1 + plan.splits) / kCacheBytes : 0;
  const int rounds = parts(plan.items(), multiprocessors);
  return rounds * (steps * std::max(products, copies) + partials + kTileCycles);
}

}  // namespace

bool wgmma_takes(const LayerShape& shape) {
  constexpr std::int64_t kMostPixels = (std::int64_t{1} << 31) - 1024;
  const InputOrder& order = shape.order;
  const bool rows_apart = shape.row_step == 1 && shape.copy_step == shape.rows;
  const bool copies_beside = shape.copy_step == 1 && shape.row_step == shape.copies();
  return shape.form == WeightForm::kTile && shape.groups == 1 && shape.tile_rows == shape.rows &&
         (shape.copies() == 1 || rows_apart || copies_beside) &&
         (order.taps == 1 || order.tap_inputs % kStepInputs == 0) &&
         shape.pixels() <= kMostPixels && has_tensor_map(shape);
}

WgmmaPlan wgmma_plan(const LayerShape& shape, int multiprocessors) {
  WgmmaPlan best;
  double least = 0;
  for (int i = 0; i < static_cast<int>(std::size(kWgmmaTiles)); ++i) {
    const WgmmaTile& tile = kWgmmaTiles[i];
    WgmmaPlan plan{.tile = i,
                   .row_tiles = parts(shape.rows, tile.rows),
                   .pixel_tiles = parts(shape.pixels(), tile.pixels),
                   .row_blocks = parts(shape.tile_rows, kBlockRows)};
    plan.tap_steps = parts(shape.order.tap_inputs, kStepInputs);
    plan.steps = shape.order.taps * plan.tap_steps;
    plan.splits = splits_of(tile, plan.items(), parts(plan.steps, kBlockSteps), multiprocessors);
    const double time = cycles(tile, plan, multiprocessors);
    if (i == 0 || time < least) {
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
