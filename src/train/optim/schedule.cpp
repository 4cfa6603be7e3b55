// The formulas of schedule.h.
#include "train/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tbn/error.h"

namespace tbn {
namespace {

constexpr double kWarmupStart = 0.01;

// From `from` at t = 0 to `to` at t = 1 along half a cosine.
double half_cosine(double from, double to, double t) {
  return to + (from - to) * (1 + std::cos(std::numbers::pi * t)) / 2;
}

double one_cycle(const ScheduleConfig& schedule, double t) {
  const double peak = schedule.peak_at;
  if (t < peak) return half_cosine(schedule.start_factor, 1, t / peak);
  if (peak >= 1) return 1;
  return half_cosine(1, schedule.final_factor, (t - peak) / (1 - peak));
}

double drops(const ScheduleConfig& schedule, std::int64_t epoch) {
  if (schedule.every > 0) {
    const std::int64_t whole = epoch / schedule.every;
    return static_cast<double>(whole);
  }
  return static_cast<double>(
      std::count_if(schedule.milestones.begin(), schedule.milestones.end(),
                    [&](std::int64_t milestone) { return milestone <= epoch; }));
}

double stepped(const ScheduleConfig& schedule, std::int64_t epoch) {
  return std::max(schedule.final_factor, std::pow(schedule.gamma, drops(schedule, epoch)));
}

// The schedule after the warm-up; t is the share of the remaining steps that are done.
double shape(const ScheduleConfig& schedule, double t, std::int64_t epoch) {
  switch (schedule.type) {
    case ScheduleType::kConstant:
      return 1;
    case ScheduleType::kCosine:
      return half_cosine(1, schedule.final_factor, t);
    case ScheduleType::kOneCycle:
      return one_cycle(schedule, t);
    case ScheduleType::kStep:
      return stepped(schedule, epoch);
  }
  TBN_CHECK(false, "not a schedule");
}

}  // namespace

double norm_momentum_factor(const ScheduleConfig& schedule, std::int64_t epoch) {
  return schedule.type == ScheduleType::kStep
             ? std::pow(schedule.norm_gamma, drops(schedule, epoch))
             : 1;
}

double schedule_factor(const ScheduleConfig& schedule, std::int64_t step,
                       const ScheduleSpan& span) {
  TBN_CHECK(step >= 0 && span.steps_per_epoch > 0, "a schedule needs a step and an epoch length");
  const auto warmup = static_cast<std::int64_t>(
      std::llround(schedule.warmup_epochs * static_cast<double>(span.steps_per_epoch)));
  const std::int64_t epoch = step / span.steps_per_epoch;
  if (step < warmup) {
    const double risen = static_cast<double>(step) / static_cast<double>(warmup);
    return (kWarmupStart + (1 - kWarmupStart) * risen) * shape(schedule, 0, epoch);
  }
  const std::int64_t rest = std::max<std::int64_t>(1, span.total_steps - warmup);
  const double t = static_cast<double>(step - warmup) / static_cast<double>(rest);
  return shape(schedule, std::min(1.0, t), epoch);
}

}  // namespace tbn
