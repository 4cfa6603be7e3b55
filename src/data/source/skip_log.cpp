// One map under a lock: damaged samples are few, and reading them costs more than the lock.
#include "data/source/skip_log.h"

#include <utility>

#include <fmt/format.h>

#include "base/counted.h"
#include "tbn/error.h"

namespace tbn {

SkipLog::SkipLog(std::int64_t samples, const DataOptions& options)
    : samples_(samples), on_error_(options.on_error), most_(options.skip_most) {}

void SkipLog::add(std::int64_t index, const std::string& reason) const {
  if (on_error_ == OnError::kStop) throw DataError(reason);
  const std::lock_guard lock(mutex_);
  if (!reasons_.emplace(index, reason).second) return;
  const auto skipped = static_cast<std::int64_t>(reasons_.size());
  const bool too_many = static_cast<double>(skipped) > most_ * static_cast<double>(samples_);
  if (!too_many && skipped < samples_) return;
  if (skipped == samples_) {
    throw DataError(fmt::format("none of {} can be read; the first: {}; is it this data set?",
                                counted(samples_, "sample"), reasons_.begin()->second));
  }
  throw DataError(
      fmt::format("{} of {} cannot be read, more than the {:g} % that data.skip_most "
                  "allows; the first: "
                  "{}; repair or remove them, or raise data.skip_most",
                  skipped, counted(samples_, "sample"), 100 * most_, reasons_.begin()->second));
}

bool SkipLog::knows(std::int64_t index) const {
  const std::lock_guard lock(mutex_);
  return reasons_.contains(index);
}

SkipReport SkipLog::report() const {
  const std::lock_guard lock(mutex_);
  SkipReport report{
      .samples = samples_, .skipped = static_cast<std::int64_t>(reasons_.size()), .reasons = {}};
  for (const auto& [index, reason] : reasons_) {
    if (report.reasons.size() == SkipReport::kNamed) break;
    report.reasons.push_back(reason);
  }
  return report;
}

}  // namespace tbn
