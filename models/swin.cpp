// Swin Transformer (Liu et al. 2021): attention within windows that every second block shifts, at
// resolutions that shrink from stage to stage. Patch merging is a convolution with kernel = stride,
// which has the same weights as unfolding patches for a linear layer.
#include <algorithm>

#include "models/blocks.h"
#include "models/families.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// How many stages the lists describe; throws where they disagree.
std::size_t stage_count(const ModelOptions& options) {
  const std::size_t count = options.list("depths").size();
  if (count < 1 || count > 8) {
    throw ConfigError("model.depths: 1 to 8 stages are possible, the list has " +
                      std::to_string(count));
  }
  for (const char* key : {"heads", "downscale"}) {
    const std::size_t given = options.list(key).size();
    if (given == count) continue;
    throw ConfigError("model." + std::string(key) + ": needs one entry for each of the " +
                      std::to_string(count) + " entries of model.depths, has " +
                      std::to_string(given));
  }
  return count;
}

// The attention of block `index`. A window is never larger than the grid, and is not shifted where
// it covers all of it: no pixel would meet a new neighbour.
Attention windows(const ModelOptions& options, std::size_t stage, Size2 grid, std::int64_t index) {
  const std::int64_t window = std::min({options.integer("window"), grid.h, grid.w});
  if (grid.h % window != 0 || grid.w % window != 0) {
    throw ConfigError("model.window: windows of " + std::to_string(window) +
                      " do not fill the grid of " + std::to_string(grid.h) + " x " +
                      std::to_string(grid.w) + " in stage " + std::to_string(stage));
  }
  const bool shifted = index % 2 == 1 && grid != Size2(window);
  return {.heads = options.list("heads")[stage],
          .grid = grid,
          .window = window,
          .shift = shifted ? window / 2 : 0,
          .relative_bias = true};
}

Value build_swin(GraphBuilder& b, Value x, const ModelOptions& options, const TaskSpec& task) {
  const std::size_t stages = stage_count(options);
  const double rate = options.real("dropout");
  for (std::size_t stage = 0; stage < stages; ++stage) {
    const auto stage_scope = b.scope("stages." + std::to_string(stage));
    const std::int64_t dim = options.integer("dim") << stage;
    Value image = patches(x, dim, options.list("downscale")[stage], "downscale");
    image = image.named(stage == 0 ? "patch_embedding" : "patch_merging");
    const Size2 grid(image.shape()[1], image.shape()[2]);
    Value tokens = image.to_tokens();
    for (std::int64_t i = 0; i < options.list("depths")[stage]; ++i) {
      const auto scope = b.scope("blocks." + std::to_string(i));
      tokens = residual_attention(b, tokens,
                                  {.head_dim = options.integer("head_dim"),
                                   .fused = options.text("qkv") == "fused",
                                   .dropout = rate,
                                   .attention = windows(options, stage, grid, i)});
      tokens = residual_mlp(b, tokens, "mlp", options.integer("mlp_factor") * dim, rate);
    }
    x = stage + 1 < stages ? tokens.to_image(grid) : tokens.sequence_pool(PoolKind::kMean);
  }
  return x.layer_norm().named("norm").linear(task.output.front()).named("classifier");
}

ModelFamily swin_family(const char* name, const char* summary, std::int64_t window,
                        std::vector<std::int64_t> downscale) {
  return {.name = name,
          .summary = summary,
          .options = {count_option("dim", 96, 4096, "features of a token, doubled by each stage"),
                      list_option("depths", {2, 2, 6, 2}, 64, "blocks of each stage"),
                      list_option("heads", {3, 6, 12, 24}, 256, "heads of each stage"),
                      count_option("head_dim", 32, 4096, "features of a head"),
                      count_option("window", window, 256, "height and width of a window"),
                      list_option("downscale", std::move(downscale), 64,
                                  "by how much each stage shrinks height and width"),
                      count_option("mlp_factor", 4, 64, "hidden units of an MLP over its features"),
                      qkv_option(), dropout_option(0.0, "dropout after the blocks' layers")},
          .build = build_swin};
}

}  // namespace

std::vector<ModelFamily> swin_families() {
  return {swin_family("swin_t", "Swin-T for 32 x 32: windows of 4", 4, {2, 2, 2, 1}),
          swin_family("swin_t_imagenet", "Swin-T for 224 x 224: windows of 7", 7, {4, 2, 2, 2})};
}

}  // namespace tbn
