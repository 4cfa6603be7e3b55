// Tries the values of a field on the encodings that layers may have.
#include "config/weight_use.h"

#include <algorithm>
#include <vector>

#include "config/weight_keys.h"
#include "encodings/encoding.h"

namespace tbn {
namespace {

constexpr std::string_view kSection = "weights.";

bool has_small_layers(const WeightsConfig& weights) {
  return weights.min_size > 0 && weights.fields.encoding != "float";
}

WeightFields small_fields(const WeightsConfig& weights) {
  WeightFields small = weights.fields;
  small.encoding = weights.small;
  return small;
}

// Those that layers may have. That rules leave none for some of them is not looked for.
std::vector<WeightFields> fields_in_use(const WeightsConfig& weights) {
  std::vector<WeightFields> all = {weights.fields};
  if (has_small_layers(weights)) all.push_back(small_fields(weights));
  for (const WeightRuleConfig& rule : weights.rules) all.push_back(rule.fields);
  return all;
}

WeightEncoding with_value(WeightFields fields, const Field& field, const FieldValue& value) {
  WeightSetting& setting = fields.settings.find(field.key)->second;
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    setting = *number;
  } else {
    setting = std::string(std::get<std::string_view>(value));
  }
  return weight_encoding(fields);
}

// Whether the encoding is another one with another value.
bool depends_on(const WeightFields& fields, const Field& field) {
  std::vector<FieldValue> values(field.choices.begin(), field.choices.end());
  if (values.empty()) values = {field.min, field.max};
  const WeightEncoding first = with_value(fields, field, values.front());
  return std::ranges::any_of(
      values, [&](const FieldValue& value) { return with_value(fields, field, value) != first; });
}

}  // namespace

std::string missing_for_weights(std::string_view key, const WeightsConfig& weights) {
  if (!key.starts_with(kSection)) return "";
  key.remove_prefix(kSection.size());
  if (key == "small" || key == "min_size") {
    if (weights.fields.encoding == "float") return "weights.encoding other than float";
    if (key == "small") return weights.min_size > 0 ? "" : "weights.min_size above 0";
    const bool differs = weight_encoding(small_fields(weights)) != weight_encoding(weights.fields);
    return differs ? "" : "weights.small other than weights.encoding";
  }
  const std::vector<WeightFields> used = fields_in_use(weights);
  for (const Encoding* room : encodings()) {
    for (const Field& field : room->fields()) {
      if (field.key != key) continue;
      const bool reaches = std::ranges::any_of(used, [&](const WeightFields& fields) {
        return &encoding_named(fields.encoding) == room && depends_on(fields, field);
      });
      return reaches ? "" : "layers with " + std::string(room->word()) + " weights";
    }
  }
  return "";
}

bool names_encoding(std::string_view key, std::int64_t number, const WeightsConfig& weights) {
  if (!key.starts_with(kSection)) return false;
  key.remove_prefix(kSection.size());
  const auto fields = encoding_named(weights.fields.encoding).fields();
  return std::ranges::any_of(fields, [&](const Field& field) {
    return field.is_main && field.key == key && weights.fields.number(key) == number;
  });
}

bool has_tiled_layers(const WeightsConfig& weights, bool learned) {
  return std::ranges::any_of(fields_in_use(weights), [&](const WeightFields& fields) {
    const WeightEncoding encoding = weight_encoding(fields);
    const auto* tiled = std::get_if<TiledWeights>(&encoding);
    return tiled != nullptr && (!learned || tiled->alpha_from == AlphaSource::kLearned);
  });
}

}  // namespace tbn
