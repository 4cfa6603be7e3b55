// Learning-rate schedules as pure functions of the step: what a run uses at step 12,345 does not
// depend on how it got there, so a resumed run needs no state of it.
#pragma once

#include <cstdint>

#include "config/config.h"

namespace tbn {

struct ScheduleSpan {
  std::int64_t steps_per_epoch = 1;
  std::int64_t total_steps = 1;
};

// What every learning rate is multiplied by at `step` (0 .. total_steps - 1).
//
// The first W = round(warmup_epochs * steps_per_epoch) steps rise linearly from 1 / 100 of the
// schedule's first value to it. Over the share t of the steps after them, with f the final factor:
//   constant   1
//   cosine     f + (1 - f) (1 + cos(pi t)) / 2
//   one_cycle  a half cosine from start_factor up to 1 at t = peak_at, one down to f at t = 1
//   step       gamma ^ (milestones reached, in whole epochs from the start; or epoch / every), f at
//              least
double schedule_factor(const ScheduleConfig& schedule, std::int64_t step, const ScheduleSpan& span);

// What the momentum of batch norms' running statistics is multiplied by in `epoch` (from 0):
// norm_gamma ^ (milestones reached).
double norm_momentum_factor(const ScheduleConfig& schedule, std::int64_t epoch);

}  // namespace tbn
