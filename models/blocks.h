// Parts that several families share: options, patches, self-attention and the two-layer MLP of
// Transformers and mixers.
#pragma once

#include <string>
#include <vector>

#include "tbn/models.h"

namespace tbn {

// An option that counts something: at least 1, at most `max`.
OptionSpec count_option(std::string key, std::int64_t value, std::int64_t max, std::string help);
OptionSpec choice_option(std::string key, std::string value, std::vector<std::string> choices,
                         std::string help);
OptionSpec list_option(std::string key, std::vector<std::int64_t> value, std::int64_t max,
                       std::string help);
OptionSpec width_option();  // see scaled_channels
// model.channels, with the sizes of the published network.
OptionSpec channels_option(std::vector<std::int64_t> value, std::string help);
// Its entries times model.width. Throws ConfigError where there are not `count` of them, one for
// each "stage" or "layer" of the family.
std::vector<std::int64_t> channels_of(const ModelOptions& options, std::size_t count,
                                      const std::string& family, const std::string& part);
OptionSpec dropout_option(double rate, std::string help);
OptionSpec qkv_option();

// The identity where `rate` is 0.
Value dropout(Value x, double rate);

// Cuts an image [C, H, W] into patches of `patch` x `patch` pixels and maps each to `dim` channels:
// [dim, H / patch, W / patch]. Throws ConfigError naming model.`option` where patches would leave
// pixels over.
Value patches(Value x, std::int64_t dim, std::int64_t patch, const std::string& option);

struct SelfAttention {
  std::int64_t head_dim = 64;
  bool fused = true;  // one layer `qkv` instead of `q`, `k`, `v`
  double dropout = 0;
  Attention attention = {};  // heads, windows
};

// x + out(attention(qkv(norm(x)))) for tokens [T, F] (Vaswani et al. 2017, with the norm first).
// Its nodes are attention.norm, .qkv (no bias) and .out.
Value residual_attention(GraphBuilder& b, Value x, const SelfAttention& options);

// fc2(gelu(fc1(x))) over the last dimension, back to as many features as x has.
Value two_layers(Value x, std::int64_t hidden, double rate);

// x + two_layers(norm(x)); its nodes are <name>.norm, .fc1 and .fc2.
Value residual_mlp(GraphBuilder& b, Value x, std::string_view name, std::int64_t hidden,
                   double rate);

}  // namespace tbn
