// What kept outputs depend on: the teacher, the samples, and the views that training draws of them.
#include "train/run/trainer_teacher.h"

#include <set>
#include <sstream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "config/load.h"
#include "file/crc32c.h"
#include "tbn/rule.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

// A run that replaces another fills the file beside its reports, which then takes the old one's
// place, also where it is named.
fs::path place_of(const Config& config, const RunDirectory& reports) {
  return keeps_outputs_itself(config) ? reports.teacher_cache() : fs::path(config.teacher.cache);
}

// What tells other data of as many samples of the same names, as far as it is known without reading
// them once more: the table's columns, means and deviations, or those of the images' channels.
// Empty where nothing is known. Samples that differ all the same are found by their own checksums.
std::string content_of(const DataSplits& data) {
  if (data.series && data.rule.input) {
    const std::string text = metadata_of({.input = data.rule.input}).at(std::string(kInputRuleKey));
    return fmt::format("CRC-32C {:08x} of its columns, means and deviations", crc32c(text));
  }
  if (!data.statistics) return "";
  const std::string text = fmt::format("{}; {}", fmt::join(data.statistics->mean, ", "),
                                       fmt::join(data.statistics->deviation, ", "));
  return fmt::format("CRC-32C {:08x} of its means and deviations", crc32c(text));
}

// The settings that say what a view is, as far as they are no defaults: "crop_padding: 4, flip:
// true". What mixes views, where they are made and what else is read are left out.
std::string view_settings(const DataConfig& data) {
  const DataConfig usual;
  Config views{.data = data};
  views.data.root = usual.root;
  views.data.test_limit = usual.test_limit;
  views.data.normalize = usual.normalize;
  views.data.center = usual.center;
  views.data.on_error = usual.on_error;
  views.data.skip_most = usual.skip_most;
  views.data.resident = usual.resident;
  views.data.threads = usual.threads;
  std::istringstream defaults(print_config(Config{}));
  std::set<std::string> left_out;
  for (std::string line; std::getline(defaults, line);) left_out.insert(line);
  std::istringstream lines(print_config(views));
  std::string text;
  for (std::string line; std::getline(lines, line);) {
    if (left_out.contains(line)) continue;
    text += (text.empty() ? "" : ", ") + line.substr(line.find_first_not_of(' '));
  }
  return text;
}

TeacherCacheScope scope_of(const Config& config, const TrainerSetup& setup) {
  const Dataset& train = *setup.data.train;
  const Listing listing = listing_of(train);
  const bool bf16 = config.train.precision == TrainPrecision::kBf16;
  TeacherCacheScope scope{
      .facts = {{"teacher", setup.loss.teacher_mark()},
                {"precision", bf16 ? "bf16" : "fp32"},
                {"training samples",
                 fmt::format("{}, CRC-32C {:08x} of their names", listing.count, listing.crc)},
                {"train.seed", std::to_string(config.train.seed)},
                {"data settings", view_settings(config.data)}},
      .samples = train.size(),
      .views = config.teacher.views,
      .output = train.spec().task.output};
  const std::string content = content_of(setup.data);
  if (!content.empty()) scope.facts.emplace_back("training data", content);
  return scope;
}

}  // namespace

std::int64_t kept_views(const TeacherConfig& teacher) {
  return teacher.from.empty() ? 0 : teacher.views;
}

void check_teacher_cache(const Config& config, const TrainerSetup& setup,
                         const RunDirectory& reports) {
  TeacherCache::check(place_of(config, reports), scope_of(config, setup));
}

std::unique_ptr<TeacherCache> open_teacher_cache(const Config& config, const TrainerSetup& setup,
                                                 const RunDirectory& reports,
                                                 std::vector<std::string>& notes) {
  const fs::path path = place_of(config, reports);
  const TeacherCacheScope scope = scope_of(config, setup);
  auto cache = std::make_unique<TeacherCache>(path, scope);
  const bool own = keeps_outputs_itself(config);
  notes.push_back(
      fmt::format("the teacher's outputs for {} of each sample are kept in {}, {} bytes when full",
                  scope.views == 1 ? "one view" : fmt::format("{} views", scope.views),
                  own ? "the run directory" : "'" + path.string() + "'",
                  grouped(TeacherCache::bytes_of(scope))));
  return cache;
}

}  // namespace tbn
