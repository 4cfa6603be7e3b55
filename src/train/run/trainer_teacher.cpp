// What kept outputs depend on: the teacher, the samples, and the views that training draws of them.
#include "train/run/trainer_teacher.h"

#include <set>
#include <sstream>

#include <fmt/format.h>

#include "base/text.h"
#include "config/load.h"
#include "file/reader.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

fs::path place_of(const Config& config, const RunDirectory& reports) {
  return config.teacher.cache.empty() ? reports.teacher_cache() : fs::path(config.teacher.cache);
}

// The checkpoint's bytes, whatever its name.
std::string mark_of_teacher(const TeacherConfig& teacher) {
  Reader reader(find_checkpoint_of("teacher.from", teacher.from));
  reader.start_crc();
  std::vector<std::byte> piece(std::size_t{1} << 20);
  while (reader.remaining() > 0) {
    const auto size = std::min<std::uint64_t>(piece.size(), reader.remaining());
    reader.read(std::span(piece).first(size), "the checkpoint");
  }
  return fmt::format("CRC-32C {:08x} of {} bytes", reader.crc(), reader.size());
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
  return {.facts = {{"teacher", mark_of_teacher(config.teacher)},
                    {"precision", bf16 ? "bf16" : "fp32"},
                    {"training samples",
                     fmt::format("{}, CRC-32C {:08x} of their names", listing.count, listing.crc)},
                    {"train.seed", std::to_string(config.train.seed)},
                    {"data settings", view_settings(config.data)}},
          .samples = train.size(),
          .views = config.teacher.views,
          .output = train.spec().task.output};
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
  const bool own = config.teacher.cache.empty();
  notes.push_back(
      fmt::format("the teacher's outputs for {} of each sample are kept in {}, {} bytes when full",
                  scope.views == 1 ? "one view" : fmt::format("{} views", scope.views),
                  own ? "the run directory" : "'" + path.string() + "'",
                  grouped(TeacherCache::bytes_of(scope))));
  return cache;
}

}  // namespace tbn
