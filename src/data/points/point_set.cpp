// Chooses, normalises and augments the points of a cloud.
#include "data/points/point_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "prepare/points.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// Each use of randomness for a cloud has a stream of its own.
CounterRng stream(const ReadContext& context, RngUse use, std::int64_t index) {
  return {context.seed, use, static_cast<std::uint64_t>(context.epoch),
          static_cast<std::uint64_t>(index)};
}

// What the columns of a cloud are called: coordinates, then normals, or a scene's colours and the
// place in its room.
std::vector<std::string> column_names(const PointRules& rules) {
  std::vector<std::string> names = {"x", "y", "z"};
  const auto add = [&](std::initializer_list<const char*> more) {
    names.insert(names.end(), more.begin(), more.end());
  };
  if (rules.layout.normals) add({"nx", "ny", "nz"});
  if (rules.scene) add({"red", "green", "blue", "room_x", "room_y", "room_z"});
  return names;
}

Shape point_input(const PointOptions& options, std::int64_t condition) {
  check_point_options(options);
  return {options.count, (options.normals ? 6 : 3) + condition};
}

}  // namespace

PointSet::PointSet(SampleSpec spec, const PointRules& rules, const DataOptions& options,
                   std::shared_ptr<const CloudSource> clouds)
    : spec_(std::move(spec)),
      rules_(rules),
      options_(options.points),
      clouds_(std::move(clouds)),
      skips_(clouds_->size(), options) {
  check_point_options(options_);
  TBN_CHECK(spec_.input == Shape({options_.count, rules_.layout.columns + spec_.task.condition}),
            "PointSet: the spec's input is not that of its clouds");
  if (!rules_.scene) return;
  options_.dropout = 0;
  options_.scale = 1;
  options_.shift = 0;
  if (options_.rotate == RotationAxes::kAll) {
    throw ConfigError(
        "data.points.rotate: a scene has a floor, which 'all' would tilt; it must be none or up");
  }
}

InputRule PointSet::input_rule() const {
  InputRule rule{.kind = "points",
                 .columns = column_names(rules_),
                 .up = std::string(1, "xyz"[rules_.layout.up_axis])};
  if (rules_.most_points > 0) rule.steps.push_back(FirstStep{rules_.most_points});
  if (!rules_.scene) rule.steps.insert(rule.steps.end(), {CentreStep{}, ScaleStep{}});
  rule.steps.push_back(ChooseStep{spec_.task.task == Task::kSegmentation});
  return rule;
}

std::vector<std::int64_t> PointSet::choose(std::int64_t count, std::int64_t index,
                                           const ReadContext& context) const {
  const bool segmentation = spec_.task.task == Task::kSegmentation;
  // The fixed choice of evaluation depends on nothing but the cloud.
  return choose_points(count, options_.count, context.augment || segmentation,
                       stream(context.augment ? context : ReadContext{}, RngUse::kSample, index));
}

bool PointSet::read(std::int64_t index, const ReadContext& context, SampleOut out) const {
  if (skips_.knows(index)) return false;
  PointCloud cloud;
  try {
    clouds_->read(index, cloud);
  } catch (const DataError& error) {
    skips_.add(index, error.what());
    return false;
  }
  const std::int64_t columns = rules_.layout.columns;
  if (!rules_.scene) fit_unit_sphere(cloud.points, columns);
  const auto chosen =
      choose(static_cast<std::int64_t>(cloud.points.size()) / columns, index, context);
  std::vector<float> points;
  points.reserve(chosen.size() * static_cast<std::size_t>(columns));
  for (const std::int64_t point : chosen) {
    const auto from = cloud.points.begin() + point * columns;
    points.insert(points.end(), from, from + columns);
  }
  const bool segmentation = spec_.task.task == Task::kSegmentation;
  std::span<std::int64_t> labels;
  if (segmentation) {
    labels = {out.labels, chosen.size()};
    std::transform(chosen.begin(), chosen.end(), out.labels,
                   [&](std::int64_t i) { return cloud.labels[static_cast<std::size_t>(i)]; });
  } else {
    *out.labels = cloud.labels.front();
  }
  if (context.augment) {
    augment_points(options_, rules_.layout, stream(context, RngUse::kAugment, index), points,
                   labels);
  }
  const std::int64_t condition = spec_.task.condition;
  float* to = out.values;
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    to = std::copy_n(points.begin() + static_cast<std::int64_t>(i) * columns, columns, to);
    for (std::int64_t c = 0; c < condition; ++c) *to++ = c == cloud.category ? 1.0F : 0.0F;
  }
  return true;
}

SampleSpec point_class_spec(const PointOptions& options, std::vector<std::string> class_names) {
  const auto classes = static_cast<std::int64_t>(class_names.size());
  return {.input = point_input(options, 0),
          .bytes = false,
          .task = {.task = Task::kClassification, .output = {classes}},
          .class_names = std::move(class_names),
          .class_folders = {},
          .categories = {}};
}

SampleSpec point_part_spec(const PointOptions& options, std::vector<LabelRange> categories) {
  const auto condition = static_cast<std::int64_t>(categories.size());
  std::vector<std::string> names;
  for (const LabelRange& range : categories) {
    for (std::int64_t part = 1; part <= range.count; ++part) {
      names.push_back(fmt::format("{} {}", range.name, part));
    }
  }
  const auto classes = static_cast<std::int64_t>(names.size());
  return {.input = point_input(options, condition),
          .bytes = false,
          .task = {.task = Task::kSegmentation,
                   .output = {options.count, classes},
                   .condition = condition},
          .class_names = std::move(names),
          .class_folders = {},
          .categories = std::move(categories)};
}

}  // namespace tbn
