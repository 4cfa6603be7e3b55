// Walks the fields of every encoding.
#include "config/weight_keys.h"

#include "encodings/encoding.h"

namespace tbn {
namespace {

WeightSetting setting_of(const FieldValue& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  return std::string(std::get<std::string_view>(value));
}

FieldValue value_of(const WeightFields& fields, const Field& field) {
  const WeightSetting& setting = fields.settings.find(field.key)->second;
  if (const auto* number = std::get_if<std::int64_t>(&setting)) return *number;
  return std::string_view(std::get<std::string>(setting));
}

ValueLimits limits_of(const Field& field) {
  if (field.choices.empty()) {
    return between(static_cast<double>(field.min), static_cast<double>(field.max));
  }
  std::vector<std::string> choices(field.choices.begin(), field.choices.end());
  if (!field.open.empty()) choices.insert(choices.begin(), std::string(field.open));
  return one_of(std::move(choices));
}

}  // namespace

WeightSettings default_weight_settings() {
  WeightSettings settings;
  for (const Encoding* room : encodings()) {
    for (const Field& field : room->fields()) {
      settings.emplace(field.key, setting_of(field.configured));
    }
  }
  return settings;
}

std::int64_t WeightFields::number(std::string_view key) const {
  return std::get<std::int64_t>(settings.find(key)->second);
}

const std::vector<WeightKey>& weight_keys() {
  static const std::vector<WeightKey> all = [] {
    std::vector<WeightKey> keys;
    for (const Encoding* room : encodings()) {
      for (const Field& field : room->fields()) {  // whose texts are literals
        // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage)
        keys.push_back({field.key.data(), field.help.data(), limits_of(field), room});
      }
    }
    return keys;
  }();
  return all;
}

std::vector<std::string> weight_words() {
  std::vector<std::string> words;
  for (const Encoding* room : encodings()) {
    for (const std::string_view word : room->words()) words.emplace_back(word);
  }
  return words;
}

WeightEncoding weight_encoding(const WeightFields& fields) {
  return make_encoding(fields.encoding,
                       [&](const Field& field) { return value_of(fields, field); });
}

bool is_open(const WeightFields& fields) {
  for (const Field& field : encoding_named(fields.encoding).fields()) {
    if (!field.open.empty() && value_of(fields, field) == FieldValue(field.open)) return true;
  }
  return false;
}

void settle(WeightFields& fields) {
  const WeightEncoding encoding = weight_encoding(fields);
  const Encoding& room = encoding_of(encoding);
  fields.encoding = room.word_of(encoding);
  for (const Field& field : room.fields()) {
    if (field.is_main) fields.settings.find(field.key)->second = setting_of(field.get(encoding));
  }
}

}  // namespace tbn
