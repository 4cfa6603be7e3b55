// Schedules against their closed formulas.
#include "train/optim/schedule.h"

#include <cmath>
#include <numbers>

#include "support/catch.h"
#include "tbn/error.h"

using tbn::norm_momentum_factor;
using tbn::schedule_factor;
using tbn::ScheduleConfig;
using tbn::ScheduleType;

namespace {
constexpr tbn::ScheduleSpan kSpan{.steps_per_epoch = 10, .total_steps = 100};
}

TEST_CASE("a constant schedule is 1 at every step") {
  const ScheduleConfig constant{.type = ScheduleType::kConstant};
  for (int step : {0, 1, 50, 99}) CHECK(schedule_factor(constant, step, kSpan) == 1.0);
}

TEST_CASE("a cosine schedule starts at 1, is half way at half time and ends at its final factor") {
  const ScheduleConfig cosine{.type = ScheduleType::kCosine, .final_factor = 0.2};
  CHECK(schedule_factor(cosine, 0, kSpan) == Approx(1.0));
  CHECK(schedule_factor(cosine, 50, kSpan) == Approx(0.6));
  CHECK(schedule_factor(cosine, 25, kSpan) ==
        Approx(0.2 + 0.8 * (1 + std::cos(std::numbers::pi / 4)) / 2));
  CHECK(schedule_factor(cosine, 100, kSpan) == Approx(0.2));
}

TEST_CASE("a warm-up rises in a line from a hundredth and then the schedule takes all its steps") {
  const ScheduleConfig cosine{.type = ScheduleType::kCosine, .warmup_epochs = 2};
  CHECK(schedule_factor(cosine, 0, kSpan) == Approx(0.01));
  CHECK(schedule_factor(cosine, 10, kSpan) == Approx(0.505));
  CHECK(schedule_factor(cosine, 20, kSpan) == Approx(1.0));
  CHECK(schedule_factor(cosine, 60, kSpan) == Approx(0.5));
}

TEST_CASE("one cycle climbs to 1 at its peak and falls to its final factor") {
  const ScheduleConfig cycle{
      .type = ScheduleType::kOneCycle, .final_factor = 0.001, .peak_at = 0.3, .start_factor = 0.04};
  CHECK(schedule_factor(cycle, 0, kSpan) == Approx(0.04));
  CHECK(schedule_factor(cycle, 15, kSpan) == Approx((0.04 + 1) / 2));
  CHECK(schedule_factor(cycle, 30, kSpan) == Approx(1.0));
  CHECK(schedule_factor(cycle, 65, kSpan) == Approx((1 + 0.001) / 2));
  CHECK(schedule_factor(cycle, 100, kSpan) == Approx(0.001));
}

TEST_CASE("a step schedule drops at its milestones, counted in epochs from the start") {
  const ScheduleConfig step{
      .type = ScheduleType::kStep, .warmup_epochs = 1, .milestones = {3, 6}, .gamma = 0.1};
  CHECK(schedule_factor(step, 29, kSpan) == Approx(1.0));
  CHECK(schedule_factor(step, 30, kSpan) == Approx(0.1));
  CHECK(schedule_factor(step, 60, kSpan) == Approx(0.01));
  const ScheduleConfig every{.type = ScheduleType::kStep, .every = 4, .gamma = 0.5};
  CHECK(schedule_factor(every, 39, kSpan) == Approx(1.0));
  CHECK(schedule_factor(every, 40, kSpan) == Approx(0.5));
  CHECK(schedule_factor(every, 80, kSpan) == Approx(0.25));
}

TEST_CASE("norms' momentum drops where a step schedule drops, and under no other") {
  const ScheduleConfig step{.type = ScheduleType::kStep, .every = 4, .norm_gamma = 0.5};
  CHECK(norm_momentum_factor(step, 3) == 1);
  CHECK(norm_momentum_factor(step, 4) == 0.5);
  CHECK(norm_momentum_factor(step, 8) == 0.25);
  CHECK(norm_momentum_factor({.type = ScheduleType::kCosine}, 8) == 1);
}
