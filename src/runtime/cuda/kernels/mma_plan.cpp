// Estimates what a multiprocessor is busy with for each way to cut a layer, and takes the least.
#include "runtime/cuda/kernels/mma_plan.h"

#include <algorithm>

namespace tbn::cuda {
namespace {

constexpr std::int64_t kCounters = kCounterBytes / 4;
constexpr int kMostSplits = 32;

std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Instructions of one warp for 256 inputs: 128 expand 16 rows; a product and half a load of its
// operand each; and what loads x, some at each stage and some at each copy of 16 bytes per lane.
double warp_instructions(const MmaTile& tile, double pixels) {
  const double products = tile.row_tiles * tile.fragments * 16;
  const double stages = static_cast<double>(kBlockInputs) / tile.step;
  const double copies = pixels * tile.step / 8 / tile.group_threads();
  return tile.row_tiles * 128 + products + tile.fragments * 8 + stages * (50 + copies * 10);
}

// Cycles of a multiprocessor for all warps of a block and 256 inputs of each: of four schedulers,
// of four tensor cores (a product m16n8k16 is 2048 multiplications, of which they do 512 per cycle,
// from registers somewhat fewer), of shared memory (128 bytes per cycle; an operand of a product is
// 256 bytes) and of what comes from the second-level cache (about 30 bytes per cycle).
double step_cycles(const MmaTile& tile, double pixels) {
  const double warps = static_cast<double>(tile.threads()) / 32;
  const double issue = warps * warp_instructions(tile, pixels) / 4;
  const double tensor = warps * tile.row_tiles * tile.fragments * 16 * 6 / 4;
  const double shared = warps * tile.fragments * 16 * 2;
  const double loads = tile.groups * kBlockInputs * (pixels * 2 + tile.rows() / 8.0) / 30;
  return std::max({issue, tensor, shared, loads});
}

// The fixed cycles of one block, before and after its steps: its launch and first loads,
// the sums of its groups; where the inputs are split, to store a part, to take a ticket and to load
// all parts.
double fixed_cycles(const MmaTile& tile, double pixels, int splits) {
  const double sums = pixels * tile.rows() * 4;
  double cycles = 1500 + sums * tile.groups / 128;
  if (splits > 1) cycles += 2500 + sums * (splits + 1) / 30;
  return cycles;
}

double estimated_cycles(const MmaTile& tile, std::int64_t columns, const MmaPlan& plan,
                        const DeviceInfo& device) {
  const auto pixels = static_cast<double>(std::min<std::int64_t>(tile.pixels(), columns));
  const auto turns = static_cast<double>(
      divide_up(plan.tiles() * plan.splits, std::max(1, device.multiprocessors)));
  const auto steps = static_cast<double>(divide_up(plan.blocks_each, tile.groups));
  // Half of the fixed cycles of a multiprocessor's later blocks is hidden by the others.
  const double fixed = fixed_cycles(tile, pixels, plan.splits) * (1 + turns) / 2;
  return turns * steps * step_cycles(tile, pixels) + fixed;
}

bool can_take(const MmaTile& tile, const LayerShape& shape, Precision precision,
              const DeviceInfo& device) {
  if (tile.shared_bytes() > device.shared_bytes) return false;
  return precision == Precision::kFp32 ? tile.takes_floats()
                                       : tile.gathers || mma_whole_pieces(shape);
}

}  // namespace

bool mma_whole_pieces(const LayerShape& shape) {
  return shape.channels % 8 == 0 && shape.order.tap_inputs % 8 == 0;
}

MmaPlan mma_plan(const LayerShape& shape, Precision precision, const DeviceInfo& device) {
  const int columns = mma_columns(precision);
  MmaPlan best;
  double least = 0;
  for (int i = 0; i < kMmaTileCount; ++i) {
    const MmaTile& tile = kMmaTiles[i];
    if (!can_take(tile, shape, precision, device)) continue;
    MmaPlan plan{.tile = i,
                 .tiles_in_rows = divide_up(shape.rows, tile.rows()),
                 .tiles_in_pixels = divide_up(shape.pixels(), tile.pixels() / columns)};
    const int blocks = shape.order.blocks();
    for (int splits = 1; splits <= kMostSplits && splits * tile.groups < blocks + tile.groups;
         ++splits) {
      if (splits > 1 && plan.tiles() > kCounters) break;
      plan.blocks_each =
          static_cast<int>(divide_up(divide_up(blocks, splits), tile.groups)) * tile.groups;
      plan.splits = static_cast<int>(divide_up(blocks, plan.blocks_each));
      const double cycles = estimated_cycles(tile, shape.pixels() * columns, plan, device);
      if (best.tile < 0 || cycles < least) {
        least = cycles;
        best = plan;
      }
    }
  }
  return best;
}

}  // namespace tbn::cuda
