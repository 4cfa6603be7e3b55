// From the words of `weights:` to the policy that sets the encoding of each layer, and from that of
// `export:` to an element type.
#include "config/config.h"
#include "config/weight_keys.h"

namespace tbn {

WeightPolicy weight_policy(const WeightsConfig& weights) {
  WeightFields small = weights.fields;
  small.encoding = weights.fields.encoding == "float" ? "float" : weights.small;
  WeightPolicy policy{.standard = weight_encoding(weights.fields),
                      .min_size = weights.min_size,
                      .small = weight_encoding(small),
                      .rules = {},
                      .order_by_steps = is_open(weights.fields) || is_open(small),
                      .steps = {}};
  for (const WeightRuleConfig& rule : weights.rules) {
    policy.rules.push_back({rule.match, weight_encoding(rule.fields), is_open(rule.fields)});
  }
  return policy;
}

DType scalar_type(const ExportConfig& exported) {
  return exported.scalars == ScalarForm::kF16 ? DType::kF16 : DType::kF32;
}

}  // namespace tbn
