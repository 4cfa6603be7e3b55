// The table, by groups of keys, and what is said of those that do nothing.
#include "config/key_use.h"

#include <algorithm>
#include <array>
#include <functional>
#include <initializer_list>

#include <fmt/format.h>

#include "config/model_use.h"
#include "config/weight_use.h"

namespace tbn {
namespace {

constexpr unsigned kImages = kStoredImageData | kPictureData;
constexpr unsigned kAllClouds = kCloudData | kPartCloudData | kSolidData;
constexpr unsigned kHasClasses = kAnyData & ~unsigned{kSeriesData};
constexpr unsigned kHoldsOut = kStoredImageData | kPictureData | kCloudData | kSolidData;
constexpr unsigned kFromFiles = kAnyData & ~unsigned{kSolidData};
constexpr unsigned kReadOneByOne = kPictureData | kCloudData | kPartCloudData | kSeriesData;

constexpr unsigned kEverywhere = 127;
constexpr unsigned kNetwork = kUseTraining | kUseTimedStep | kUseTimedForward;  // what makes it
constexpr unsigned kStep = kUseTraining | kUseTimedStep;
constexpr unsigned kView = kUseTraining | kUseTimedReading;  // random views of training samples
constexpr unsigned kSamples = kUseTraining | kUseEvaluation | kUseTimedReading;
constexpr unsigned kTrainSamples = kSamples & ~unsigned{kUseTestSplit};

struct Group {
  unsigned kinds;
  unsigned uses;
  std::vector<std::string_view> keys;
};

const std::vector<Group>& groups() {
  static const std::vector<Group> all = {
      {kAnyData, kUseTraining | kUseTimedReading | kUseTimedStep | kUseTimedForward, {"name"}},
      {kAnyData, kUseTraining, {"output", "init.from", "init.share"}},
      {kAnyData,
       kNetwork,
       {"weights.encoding", "weights.p", "weights.alpha", "weights.alpha_from", "weights.latent",
        "weights.order", "weights.bits", "weights.min_size", "weights.small", "weights.rules"}},
      {kAnyData,
       kStep,
       {"init.latent_scale", "init.latents", "init.alphas", "init.norms", "init.norm_bias"}},

      {kAnyData, kEverywhere, {"data.name"}},
      {kFromFiles, kEverywhere, {"data.root"}},
      {kHoldsOut, kTrainSamples, {"data.validation"}},
      {kHasClasses, kSamples, {"data.split_seed"}},
      {kHasClasses, kSamples & ~unsigned{kUseValidationSplit}, {"data.limits"}},
      {kAnyData, kUseTraining | kUseTrainingSplit | kUseTimedReading, {"data.train_limit"}},
      {kAnyData, kUseTraining | kUseTestSplit, {"data.test_limit"}},
      {kImages, kNetwork, {"data.normalize", "data.center"}},
      {kImages,
       kView,
       {"data.crop_padding", "data.flip", "data.randaugment", "data.magnitude", "data.cutout",
        "data.mixup", "data.cutmix"}},
      {kPictureData, kEverywhere, {"data.image_size", "data.classes"}},
      {kPictureData, kSamples, {"data.resize", "data.decode", "data.exif"}},
      {kPictureData, kView, {"data.crop_min_area"}},
      {kAllClouds, kEverywhere, {"data.points.count", "data.points.normals"}},
      {kAllClouds,
       kView,
       {"data.points.dropout", "data.points.scale", "data.points.shift", "data.points.jitter",
        "data.points.rotate"}},
      {kSeriesData,
       kEverywhere,
       {"data.series.window", "data.series.horizon", "data.series.columns"}},
      {kSeriesData, kNetwork, {"data.series.season"}},
      {kReadOneByOne, kSamples, {"data.on_error", "data.skip_most"}},
      {kStoredImageData, kUseTraining, {"data.resident"}},
      {kAnyData, kSamples, {"data.threads"}},

      {kAnyData,
       kStep,
       {"optim.type", "optim.lr", "optim.weight_decay", "optim.momentum", "optim.nesterov",
        "optim.betas", "optim.second_moment", "optim.rho", "optim.eps", "optim.threshold",
        "optim.groups"}},
      {kAnyData,
       kUseTraining,
       {"schedule.type", "schedule.warmup_epochs", "schedule.final_factor", "schedule.peak_at",
        "schedule.start_factor", "schedule.milestones", "schedule.every", "schedule.gamma",
        "schedule.norm_gamma"}},
      {kAnyData, kStep, {"teacher.from", "teacher.weight"}},
      {kHasClasses, kStep, {"teacher.temperature"}},
      {kAnyData, kUseTraining, {"teacher.views", "teacher.cache"}},

      {kAnyData,
       kUseTraining,
       {"train.epochs", "train.epoch_steps", "train.eval_batch_size", "train.checkpoint_every",
        "train.checkpoint_minutes", "train.max_steps"}},
      {kAnyData, kStep | kUseTimedReading, {"train.batch_size"}},
      {kHasClasses, kStep, {"train.label_smoothing"}},
      {kAllClouds, kStep, {"train.orthogonal_penalty"}},
      {kAnyData,
       kStep,
       {"train.clip_norm", "train.ema", "train.seed", "train.device", "train.precision",
        "train.fused_optimizer", "train.cuda_graph"}},
      {kImages, kStep, {"train.channels_last"}},
      {kAnyData, kNetwork, {"train.deterministic", "train.threads"}},
      {kAnyData, kUseTraining, {"export.scalars"}},
  };
  return all;
}

const KeyUse* find_use(std::string_view key) {
  const auto found =
      std::ranges::find_if(key_uses(), [&](const KeyUse& use) { return use.key == key; });
  return found == key_uses().end() ? nullptr : &*found;
}

// "images and folders of pictures"
std::string kinds_text(unsigned kinds) {
  if (kinds == kHasClasses) return "data with classes";
  if (kinds == kImages) return "images";
  if (kinds == kAllClouds) return "clouds of points";
  if (kinds == kFromFiles) return "data from files";
  if (kinds == kHoldsOut) return "data without a validation split of its own";
  if (kinds == kReadOneByOne)
    return "data that are read piece by piece (pictures, clouds, rows of series)";
  if (kinds == kPictureData) return "folders of pictures";
  if (kinds == kStoredImageData) return "images that are kept in memory";
  return "series";
}

std::string kind_text(DataKind kind) {
  switch (kind) {
    case kStoredImageData:
      return "images in memory";
    case kPictureData:
      return "pictures in folders";
    case kCloudData:
    case kPartCloudData:
      return "clouds of points";
    case kSolidData:
      return "generated points";
    case kSeriesData:
      return "a series";
  }
  return "";
}

bool has_optimiser(const Config& config, std::initializer_list<OptimizerType> types) {
  const auto is_one = [&](const OptimFields& fields) {
    return std::ranges::find(types, fields.type) != types.end();
  };
  return is_one(config.optim.fields) ||
         std::ranges::any_of(config.optim.groups,
                             [&](const OptimGroup& group) { return is_one(group.fields); });
}

bool has_schedule(const Config& config, std::initializer_list<ScheduleType> types) {
  return std::ranges::find(types, config.schedule.type) != types.end();
}

// Whether some of the samples that are read are dropped.
bool has_limit(const Config& config, unsigned uses) {
  return ((uses & ~(kUseTestSplit | kUseValidationSplit)) != 0 && config.data.train_limit > 0) ||
         ((uses & (kUseTraining | kUseTestSplit)) != 0 && config.data.test_limit > 0);
}

// Whether samples are chosen at random.
bool draws_samples(const Config& config, unsigned uses) {
  const bool holds_out = (kHoldsOut & data_kind(config.data.name)) != 0;
  return (holds_out && (uses & ~unsigned{kUseTestSplit}) != 0) ||
         (has_limit(config, uses) && config.data.limits == LimitRule::kClass);
}

// A key that means something where another setting is so, `needs` in words.
struct Dependence {
  std::string_view key;
  std::string_view needs;
  std::function<bool(const Config&, unsigned uses)> met;
};

const std::vector<Dependence>& dependences() {
  const auto sgd = [](const Config& c, unsigned) {
    return has_optimiser(c, {OptimizerType::kSgd});
  };
  const auto adam = [](const Config& c, unsigned) {
    return has_optimiser(c, {OptimizerType::kAdam, OptimizerType::kAdamW});
  };
  const auto not_sgd = [](const Config& c, unsigned) {
    return has_optimiser(c,
                         {OptimizerType::kAdam, OptimizerType::kAdamW, OptimizerType::kAdadelta});
  };
  const auto one_cycle = [](const Config& c, unsigned) {
    return has_schedule(c, {ScheduleType::kOneCycle});
  };
  const auto step = [](const Config& c, unsigned) {
    return has_schedule(c, {ScheduleType::kStep});
  };
  const auto taught = [](const Config& c, unsigned) { return !c.teacher.from.empty(); };
  const auto tiled = [](const Config& c, unsigned) { return has_tiled_layers(c.weights, false); };
  static const std::vector<Dependence> all = {
      {"data.split_seed", "samples that are held out or limited by class", draws_samples},
      {"data.limits", "a limit on the samples that are read", has_limit},
      {"data.center", "data.normalize", [](const Config& c, unsigned) { return c.data.normalize; }},
      {"data.magnitude", "data.randaugment above 0",
       [](const Config& c, unsigned) { return c.data.randaugment > 0; }},
      {"data.skip_most", "data.on_error: skip",
       [](const Config& c, unsigned) { return c.data.on_error == OnError::kSkip; }},
      {"init.latent_scale", "layers with tiled weights", tiled},
      {"init.latents", "layers with tiled weights", tiled},
      {"init.alphas", "layers with tiled weights of learned scalars",
       [](const Config& c, unsigned) { return has_tiled_layers(c.weights, true); }},
      {"init.share", "init.from", [](const Config& c, unsigned) { return !c.init.from.empty(); }},
      {"init.norm_bias", "init.norms: apart",
       [](const Config& c, unsigned) { return c.init.norms == NormStart::kApart; }},
      {"optim.momentum", "optim.type: sgd", sgd},
      {"optim.nesterov", "optim.type: sgd", sgd},
      {"optim.betas", "optim.type: adam or adamw", adam},
      {"optim.second_moment", "optim.type: adam or adamw", adam},
      {"optim.rho", "optim.type: adadelta",
       [](const Config& c, unsigned) { return has_optimiser(c, {OptimizerType::kAdadelta}); }},
      {"optim.eps", "optim.type: adam, adamw or adadelta", not_sgd},
      {"optim.threshold", "optim.type: bop",
       [](const Config& c, unsigned) { return has_optimiser(c, {OptimizerType::kBop}); }},
      {"schedule.final_factor", "schedule.type: cosine, one_cycle or step",
       [](const Config& c, unsigned) { return !has_schedule(c, {ScheduleType::kConstant}); }},
      {"schedule.peak_at", "schedule.type: one_cycle", one_cycle},
      {"schedule.start_factor", "schedule.type: one_cycle", one_cycle},
      {"schedule.milestones", "schedule.type: step", step},
      {"schedule.milestones", "a milestone below train.epochs",
       [](const Config& c, unsigned) {
         const std::vector<std::int64_t>& epochs = c.schedule.milestones;
         return epochs.empty() || epochs.front() < c.train.epochs;
       }},
      {"schedule.every", "schedule.type: step", step},
      {"schedule.every", "train.epochs above it",
       [](const Config& c, unsigned) { return c.schedule.every < c.train.epochs; }},
      {"schedule.gamma", "schedule.type: step", step},
      {"train.channels_last", "a network with convolutions",
       [](const Config& c, unsigned) { return has_convolutions(c.model); }},
      {"train.orthogonal_penalty", "a learned transform of features",
       [](const Config& c, unsigned) { return has_orthogonal_transforms(c.model); }},
      {"teacher.temperature", "teacher.from", taught},
      {"teacher.weight", "teacher.from", taught},
      {"teacher.views", "teacher.from", taught},
      {"teacher.cache", "teacher.views above 0",
       [](const Config& c, unsigned) { return !c.teacher.from.empty() && c.teacher.views > 0; }},
  };
  return all;
}

std::string use_text(unsigned uses) {
  switch (uses) {
    case kUseTestSplit:
      return "the test split";
    case kUseValidationSplit:
      return "the validation split";
    case kUseTrainingSplit:
      return "the training split";
    case kUseTimedReading:
      return "tbn-bench data";
    case kUseTimedStep:
      return "tbn-bench train";
    case kUseTimedForward:
      return "tbn-bench infer";
    default:
      return "a network that is trained already";
  }
}

}  // namespace

DataKind data_kind(std::string_view data_set) {
  const auto is_one = [&](std::initializer_list<std::string_view> names) {
    return std::ranges::find(names, data_set) != names.end();
  };
  if (is_one({"mnist", "fashion_mnist", "cifar10", "cifar100"})) return kStoredImageData;
  if (is_one({"imagenet", "tiny_imagenet", "imagenette", "image_folder"})) return kPictureData;
  if (is_one({"modelnet40", "s3dis"})) return kCloudData;
  if (is_one({"shapenet_part"})) return kPartCloudData;
  if (is_one({"shapes", "shape_parts"})) return kSolidData;
  return kSeriesData;
}

const std::vector<KeyUse>& key_uses() {
  static const std::vector<KeyUse> all = [] {
    std::vector<KeyUse> uses;
    for (const Group& group : groups()) {
      for (const std::string_view key : group.keys) uses.push_back({key, group.kinds, group.uses});
    }
    return uses;
  }();
  return all;
}

std::string idle_for_data(std::string_view key, const Config& config) {
  const KeyUse* use = find_use(key);
  const DataKind kind = data_kind(config.data.name);
  if (use == nullptr || (use->kinds & kind) != 0) return "";
  // True of all data.
  if (key == "data.validation" && config.data.validation == 0) return "";
  return fmt::format("is for {} and does nothing for '{}' ({}); leave it out",
                     kinds_text(use->kinds), config.data.name, kind_text(kind));
}

std::string idle_beside(std::string_view key, const Config& config, unsigned uses) {
  std::string missing = missing_for_weights(key, config.weights);
  for (const Dependence& each : dependences()) {
    if (missing.empty() && each.key == key && !each.met(config, uses)) missing = each.needs;
  }
  return missing.empty() ? "" : fmt::format("does nothing without {}; leave it out", missing);
}

std::string idle_in(std::string_view key, unsigned uses) {
  const bool is_model = key.starts_with("model.");
  const KeyUse* use = find_use(key);
  if (use == nullptr && !is_model) return "";
  const unsigned has = is_model ? kNetwork : use->uses;
  if ((has & uses) != 0) return "";
  const bool of_training = (has & kUseEvaluation) == 0 && (uses & kUseEvaluation) != 0;
  return fmt::format("does nothing for {}; leave it out",
                     of_training ? use_text(kUseEvaluation) : use_text(uses));
}

std::string beyond_end(const Config& config) {
  const ScheduleConfig& schedule = config.schedule;
  if (schedule.type != ScheduleType::kStep) return "";
  std::string late;
  for (const std::int64_t milestone : schedule.milestones) {
    if (milestone < config.train.epochs) continue;
    late += fmt::format("{}{}", late.empty() ? "schedule.milestones: " : ", ", milestone);
  }
  if (schedule.every >= config.train.epochs) {
    late = fmt::format("schedule.every: {}", schedule.every);
  }
  if (late.empty()) return "";
  return fmt::format("{} not below train.epochs ({}): the learning rate is not lowered there", late,
                     config.train.epochs);
}

}  // namespace tbn
