// DLinear (Zeng et al. 2023): the series as a moving average and what is left of it, each carried
// forward by one linear layer over time that all columns share.
#include "models/families.h"
#include "models/series.h"

namespace tbn {
namespace {

Value build_dlinear(GraphBuilder&, Value x, const ModelOptions& options, const TaskSpec& task) {
  const SeriesLevel level(x, options, task, "dlinear");
  check_same_columns(x, task, "dlinear");
  const Value trend = level.values().moving_average(options.integer("kernel")).named("trend");
  const Value seasonal = level.values() - trend;
  const std::int64_t horizon = task.output.front();
  const Value fast = over_time(seasonal, horizon, "seasonal_linear");
  const Value slow = over_time(trend, horizon, "trend_linear");
  return level.restore(fast + slow);
}

}  // namespace

ModelFamily dlinear_family() {
  return {.name = "dlinear",
          .summary = "DLinear: two linear layers over time",
          .options = {count_option("kernel", 25, 9999, "steps of the moving average, odd"),
                      normalize_option()},
          .build = build_dlinear,
          .task = Task::kForecasting};
}

}  // namespace tbn
