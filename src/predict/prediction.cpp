// Softmax, votes of points, and units.
#include "predict/prediction.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tbn/error.h"

namespace tbn {
namespace {

void check_outputs(const PredictionInput& input, std::span<const float> outputs) {
  for (const float value : outputs) {
    if (std::isfinite(value)) continue;
    throw NonFiniteError("'" + input.name +
                         "': the network gives what is infinite or not a number");
  }
}

// The first `most` by their share.
void sort_classes(std::vector<ClassShare>& classes, std::int64_t most) {
  std::ranges::stable_sort(
      classes, [](const ClassShare& a, const ClassShare& b) { return a.share > b.share; });
  if (std::ssize(classes) > most) classes.resize(static_cast<std::size_t>(most));
}

std::vector<ClassShare> probabilities(std::span<const float> logits) {
  const double largest = *std::ranges::max_element(logits);
  std::vector<ClassShare> classes(logits.size());
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    classes[i] = {static_cast<std::int64_t>(i), std::exp(logits[i] - largest)};
    sum += classes[i].share;
  }
  for (ClassShare& each : classes) each.share /= sum;
  return classes;
}

// The labels that a point can have: those of its object's kind, where the network is told it.
LabelRange labels_of(const NetworkForm& form) {
  if (form.rule.output && !form.rule.output->categories.empty()) {
    return form.rule.output->categories.at(static_cast<std::size_t>(form.category));
  }
  return {.name = {}, .first = 0, .count = form.output.back()};
}

void set_points(const NetworkForm& form, std::span<const float> outputs, std::int64_t most,
                Prediction& prediction) {
  const auto classes = static_cast<std::size_t>(form.output.back());
  const LabelRange range = labels_of(form);
  std::vector<std::int64_t> counts(classes);
  for (std::size_t at = 0; at < outputs.size(); at += classes) {
    const auto first = outputs.begin() + static_cast<std::ptrdiff_t>(at) + range.first;
    const auto label = std::max_element(first, first + range.count) - first + range.first;
    prediction.labels.push_back(label);
    ++counts[static_cast<std::size_t>(label)];
  }
  const auto points = static_cast<double>(prediction.labels.size());
  for (std::size_t i = 0; i < classes; ++i) {
    if (counts[i] == 0) continue;
    prediction.classes.push_back(
        {static_cast<std::int64_t>(i), static_cast<double>(counts[i]) / points});
  }
  sort_classes(prediction.classes, most);
}

// Of a network that takes and gives standardised values, whose rule has the statistics.
const StandardiseStep* standardisation(const NetworkForm& form) {
  if (!form.rule.input) return nullptr;
  for (const InputStep& step : form.rule.input->steps) {
    if (const auto* found = std::get_if<StandardiseStep>(&step)) return found;
  }
  return nullptr;
}

}  // namespace

PredictionKind prediction_kind(const NetworkForm& form) {
  if (form.rule.output) {
    if (form.rule.output->kind == "class") return PredictionKind::kClass;
    if (form.rule.output->kind == "point_class") return PredictionKind::kPointClasses;
    if (form.rule.output->kind == "forecast") return PredictionKind::kForecast;
    throw ConfigError("the network's outputs are of a kind that this tbn does not know, '" +
                      form.rule.output->kind + "'");
  }
  if (form.output.size() == 1) return PredictionKind::kClass;
  throw ConfigError("the network gives " + to_string(form.output) +
                    ", and its file does not say what that means; export its run again with "
                    "--rule use");
}

Prediction prediction_of(const NetworkForm& form, const PredictionInput& input,
                         std::span<const float> outputs, std::int64_t most) {
  check_outputs(input, outputs);
  Prediction prediction;
  switch (prediction_kind(form)) {
    case PredictionKind::kClass:
      prediction.classes = probabilities(outputs);
      sort_classes(prediction.classes, most);
      break;
    case PredictionKind::kPointClasses:
      set_points(form, outputs, most, prediction);
      break;
    case PredictionKind::kForecast:
      prediction.forecast.assign(outputs.begin(), outputs.end());
      if (const StandardiseStep* step = standardisation(form)) {
        to_original(prediction.forecast, {.mean = step->mean, .deviation = step->deviation});
      }
      break;
  }
  return prediction;
}

std::string class_name(const NetworkForm& form, std::int64_t label) {
  const auto place = static_cast<std::size_t>(label);
  if (form.rule.output && place < form.rule.output->classes.size() &&
      !form.rule.output->classes[place].empty()) {
    return form.rule.output->classes[place];
  }
  return std::to_string(label);
}

std::string column_name(const NetworkForm& form, std::int64_t column) {
  const auto place = static_cast<std::size_t>(column);
  if (form.rule.input && place < form.rule.input->columns.size()) {
    return form.rule.input->columns[place];
  }
  return "column " + std::to_string(column + 1);
}

}  // namespace tbn
