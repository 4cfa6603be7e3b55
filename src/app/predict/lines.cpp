// Names come from outside: shown() on terminals, quoted in CSV, escaped in JSON.
#include "app/predict/lines.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/shown.h"
#include "data/series/time_axis.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

// A cell of CSV: in quotes where it holds what separates cells.
std::string cell(std::string_view text) {
  std::string safe = shown(text);
  if (safe.find_first_of(",\"") == std::string::npos) return safe;
  std::string quoted = "\"";
  for (const char c : safe) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

// "2016-07-01 00:15:00", with thousandths where steps are no whole seconds. What is near 1970 is
// the number of a row, or of seconds since something else.
std::string moment(double time, bool in_thousandths) {
  constexpr double kNearStart = 1e7;
  if (std::abs(time) < kNearStart) return fmt::format("{:.10g}", time);
  if (!in_thousandths) return time_text(std::round(time));
  const double thousandths = std::round(time * 1000);
  const double whole = std::floor(thousandths / 1000);
  return fmt::format("{}.{:03}", time_text(whole), static_cast<int>(thousandths - whole * 1000));
}

bool has_fractions(const std::vector<double>& times) {
  return std::ranges::any_of(times, [](double t) { return std::abs(t - std::round(t)) > 5e-4; });
}

// When a step of a forecast is, or which it is.
std::string step_name(const PredictionInput& input, std::size_t step) {
  if (step >= input.times.size()) return std::to_string(step + 1);
  return moment(input.times[step], has_fractions(input.times));
}

std::span<const float> row(const NetworkForm& form, const Prediction& prediction,
                           std::size_t step) {
  const auto columns = static_cast<std::size_t>(form.output.back());
  return std::span(prediction.forecast).subspan(step * columns, columns);
}

std::size_t steps(const NetworkForm& form, const Prediction& prediction) {
  return prediction.forecast.size() / static_cast<std::size_t>(form.output.back());
}

const char* share_name(const NetworkForm& form) {
  return prediction_kind(form) == PredictionKind::kClass ? "probability" : "share";
}

Json class_json(const NetworkForm& form, const ClassShare& each) {
  Json json = Json::object();
  json["class"] = class_name(form, each.label);
  json["label"] = each.label;
  json[share_name(form)] = each.share;
  return json;
}

}  // namespace

std::string csv_header(const NetworkForm& form, std::int64_t most) {
  if (prediction_kind(form) == PredictionKind::kForecast) {
    std::string header = "input,time";
    for (std::int64_t c = 0; c < form.output.back(); ++c)
      header += "," + cell(column_name(form, c));
    return header + "\n";
  }
  std::string header = fmt::format("input,class,{}", share_name(form));
  for (std::int64_t i = 2; i <= most; ++i) {
    header += fmt::format(",class_{},{}_{}", i, share_name(form), i);
  }
  return header + "\n";
}

std::string csv_lines(const NetworkForm& form, const PredictionInput& input,
                      const Prediction& prediction, std::int64_t most) {
  const std::string name = cell(input.name);
  if (prediction_kind(form) == PredictionKind::kForecast) {
    std::string lines;
    for (std::size_t step = 0; step < steps(form, prediction); ++step) {
      lines += name + "," + step_name(input, step);
      for (const float value : row(form, prediction, step)) lines += fmt::format(",{:.7g}", value);
      lines += '\n';
    }
    return lines;
  }
  std::string line = name;
  for (std::size_t i = 0; i < static_cast<std::size_t>(most); ++i) {
    if (i < prediction.classes.size()) {
      const ClassShare& each = prediction.classes[i];
      line += fmt::format(",{},{:.6g}", cell(class_name(form, each.label)), each.share);
    } else {
      line += ",,";  // fewer classes than asked for
    }
  }
  return line + "\n";
}

std::string text_lines(const NetworkForm& form, const PredictionInput& input,
                       const Prediction& prediction) {
  const std::string name = shown(input.name);
  if (prediction_kind(form) == PredictionKind::kForecast) {
    std::string lines;
    for (std::size_t step = 0; step < steps(form, prediction); ++step) {
      lines += name + "\t" + step_name(input, step);
      const auto values = row(form, prediction, step);
      for (std::size_t c = 0; c < values.size(); ++c) {
        lines += fmt::format("\t{} {:.5g}", shown(column_name(form, static_cast<std::int64_t>(c))),
                             values[c]);
      }
      lines += '\n';
    }
    return lines;
  }
  std::string line = name;
  for (const ClassShare& each : prediction.classes) {
    line += fmt::format("\t{} {:.4f}", shown(class_name(form, each.label)), each.share);
  }
  return line + "\n";
}

Json prediction_json(const NetworkForm& form, const PredictionInput& input,
                     const Prediction& prediction) {
  Json json = Json::object();
  json["input"] = input.name;
  Json::Array classes;
  for (const ClassShare& each : prediction.classes) classes.push_back(class_json(form, each));
  switch (prediction_kind(form)) {
    case PredictionKind::kClass:
      json["class"] = class_name(form, prediction.classes.front().label);
      json["label"] = prediction.classes.front().label;
      json["probability"] = prediction.classes.front().share;
      json["top"] = Json::array(std::move(classes));
      break;
    case PredictionKind::kPointClasses:
      json["shares"] = Json::array(std::move(classes));
      json["points"] = input.points;
      json["labels"] = prediction.labels;
      break;
    case PredictionKind::kForecast: {
      Json::Array columns;
      for (std::int64_t c = 0; c < form.output.back(); ++c) columns.push_back(column_name(form, c));
      Json::Array times;
      for (std::size_t i = 0; i < input.times.size(); ++i) times.push_back(step_name(input, i));
      Json::Array rows;
      for (std::size_t step = 0; step < steps(form, prediction); ++step) {
        const auto values = row(form, prediction, step);
        rows.push_back(Json::array(Json::Array(values.begin(), values.end())));
      }
      json["columns"] = Json::array(std::move(columns));
      json["times"] = Json::array(std::move(times));
      json["forecast"] = Json::array(std::move(rows));
      break;
    }
  }
  return json;
}

Json error_json(const PredictionInput& input) {
  Json json = Json::object();
  json["input"] = input.name;
  json["error"] = input.error;
  return json;
}

}  // namespace tbn::app
