// MLP-Mixer (Tolstikhin et al. 2021): one MLP over the patches of a channel, one over the channels
// of a patch, in turn.
#include "models/blocks.h"
#include "models/families.h"

namespace tbn {
namespace {

Value mix_tokens(GraphBuilder& b, Value x, std::int64_t hidden, double rate) {
  const auto branch = [&] {
    const auto scope = b.scope("token_mixing");
    return two_layers(x.layer_norm().named("norm").transpose(), hidden, rate).transpose();
  };
  return x + branch();
}

Value build_mlp_mixer(GraphBuilder& b, Value x, const ModelOptions& options, const TaskSpec& task) {
  const double rate = options.real("dropout");
  x = patches(x, options.integer("dim"), options.integer("patch"), "patch")
          .named("patch_embedding")
          .to_tokens();
  for (std::int64_t i = 0; i < options.integer("depth"); ++i) {
    const auto scope = b.scope("blocks." + std::to_string(i));
    x = mix_tokens(b, x, options.integer("token_dim"), rate);
    x = residual_mlp(b, x, "channel_mixing", options.integer("channel_dim"), rate);
  }
  x = x.layer_norm().named("norm").sequence_pool(PoolKind::kMean);
  return x.linear(task.output.front()).named("classifier");
}

}  // namespace

ModelFamily mlp_mixer_family() {
  return {.name = "mlp_mixer",
          .summary = "MLP-Mixer, patch 4, 512 channels, 6 blocks",
          .options = {count_option("patch", 4, 256, "height and width of a patch"),
                      count_option("dim", 512, 16384, "channels of a patch"),
                      count_option("depth", 6, 256, "blocks"),
                      count_option("token_dim", 256, 65536, "hidden units of the token mixing"),
                      count_option("channel_dim", 256, 65536, "hidden units of the channel mixing"),
                      dropout_option(0.0, "dropout after each layer of the blocks")},
          .build = build_mlp_mixer};
}

}  // namespace tbn
