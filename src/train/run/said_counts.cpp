// Remembers what was reported.
#include "train/run/said_counts.h"

#include <fmt/format.h>

#include "base/counted.h"

namespace tbn {

std::vector<std::string> SaidCounts::skipped() {
  std::vector<std::string> texts;
  const auto look = [&](const Dataset& data, const std::string& split, std::int64_t& said) {
    const SkipReport report = data.skips();
    if (report.skipped + report.ignored > said) texts.push_back(skip_text(report, split));
    said = report.skipped + report.ignored;
  };
  // Samples held out for validation are of the training split.
  if (data_.found.validation) look(*data_.validation, "validation", skipped_[1]);
  look(*data_.train, "training", skipped_[0]);
  look(*data_.test, "test", skipped_[2]);
  return texts;
}

std::vector<std::string> SaidCounts::misfits() {
  std::vector<std::string> texts;
  const std::int64_t misfits = runner_.misfits();
  if (misfits > misfits_) {
    texts.push_back(fmt::format("{} ran outside of the CUDA graph: batches are of another size",
                                counted(misfits, "step")));
  }
  misfits_ = misfits;
  return texts;
}

}  // namespace tbn
