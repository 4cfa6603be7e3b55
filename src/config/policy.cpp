// From the words of `weights:` to the policy that sets the encoding of each layer.
#include "config/config.h"
#include "tbn/error.h"

namespace tbn {
namespace {

AlphaSource alpha_source(const std::string& name) {
  for (const AlphaSource source :
       {AlphaSource::kWeight, AlphaSource::kScores, AlphaSource::kLearned}) {
    if (to_string(source) == name) return source;
  }
  throw ConfigError("weights.alpha_from: must be learned, weight or scores, is '" + name + "'");
}

AlphaScope alpha_scope(const std::string& name) {
  for (const AlphaScope scope : {AlphaScope::kTile, AlphaScope::kLayer, AlphaScope::kOutput}) {
    if (to_string(scope) == name) return scope;
  }
  throw ConfigError("weights.alpha: must be tile, layer or output, is '" + name + "'");
}

WeightEncoding encoding(const WeightFields& fields) {
  if (fields.encoding == "float") return FloatWeights{};
  const std::int64_t p = fields.encoding == "binary" ? 1 : fields.p;
  const bool interleaved = p > 1 && fields.order == "interleave";
  return TiledWeights{.p = p,
                      .alpha = alpha_scope(fields.alpha),
                      .alpha_from = alpha_source(fields.alpha_from),
                      .latent = fields.latent == "full" ? LatentForm::kFull : LatentForm::kShared,
                      .order = interleaved ? TileOrder::kInterleave : TileOrder::kRepeat};
}

}  // namespace

WeightPolicy weight_policy(const WeightsConfig& weights) {
  WeightFields small = weights.fields;
  small.encoding = weights.fields.encoding == "float" ? "float" : weights.small;
  WeightPolicy policy{.standard = encoding(weights.fields),
                      .min_size = weights.min_size,
                      .small = encoding(small),
                      .rules = {},
                      .order_by_steps = weights.fields.order == "auto",
                      .steps = {}};
  for (const WeightRuleConfig& rule : weights.rules) {
    policy.rules.push_back({rule.match, encoding(rule.fields), rule.fields.order == "auto"});
  }
  return policy;
}

}  // namespace tbn
