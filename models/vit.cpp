// Vision Transformer (Dosovitskiy et al. 2020): patches as tokens, a class token, learned positions
// and blocks of self-attention and MLP with the norm first.
#include "models/blocks.h"
#include "models/families.h"

namespace tbn {
namespace {

Value build_vit(GraphBuilder& b, Value x, const ModelOptions& options, const TaskSpec& task) {
  const double rate = options.real("dropout");
  const bool by_class = options.text("pool") == "cls";
  const std::int64_t dim = options.integer("dim");
  x = patches(x, dim, options.integer("patch"), "patch").named("patch_embedding").to_tokens();
  if (by_class) x = x.class_token().named("class_token");
  x = dropout(x.position_embedding().named("positions"), rate);
  const SelfAttention attention{.head_dim = options.integer("head_dim"),
                                .fused = options.text("qkv") == "fused",
                                .dropout = rate,
                                .attention = {.heads = options.integer("heads")}};
  for (std::int64_t i = 0; i < options.integer("depth"); ++i) {
    const auto scope = b.scope("blocks." + std::to_string(i));
    x = residual_attention(b, x, attention);
    x = residual_mlp(b, x, "mlp", options.integer("mlp"), rate);
  }
  x = by_class ? x.slice(0, 0, 1).reshape({dim}) : x.sequence_pool(PoolKind::kMean);
  return x.layer_norm().named("norm").linear(task.output.front()).named("classifier");
}

// What sets the presets apart.
struct Preset {
  const char* name;
  const char* summary;
  std::int64_t patch;
  std::int64_t dim;
  std::int64_t depth;
  std::int64_t heads;
  std::int64_t mlp;
};

ModelFamily vit_family(const Preset& preset) {
  return {.name = preset.name,
          .summary = preset.summary,
          .options = {count_option("patch", preset.patch, 256, "height and width of a patch"),
                      count_option("dim", preset.dim, 16384, "features of a token"),
                      count_option("depth", preset.depth, 256, "blocks"),
                      count_option("heads", preset.heads, 256, "heads of the attention"),
                      count_option("head_dim", 64, 4096, "features of a head"),
                      count_option("mlp", preset.mlp, 65536, "hidden units of the blocks' MLP"),
                      qkv_option(),
                      choice_option("pool", "cls", {"cls", "mean"},
                                    "classify a class token, or the mean of all tokens"),
                      dropout_option(0.1, "dropout after positions and the blocks' layers")},
          .build = build_vit};
}

}  // namespace

std::vector<ModelFamily> vit_families() {
  return {vit_family({.name = "vit",
                      .summary = "ViT for 32 x 32: patch 4, 512 features, 6 blocks of 8 heads",
                      .patch = 4,
                      .dim = 512,
                      .depth = 6,
                      .heads = 8,
                      .mlp = 512}),
          vit_family({.name = "vit_tiny",
                      .summary = "small ViT for 28 x 28 and 32 x 32: 192 features, 3 heads",
                      .patch = 4,
                      .dim = 192,
                      .depth = 6,
                      .heads = 3,
                      .mlp = 384}),
          vit_family({.name = "vit_imagenet",
                      .summary = "ViT for 256 x 256: patch 32, 1024 features, 16 heads",
                      .patch = 32,
                      .dim = 1024,
                      .depth = 6,
                      .heads = 16,
                      .mlp = 2048})};
}

}  // namespace tbn
