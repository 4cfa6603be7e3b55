// Sizes that follow from a spec, and what a split is recognised by.
#include "data/source/dataset.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/counted.h"
#include "file/crc32c.h"

namespace tbn {

std::string to_string(Split split) {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kValidation:
      return "validation";
    case Split::kTest:
      return "test";
  }
  return "";
}

std::int64_t SampleSpec::labels() const {
  switch (task.task) {
    case Task::kClassification:
      return 1;
    case Task::kSegmentation:
      return task.output.front();
    case Task::kForecasting:
      return 0;
  }
  return 0;
}

std::string skip_text(const SkipReport& report, const std::string& split) {
  std::string text;
  if (report.skipped > 0) {
    const bool more = report.skipped > static_cast<std::int64_t>(report.reasons.size());
    text = fmt::format("{}: {} of {} cannot be read and {} skipped: {}{}", split, report.skipped,
                       counted(report.samples, "sample"), report.skipped == 1 ? "is" : "are",
                       fmt::join(report.reasons, "; "), more ? "; ..." : "");
  }
  if (report.ignored > 0) {
    const bool more = report.ignored > static_cast<std::int64_t>(report.ignored_names.size());
    text += text.empty() ? split + ": " : "; ";
    text += fmt::format("{} passed over: {}{}",
                        counted(report.ignored, "entry of class folders is no picture and is",
                                "entries of class folders are no pictures and are"),
                        fmt::join(report.ignored_names, ", "), more ? ", ..." : "");
  }
  return text;
}

Listing listing_of(const Dataset& data) {
  Listing listing{.count = data.size()};
  std::string line;
  for (std::int64_t i = 0; i < listing.count; ++i) {
    line = data.identity(i);
    line += '\n';
    listing.crc = crc32c(line, listing.crc);
  }
  return listing;
}

std::int64_t SampleSpec::targets() const {
  return task.task == Task::kForecasting ? element_count(task.output) : 0;
}

}  // namespace tbn
