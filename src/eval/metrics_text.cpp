// Metrics as a line, a table and JSON.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/counted.h"
#include "base/shown.h"
#include "base/text.h"
#include "eval/metrics.h"

namespace tbn {
namespace {

// JSON has no number that is not finite.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

void put(Json& json, const char* key, const std::optional<double>& value) {
  if (value) json[key] = number(*value);
}

Json per_class(const EvalMetrics& metrics) {
  const bool points = metrics.task == Task::kSegmentation;
  Json list = Json::array();
  for (const ClassMetrics& of : metrics.classes) {
    Json json = Json::object();
    json["name"] = of.name;
    json[points ? "points" : "images"] = of.count;
    put(json, "recall", of.recall);
    put(json, "precision", of.precision);
    if (points) put(json, "iou", of.iou);
    list.push_back(std::move(json));
  }
  return list;
}

Json per_category(const EvalMetrics& metrics) {
  Json list = Json::array();
  for (const CategoryMetrics& of : metrics.categories) {
    Json json = Json::object({{"name", of.name}, {"objects", of.objects}});
    put(json, "miou", of.miou);
    list.push_back(std::move(json));
  }
  return list;
}

// Rows of the confusion matrix.
Json confusion_json(const EvalMetrics& metrics) {
  Json rows = Json::array();
  const auto width = static_cast<std::ptrdiff_t>(metrics.classes.size());
  for (auto at = metrics.confusion.begin(); at != metrics.confusion.end(); at += width) {
    rows.push_back(std::vector<std::int64_t>(at, at + width));
  }
  return rows;
}

std::string cell(const std::optional<double>& value) {
  return value ? fmt::format("{:.2f} %", *value) : "-";
}

// Whether a byte of UTF-8 begins a character.
bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

std::size_t characters(const std::string& text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, begins_character));
}

// Lines of cells under a heading: the first column to the left, the others to the right.
std::string aligned(const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::size_t> widths(lines.front().size(), 0);
  for (const auto& line : lines) {
    for (std::size_t c = 0; c < line.size(); ++c)
      widths[c] = std::max(widths[c], characters(line[c]));
  }
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t c = 0; c < line.size(); ++c) {
      const std::string padding(widths[c] - characters(line[c]), ' ');
      text += c == 0 ? line[c] + padding : "  " + padding + line[c];
    }
    text += '\n';
  }
  return text;
}

// A name for a terminal, at most 80 characters of it.
std::string plain(const std::string& name) {
  constexpr std::size_t kMost = 80;
  std::string text = shown(name);
  std::size_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (begins_character(text[i]) && ++count > kMost) return text.substr(0, i) + "...";
  }
  return text;
}

}  // namespace

double EvalMetrics::score() const {
  switch (task) {
    case Task::kClassification:
      return top1;
    case Task::kSegmentation:
      return instance_miou.value_or(miou);
    case Task::kForecasting:
      return -mse;
  }
  return 0;
}

std::string EvalMetrics::score_name() const {
  switch (task) {
    case Task::kClassification:
      return "top-1";
    case Task::kSegmentation:
      return instance_miou ? "instance mIoU" : "mIoU";
    case Task::kForecasting:
      return "MSE";
  }
  return "";
}

std::string EvalMetrics::score_text() const {
  if (task == Task::kForecasting) return fmt::format("{:.4f}", mse);
  return fmt::format("{:.2f} %", score());
}

std::string EvalMetrics::headline() const {
  const std::string lost =
      not_finite == 0
          ? ""
          : fmt::format("{} of {} not finite, ", grouped(static_cast<std::uint64_t>(not_finite)),
                        counted(samples, "output"));
  const std::string start = lost + score_name() + " " + score_text();
  if (task == Task::kClassification) {
    // Of five classes or fewer every answer is among the first five.
    const std::string among_five = classes.size() > 5 ? fmt::format(", top-5 {:.2f} %", top5) : "";
    return fmt::format("{}{}, loss {:.4f}", start, among_five, loss);
  }
  if (task == Task::kForecasting) return fmt::format("{}, MAE {:.4f}", start, mae);
  if (class_miou) {
    return fmt::format("{}, class mIoU {:.2f} %, accuracy {:.2f} %, loss {:.4f}", start,
                       *class_miou, accuracy, loss);
  }
  return fmt::format("{}, accuracy {:.2f} %, class accuracy {:.2f} %, loss {:.4f}", start, accuracy,
                     class_accuracy, loss);
}

Json metrics_json(const EvalMetrics& metrics) {
  Json json = Json::object();
  json["task"] = std::string(to_string(metrics.task));
  if (metrics.not_finite > 0) json["not_finite"] = metrics.not_finite;
  if (metrics.task == Task::kForecasting) {
    json["mse"] = number(metrics.mse);
    json["mae"] = number(metrics.mae);
    json["loss"] = number(metrics.loss);
    json["samples"] = metrics.samples;
    return json;
  }
  if (metrics.task == Task::kClassification) {
    json["top1"] = metrics.top1;
    json["top5"] = metrics.top5;
    json["loss"] = number(metrics.loss);
    json["images"] = metrics.samples;
  } else {
    json["accuracy"] = metrics.accuracy;
    json["class_accuracy"] = metrics.class_accuracy;
    json["miou"] = metrics.miou;
    put(json, "instance_miou", metrics.instance_miou);
    put(json, "class_miou", metrics.class_miou);
    json["loss"] = number(metrics.loss);
    json["samples"] = metrics.samples;
  }
  json["per_class"] = per_class(metrics);
  if (!metrics.categories.empty()) json["per_category"] = per_category(metrics);
  if (!metrics.confusion.empty()) json["confusion"] = confusion_json(metrics);
  return json;
}

std::string metrics_table(const EvalMetrics& metrics, std::size_t most) {
  if (metrics.classes.empty() || metrics.classes.size() > most) return "";
  const bool points = metrics.task == Task::kSegmentation;
  std::vector<std::vector<std::string>> lines;
  lines.push_back({"class", points ? "points" : "samples", "recall", points ? "IoU" : "precision"});
  for (const ClassMetrics& of : metrics.classes) {
    lines.push_back({plain(of.name), grouped(static_cast<std::uint64_t>(of.count)), cell(of.recall),
                     cell(points ? of.iou : of.precision)});
  }
  std::string text = aligned(lines);
  if (metrics.categories.empty()) return text;
  lines = {{"category", "objects", "mIoU"}};
  for (const CategoryMetrics& of : metrics.categories) {
    lines.push_back(
        {plain(of.name), grouped(static_cast<std::uint64_t>(of.objects)), cell(of.miou)});
  }
  return text + "\n" + aligned(lines);
}

}  // namespace tbn
