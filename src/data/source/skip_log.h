// Samples that cannot be read and are passed over (data.on_error: skip): which ones, why, and when
// there are too many of them to go on.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "data/source/dataset.h"
#include "data/source/options.h"

namespace tbn {

class SkipLog {
 public:
  // Of `samples`, by data.on_error and data.skip_most.
  SkipLog(std::int64_t samples, const DataOptions& options);

  // Notes that sample `index` cannot be read for `reason`; again is no matter. Throws DataError:
  // with the reason alone where samples are not to be skipped, and where a larger share than
  // data.skip_most of them would be, or all. Any number of threads.
  void add(std::int64_t index, const std::string& reason) const;
  // Whether it is known already that sample `index` cannot be read.
  bool knows(std::int64_t index) const;
  SkipReport report() const;

 private:
  std::int64_t samples_;
  OnError on_error_;
  double most_;
  mutable std::mutex mutex_;
  mutable std::map<std::int64_t, std::string> reasons_;  // by sample
};

}  // namespace tbn
