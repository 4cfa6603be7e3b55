// Clouds of points: the first of the file, moved and scaled, as many as the network takes.
#include <algorithm>

#include "base/counted.h"
#include "prepare/inputs.h"
#include "prepare/kind.h"
#include "prepare/points.h"
#include "tbn/error.h"

namespace tbn {
namespace {

struct PointPlan {
  std::int64_t most = 0;  // 0: all
  bool centre = false;
  bool scale = false;
  bool drawn = false;
};

PointPlan plan_of(const InputRule& rule) {
  PointPlan plan;
  for (const InputStep& step : rule.steps) {
    if (const auto* first = std::get_if<FirstStep>(&step)) {
      plan.most = first->most;
    } else if (std::holds_alternative<CentreStep>(step)) {
      plan.centre = true;
    } else if (std::holds_alternative<ScaleStep>(step)) {
      plan.scale = true;
    } else if (const auto* choose = std::get_if<ChooseStep>(&step)) {
      plan.drawn = choose->drawn;
    } else {
      refuse_step(step, "clouds of points");
    }
  }
  return plan;
}

std::int64_t categories_of(const Rule& rule) {
  return rule.output ? static_cast<std::int64_t>(rule.output->categories.size()) : 0;
}

}  // namespace

std::int64_t point_columns(const Rule& rule, const Shape& shape) {
  return shape.back() - categories_of(rule);
}

std::vector<std::int64_t> prepare_points(const Rule& rule, const Shape& shape,
                                         std::span<const float> cloud, std::int64_t category,
                                         std::span<float> input) {
  const PointPlan plan = plan_of(input_of(rule, "points", "clouds of points"));
  check_input_size(input.size(), shape);
  const std::int64_t columns = shape.size() == 2 ? point_columns(rule, shape) : 0;
  if (columns < 3) throw ConfigError("the network takes " + to_string(shape) + ", no points");
  const auto values = static_cast<std::int64_t>(cloud.size());
  if (values == 0 || values % columns != 0) {
    throw ConfigError(
        "a cloud of " +
        counted(values, "value, which is no point of ", "values, which are no points of ") +
        std::to_string(columns));
  }
  const std::int64_t categories = categories_of(rule);
  if (categories > 0 && (category < 0 || category >= categories)) {
    throw ConfigError("category " + std::to_string(category) + " is none of the network's " +
                      std::to_string(categories));
  }
  const std::int64_t count =
      plan.most > 0 ? std::min(plan.most, values / columns) : values / columns;
  std::vector<float> points(cloud.begin(), cloud.begin() + count * columns);
  move_and_scale(points, columns, plan.centre, plan.scale);
  std::vector<std::int64_t> chosen =
      choose_points(count, shape[0], plan.drawn, CounterRng(0, RngUse::kSample));
  float* to = input.data();
  for (const std::int64_t point : chosen) {
    to = std::copy_n(points.begin() + point * columns, columns, to);
    for (std::int64_t c = 0; c < categories; ++c) *to++ = c == category ? 1.0f : 0.0f;
  }
  return chosen;
}

}  // namespace tbn
