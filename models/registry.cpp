// The catalogue of families, their options' checks, and the building of a graph from a ModelSpec.
#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "models/families.h"
#include "tbn/error.h"

namespace tbn {
namespace {

std::vector<ModelFamily> all_families() {
  std::vector<ModelFamily> families = {mlp_family(), vgg_small_family(), resnet_small_family()};
  const auto append = [&](std::vector<ModelFamily> more) {
    for (ModelFamily& family : more) families.push_back(std::move(family));
  };
  append(resnet_families());
  append({convmixer_family(), mlp_mixer_family()});
  append(vit_families());
  append(swin_families());
  append(pointnet_families());
  append({series_transformer_family(), itransformer_family(), dlinear_family(), tsmixer_family()});
  append({custom_family()});
  return families;
}

std::string number_text(double value) {
  if (value == std::floor(value) && std::abs(value) < 1e15) {
    return std::to_string(static_cast<std::int64_t>(value));
  }
  std::string text = std::to_string(value);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

// What is wrong with a number's size, or "".
std::string check_range(const OptionSpec& spec, double value) {
  if (value >= spec.min && value <= spec.max) return "";
  return "must be between " + number_text(spec.min) + " and " + number_text(spec.max) + ", is " +
         number_text(value);
}

std::string check_choice(const OptionSpec& spec, const std::string& value) {
  if (spec.choices.empty()) return "";
  std::string names;
  for (const std::string& choice : spec.choices) {
    if (choice == value) return "";
    names += (names.empty() ? "" : ", ") + choice;
  }
  return "must be one of " + names + ", is " + in_quotes(value);
}

std::string_view type_name(const OptionValue& value) {
  constexpr std::string_view kNames[] = {"true or false", "an integer",         "a number",
                                         "text",          "a list of integers", "a list of layers"};
  return kNames[value.index()];
}

void check_task(const ModelFamily& family, const ModelSpec& spec) {
  if (family.task && *family.task != spec.task.task) {
    throw ConfigError("model.type: " + family.name + " is for " +
                      std::string(to_string(*family.task)) + ", and the data set is for " +
                      std::string(to_string(spec.task.task)));
  }
  const std::size_t dimensions = spec.task.task == Task::kClassification ? 1 : 2;
  TBN_CHECK(spec.task.output.size() == dimensions, "the task's output has another rank");
  for (const std::int64_t d : spec.task.output) {
    if (d < 1) throw ConfigError("the task's output " + to_string(spec.task.output) + " is empty");
  }
}

}  // namespace

std::string check_option(const OptionSpec& spec, const OptionValue& value) {
  const auto* integer = std::get_if<std::int64_t>(&value);
  if (std::holds_alternative<double>(spec.value) && integer != nullptr) {
    return check_range(spec, static_cast<double>(*integer));
  }
  if (value.index() != spec.value.index()) {
    return "must be " + std::string(type_name(spec.value)) + ", is " +
           std::string(type_name(value));
  }
  return std::visit(
      Overloaded{[](bool) { return std::string(); },
                 [&](std::int64_t v) { return check_range(spec, static_cast<double>(v)); },
                 [&](double v) { return check_range(spec, v); },
                 [&](const std::string& v) { return check_choice(spec, v); },
                 [&](const std::vector<std::int64_t>& list) {
                   for (std::int64_t v : list) {
                     std::string wrong = check_range(spec, static_cast<double>(v));
                     if (!wrong.empty()) return wrong;
                   }
                   return std::string();
                 },
                 [](const LayerList&) { return std::string(); }},
      value);
}

ModelOptions::ModelOptions(std::string_view family, const std::vector<OptionSpec>& specs,
                           const OptionMap& given) {
  for (const OptionSpec& spec : specs) values_[spec.key] = spec.value;
  for (const auto& [key, value] : given) {
    const auto spec = std::find_if(specs.begin(), specs.end(),
                                   [&name = key](const OptionSpec& s) { return s.key == name; });
    if (spec == specs.end()) {
      throw ConfigError("model." + key + ": " + std::string(family) + " has no such option");
    }
    const std::string wrong = check_option(*spec, value);
    if (!wrong.empty()) throw ConfigError("model." + key + ": " + wrong);
    const auto* integer = std::get_if<std::int64_t>(&value);
    const bool to_real = integer != nullptr && std::holds_alternative<double>(spec->value);
    values_[key] = to_real ? OptionValue(static_cast<double>(*integer)) : value;
  }
}

template <class T>
const T& ModelOptions::get(std::string_view key) const {
  const auto found = values_.find(key);
  TBN_CHECK(found != values_.end(), "undeclared model option");
  const T* value = std::get_if<T>(&found->second);
  TBN_CHECK(value != nullptr, "model option of another type");
  return *value;
}

std::int64_t ModelOptions::integer(std::string_view key) const { return get<std::int64_t>(key); }
double ModelOptions::real(std::string_view key) const { return get<double>(key); }
bool ModelOptions::flag(std::string_view key) const { return get<bool>(key); }
const std::string& ModelOptions::text(std::string_view key) const { return get<std::string>(key); }
const std::vector<std::int64_t>& ModelOptions::list(std::string_view key) const {
  return get<std::vector<std::int64_t>>(key);
}
const LayerList& ModelOptions::layers(std::string_view key) const { return get<LayerList>(key); }

std::int64_t scaled_channels(std::int64_t channels, double width) {
  if (width == 1.0) return channels;
  const auto eighths =
      static_cast<std::int64_t>(std::llround(static_cast<double>(channels) * width / 8.0));
  return std::max<std::int64_t>(8, eighths * 8);
}

const std::vector<ModelFamily>& model_families() {
  static const std::vector<ModelFamily> families = all_families();
  return families;
}

const ModelFamily& model_family(std::string_view name) {
  std::string names;
  for (const ModelFamily& family : model_families()) {
    if (family.name == name) return family;
    names += (names.empty() ? "" : ", ") + family.name;
  }
  throw ConfigError("model.type: " + in_quotes(name) + " is no model; there are " + names);
}

std::string_view to_string(Task task) {
  switch (task) {
    case Task::kClassification:
      return "classification";
    case Task::kSegmentation:
      return "segmentation";
    case Task::kForecasting:
      return "forecasting";
  }
  return "";
}

Graph build_model(const ModelSpec& spec) {
  const ModelFamily& family = model_family(spec.type);
  check_task(family, spec);
  const ModelOptions options(family.name, family.options, spec.options);
  GraphBuilder b(family.name);
  Value x = b.input(spec.input);
  if (!spec.mean.empty() || !spec.std.empty()) x = x.normalize(spec.mean, spec.std);
  return b.finish(family.build(b, x, options, spec.task));
}

}  // namespace tbn
