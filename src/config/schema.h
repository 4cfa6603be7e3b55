// One table per struct: every key with its member, its limits and its line of explanation. Reading,
// printing, suggestions and configs/reference.yaml all walk these tables, so to add a setting is to
// add a member to config.h and a line here.
//
// A visitor has value(key, member, limits, help), section(key, struct, help), model(key, config,
// help) and list(key, elements, parent, help), where elements take what they do not say from
// `parent`.
#pragma once

#include <concepts>
#include <string>
#include <type_traits>
#include <vector>

#include "config/config.h"
#include "config/value_limits.h"
#include "config/weight_keys.h"
#include "config/words.h"

namespace tbn {

// Every data set that src/data reads, in the order of its registry; a test compares the two.
inline const std::vector<std::string> kDataSets = {"mnist",         "fashion_mnist",
                                                   "cifar10",       "cifar100",
                                                   "imagenet",      "tiny_imagenet",
                                                   "imagenette",    "image_folder",
                                                   "modelnet40",    "shapenet_part",
                                                   "s3dis",         "shapes",
                                                   "shape_parts",   "etth1",
                                                   "etth2",         "ettm1",
                                                   "ettm2",         "weather",
                                                   "electricity",   "traffic",
                                                   "exchange_rate", "csv"};

// `T` or `const T`, so that one table serves reading and printing.
template <class S, class T>
concept Is = std::same_as<std::remove_const_t<S>, T>;

// The words of an enum.
template <Worded E>
ValueLimits words_of(const E&) {
  return one_of({Words<E>::kAll.begin(), Words<E>::kAll.end()});
}

template <class V, Is<WeightFields> S>
void describe(V& v, S& s) {
  v.value("encoding", s.encoding, one_of(weight_words()), "form of the weights");
  for (const WeightKey& key : weight_keys()) {
    std::visit([&](auto& value) { v.value(key.key, value, key.limits, key.help); },
               s.settings.find(key.key)->second);
  }
}

template <class V, Is<WeightRuleConfig> S>
void describe(V& v, S& s) {
  v.value("match", s.match, any(), "node names; * and ? stand for others");
  describe(v, s.fields);
}

template <class V, Is<WeightsConfig> S>
void describe(V& v, S& s) {
  describe(v, s.fields);
  v.value("min_size", s.min_size, at_least(0),
          "layers with fewer weights take `small`; the paper's lambda");
  v.value("small", s.small, one_of(weight_words()), "form of layers below min_size");
  v.list("rules", s.rules, s.fields, "the first that matches wins; unsaid fields are those above");
}

template <class V, Is<InitConfig> S>
void describe(V& v, S& s) {
  v.value("latent_scale", s.latent_scale, above(0), "standard deviation of shared latents");
  v.value("latents", s.latents, words_of(s.latents), "distribution of latents");
  v.value("alphas", s.alphas, words_of(s.alphas),
          "learned scalars, of which every other one may start negative");
  v.value("norms", s.norms, words_of(s.norms), "+-1 and N(0, norm_bias), or 1 and 0");
  v.value("norm_bias", s.norm_bias, at_least(0), "apart: spread of biases before an activation");
  v.value("from", s.from, any(),
          "trained weights to start from: .safetensors or a run; empty: none");
  v.value("share", s.share, between(0, 1), "of the network's weights, at least, that are in it");
}

template <class V, Is<PointsConfig> S>
void describe(V& v, S& s) {
  v.value("count", s.count, between(16, 65536), "points of a cloud");
  v.value("normals", s.normals, any(), "normals beside the coordinates");
  v.value("dropout", s.dropout, half_open(0, 1), "training: largest share of points left out");
  v.value("scale", s.scale, between(1, 10), "training: largest factor, and 1 / it the smallest");
  v.value("shift", s.shift, between(0, 10), "training: largest shift along an axis");
  v.value("jitter", s.jitter, between(0, 1), "training: deviation of noise on coordinates");
  v.value("rotate", s.rotate, words_of(s.rotate), "training: about which axes");
}

template <class V, Is<SeriesConfig> S>
void describe(V& v, S& s) {
  v.value("window", s.window, between(1, 65536), "steps that the network sees");
  v.value("horizon", s.horizon, between(1, 65536), "steps that it predicts");
  v.value("columns", s.columns, any(), "names of the columns to take, in this order; []: all");
  v.value("season", s.season, between(0, 1 << 20),
          "steps after which it is alike again, for weights.order: auto; 0: a day");
}

// More than any data set has, and what a rule of packed files can say.
inline constexpr double kMostSamples = 1e12;

template <class V, Is<DataConfig> S>
void describe(V& v, S& s) {
  v.value("name", s.name, one_of(kDataSets), "data set");
  v.value("root", s.root, any(), "folder of its files; empty: the usual places");
  v.value("validation", s.validation, between(0, kMostSamples),
          "training samples held out to choose the best");
  v.value("split_seed", s.split_seed, between(0, kMostSamples),
          "chooses them, and the samples of a limit");
  v.value("train_limit", s.train_limit, between(0, kMostSamples),
          "use so many training samples; 0: all");
  v.value("test_limit", s.test_limit, between(0, kMostSamples), "use so many test samples; 0: all");
  v.value("limits", s.limits, words_of(s.limits),
          "which ones: of each class its share, or the first; series: always the first");
  v.value("normalize", s.normalize, any(), "images: by the training split's mean and deviation");
  v.value("center", s.center, any(), "normalize: subtract the mean; false: pixel 0 stays 0");
  v.value("crop_padding", s.crop_padding, between(0, 64), "pixels around a random crop; 0: none");
  v.value("flip", s.flip, any(), "mirror every other training image");
  v.value("randaugment", s.randaugment, between(0, 16), "random operations per image; 0: none");
  v.value("magnitude", s.magnitude, between(0, 30), "of RandAugment's operations");
  v.value("cutout", s.cutout, between(0, 1024), "side of an erased square; 0: none");
  v.value("mixup", s.mixup, between(0, 10), "alpha of blended images; 0: none");
  v.value("cutmix", s.cutmix, between(0, 10), "alpha of pasted rectangles; 0: none");
  v.value("image_size", s.image_size, between(8, 4096), "image folders: side of the crop");
  v.value("resize", s.resize, between(0, 4096),
          "image folders: shorter side in evaluation; 0: 8/7 of image_size");
  v.value("decode", s.decode, words_of(s.decode),
          "image folders: large JPEGs at full size or reduced; auto: reduced in training alone");
  v.value("exif", s.exif, words_of(s.exif),
          "image folders: pixels as stored, or photos turned upright by their EXIF orientation");
  v.value("crop_min_area", s.crop_min_area, ValueLimits{.min = 0, .max = 1, .open_min = true},
          "image folders: least share of a picture in a random training crop");
  v.value("classes", s.classes, at_least(0), "image_folder: how many; 0: as many as folders");
  v.section("points", s.points, "point clouds");
  v.section("series", s.series, "windows of a series");
  v.value("on_error", s.on_error, words_of(s.on_error),
          "pictures, clouds, rows of series that cannot be read");
  v.value("skip_most", s.skip_most, between(0, 1),
          "skip: stop where a larger share cannot be read");
  v.value("resident", s.resident, words_of(s.resident),
          "images kept and augmented on the device; auto: small sets on a GPU");
  v.value("threads", s.threads, between(1, 64), "loader threads");
}

template <class V, Is<OptimFields> S>
void describe(V& v, S& s) {
  v.value("type", s.type, words_of(s.type), "optimiser");
  v.value("lr", s.lr, between(0, 1000), "learning rate at the schedule's peak");
  v.value("weight_decay", s.weight_decay, at_least(0), "L2; adamw: decoupled");
  v.value("momentum", s.momentum, half_open(0, 1), "sgd");
  v.value("nesterov", s.nesterov, any(), "sgd");
  v.value("betas", s.betas, half_open(0, 1), "adam, adamw: decay of the two moments");
  v.value("second_moment", s.second_moment, words_of(s.second_moment),
          "adam, adamw: what has a mean square of its own");
  v.value("rho", s.rho, half_open(0, 1), "adadelta: decay of the two means");
  v.value("eps", s.eps, above(0), "adam, adamw, adadelta");
  v.value("threshold", s.threshold, above(0), "bop: mean gradient from which on a sign flips");
}

template <class V, Is<OptimGroup> S>
void describe(V& v, S& s) {
  v.value("match", s.match, any(),
          "latents, alphas, weights, biases, norms, embeddings, or parameter names");
  describe(v, s.fields);
}

template <class V, Is<OptimConfig> S>
void describe(V& v, S& s) {
  describe(v, s.fields);
  v.list("groups", s.groups, s.fields,
         "the first that matches wins; unsaid fields are those above");
}

template <class V, Is<ScheduleConfig> S>
void describe(V& v, S& s) {
  v.value("type", s.type, words_of(s.type), "course of lr");
  v.value("warmup_epochs", s.warmup_epochs, at_least(0), "linear, from lr / 100");
  v.value("final_factor", s.final_factor, between(0, 1), "last lr / lr; step: the lowest");
  v.value("peak_at", s.peak_at, between(0, 1), "one_cycle: share of the steps before the peak");
  v.value("start_factor", s.start_factor, between(0, 1), "one_cycle: first lr / lr");
  v.value("milestones", s.milestones, at_least(1), "step: epochs after which lr is lowered");
  v.value("every", s.every, at_least(0), "step: or every so many epochs");
  v.value("gamma", s.gamma, ValueLimits{.min = 0, .max = 1, .open_min = true},
          "step: factor of lr");
  v.value("norm_gamma", s.norm_gamma, ValueLimits{.min = 0, .max = 1, .open_min = true},
          "step: factor of the batch norms' momentum, 0.01 at least");
}

template <class V, Is<TeacherConfig> S>
void describe(V& v, S& s) {
  v.value("from", s.from, any(), "run directory or checkpoint to learn from; empty: none");
  v.value("temperature", s.temperature, above(0), "of both networks' probabilities");
  v.value("weight", s.weight, between(0, 1), "of the teacher's part of the loss");
  v.value("views", s.views, between(0, 65536),
          "views per sample, of which the outputs are kept; 0: views without end, none kept");
  v.value("cache", s.cache, any(), "file that keeps them; empty: in the run directory");
}

template <class V, Is<TrainConfig> S>
void describe(V& v, S& s) {
  v.value("epochs", s.epochs, between(1, 1000000), "passes over the training samples");
  v.value("batch_size", s.batch_size, between(1, 65536), "samples per step");
  v.value("eval_batch_size", s.eval_batch_size, between(1, 65536), "samples at once in evaluation");
  v.value("label_smoothing", s.label_smoothing, half_open(0, 1), "share of the target spread out");
  v.value("clip_norm", s.clip_norm, at_least(0), "largest norm of the gradient; 0: no clipping");
  v.value("ema", s.ema, half_open(0, 1), "decay per step of averaged parameters; 0: none");
  v.value("orthogonal_penalty", s.orthogonal_penalty, at_least(0), "of PointNet's transforms");
  v.value("seed", s.seed, at_least(0), "of everything random");
  v.value("deterministic", s.deterministic, any(),
          "same bits on every run with as many threads; slower");
  v.value("device", s.device, any(), "auto | cpu | cuda | cuda:N");
  v.value("precision", s.precision, words_of(s.precision),
          "bf16: automatic mixed precision; auto: where the device is quicker by it");
  v.value("fused_optimizer", s.fused_optimizer, words_of(s.fused_optimizer),
          "an update in one pass over memory; auto: on a GPU");
  v.value("cuda_graph", s.cuda_graph, words_of(s.cuda_graph),
          "a step recorded once and replayed; auto: on a GPU");
  v.value("channels_last", s.channels_last, any(), "memory order of images and maps");
  v.value("threads", s.threads, between(0, 1024), "of LibTorch on the CPU; 0: all cores");
  v.value("checkpoint_every", s.checkpoint_every, at_least(1), "epochs between checkpoints");
  v.value("checkpoint_minutes", s.checkpoint_minutes, at_least(0),
          "minutes between checkpoints inside an epoch; 0: none");
  v.value("epoch_steps", s.epoch_steps, at_least(0),
          "most steps of an epoch; 0: every sample once");
  v.value("max_steps", s.max_steps, at_least(0), "stop after so many steps; 0: no limit");
}

template <class V, Is<ExportConfig> S>
void describe(V& v, S& s) {
  v.value("scalars", s.scalars, words_of(s.scalars),
          "scalars, biases and layer norms: in single precision, or rounded to half");
}

template <class V, Is<Config> S>
void describe(V& v, S& s) {
  v.value("name", s.name, any(), "of the run; empty: the file's name");
  v.value("output", s.output, any(), "run directories are made here");
  v.model("model", s.model, "the network, and its family's options");
  v.section("weights", s.weights, "how the weights of layers are stored");
  v.section("init", s.init, "where training starts");
  v.section("data", s.data, "samples and their augmentation");
  v.section("optim", s.optim, "optimiser");
  v.section("schedule", s.schedule, "learning rate over time");
  v.section("teacher", s.teacher, "distillation from a trained network");
  v.section("train", s.train, "the training loop");
  v.section("export", s.exported, "the packed file");
}

}  // namespace tbn
