// The typed configuration of an experiment: what a YAML file may say, with every default. Reading,
// checking and printing are in the other files of this folder (load.h is the way in); schema.h
// gives each key its range and its line in configs/reference.yaml.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/words.h"
#include "tbn/models.h"
#include "tbn/policy.h"
#include "tbn/tensor.h"

namespace tbn {

struct ModelConfig {
  std::string type = "resnet18";
  // Every other key of `model:`. A loaded configuration holds all of the family's.
  OptionMap options;
  bool operator==(const ModelConfig&) const = default;
};

// A number or a word.
using WeightSetting = std::variant<std::int64_t, std::string>;
using WeightSettings = std::map<std::string, WeightSetting, std::less<>>;
// Those of every encoding by their keys, as the lists of src/encodings give them, with defaults.
WeightSettings default_weight_settings();

// `weights:` describes a WeightPolicy. The fields of a rule that are not given are those of
// `weights`, which therefore has those of all encodings.
struct WeightFields {
  std::string encoding = "tiled";  // float | binary | tiled | uniform
  WeightSettings settings = default_weight_settings();

  std::int64_t number(std::string_view key) const;  // of a key that is one
  bool operator==(const WeightFields&) const = default;
};
struct WeightRuleConfig {
  std::vector<std::string> match;
  WeightFields fields;
  bool operator==(const WeightRuleConfig&) const = default;
};
struct WeightsConfig {
  WeightFields fields;
  std::int64_t min_size = 0;     // the paper's lambda
  std::string small = "binary";  // layers below min_size: an encoding, with the same settings
  std::vector<WeightRuleConfig> rules;
  bool operator==(const WeightsConfig&) const = default;
};

struct InitConfig {
  // Standard deviation of shared latents. Full ones take it divided by sqrt(p), so that their sums
  // over the p slices have it.
  double latent_scale = 0.1;
  LatentStart latents = LatentStart::kNormal;
  AlphaStart alphas = AlphaStart::kPositive;  // learned scalars of tiles
  NormStart norms = NormStart::kApart;
  double norm_bias = 0.5;  // apart: deviation of biases before an activation
  std::string from;        // trained weights to start from; empty: none
  double share = 0.5;      // smallest share of the network's weights that `from` must hold
  bool operator==(const InitConfig&) const = default;
};

// Points of a cloud; what each does: src/data/source/options.h.
struct PointsConfig {
  std::int64_t count = 1024;
  bool normals = false;
  double dropout = 0.875;
  double scale = 1.25;
  double shift = 0.1;
  double jitter = 0;
  RotationAxes rotate = RotationAxes::kNone;
  bool operator==(const PointsConfig&) const = default;
};

struct SeriesConfig {
  std::int64_t window = 336;
  std::int64_t horizon = 96;
  std::vector<std::string> columns;  // names of those to take; empty: all
  std::int64_t season = 0;           // steps after which the series is alike again; 0: a day
  bool operator==(const SeriesConfig&) const = default;
};

struct DataConfig {
  std::string name = "fashion_mnist";
  std::string root;                // folder of the files; empty: the places the error message lists
  std::int64_t validation = 5000;  // training samples held out; they choose the best checkpoint
  std::int64_t split_seed = 1;
  std::int64_t train_limit = 0;  // 0: all
  std::int64_t test_limit = 0;
  LimitRule limits = LimitRule::kClass;  // which samples a limit keeps
  bool normalize = true;          // images: by the training split's mean and standard deviation
  bool center = true;             // normalize: subtract the mean as well as divide
  std::int64_t crop_padding = 0;  // images: random crop after zero padding by this many pixels
  bool flip = false;              // images: horizontal flip with probability 1/2
  std::int64_t randaugment = 0;   // images: random operations per image
  std::int64_t magnitude = 9;     // images: of RandAugment's operations
  std::int64_t cutout = 0;        // images: side of an erased square
  double mixup = 0;               // images: alpha of the mixing weight's beta distribution
  double cutmix = 0;              // images: alpha of the pasted area's beta distribution
  std::int64_t image_size = 224;  // image folders: side of the network's input
  std::int64_t resize = 0;  // image folders: shorter side before the centre crop; 0: 8/7 of size
  Decode decode = Decode::kAuto;  // image folders: JPEGs larger than needed
  Exif exif = Exif::kIgnore;      // image folders: the orientation that a photo says
  double crop_min_area = 0.08;    // image folders: smallest share of a random crop
  std::int64_t classes = 0;       // image_folder: how many there must be; 0: as many as folders
  PointsConfig points;
  SeriesConfig series;
  OnError on_error = OnError::kStop;  // a sample that cannot be read
  double skip_most = 0.1;             // skip: the largest share of a split
  Toggle resident = Toggle::kAuto;    // images kept and augmented on the device
  std::int64_t threads = 1;           // loader threads
  bool operator==(const DataConfig&) const = default;
};

// Settings of one optimiser. A group's fields that are not given are those of `optim`.
struct OptimFields {
  OptimizerType type = OptimizerType::kSgd;
  double lr = 0.1;
  double weight_decay = 0.0;
  double momentum = 0.9;                                // sgd
  bool nesterov = false;                                // sgd
  std::vector<double> betas = {0.9, 0.999};             // adam, adamw
  SecondMoment second_moment = SecondMoment::kElement;  // adam, adamw
  double rho = 0.9;                                     // adadelta
  double eps = 1e-8;                                    // adam, adamw, adadelta
  double threshold = 1e-8;                              // bop
  bool operator==(const OptimFields&) const = default;
};
struct OptimGroup {
  // Tensor roles (latents, alphas, weights, biases, norms, embeddings) or globs on names.
  std::vector<std::string> match;
  OptimFields fields;
  bool operator==(const OptimGroup&) const = default;
};
struct OptimConfig {
  OptimFields fields;
  std::vector<OptimGroup> groups;  // the first that matches wins; the rest takes `fields`
  bool operator==(const OptimConfig&) const = default;
};

struct ScheduleConfig {
  ScheduleType type = ScheduleType::kCosine;
  double warmup_epochs = 0;              // linear, from lr / 100
  double final_factor = 0;               // lr at the end as a share of lr; step: its floor
  double peak_at = 0.3;                  // one_cycle: share of the steps before the peak
  double start_factor = 0.04;            // one_cycle: lr at the start as a share of lr
  std::vector<std::int64_t> milestones;  // step: epochs at which lr is multiplied by gamma
  std::int64_t every = 0;                // step: epochs between two steps, instead of milestones
  double gamma = 0.1;                    // step
  double norm_gamma = 1;                 // step: of the norms' momentum at the same epochs
  bool operator==(const ScheduleConfig&) const = default;
};

// Learning from a trained network's outputs (Hinton et al. 2015).
struct TeacherConfig {
  std::string from;  // a run directory or checkpoint; empty: no teacher
  double temperature = 2;
  double weight = 0.7;     // of the teacher's part of the loss
  std::int64_t views = 0;  // kept answers: random views of a sample; 0: none, asked in each step
  std::string cache;       // the file that keeps them; empty: in the run's folder
  bool operator==(const TeacherConfig&) const = default;
};

struct TrainConfig {
  std::int64_t epochs = 10;
  std::int64_t batch_size = 128;
  std::int64_t eval_batch_size = 500;
  double label_smoothing = 0;
  double clip_norm = 0;               // 0: no gradient clipping
  double ema = 0;                     // decay per step of averaged parameters; 0: none
  double orthogonal_penalty = 0.001;  // of PointNet's feature transform
  std::int64_t seed = 1;
  bool deterministic = false;
  std::string device = "auto";                       // auto | cpu | cuda | cuda:N
  TrainPrecision precision = TrainPrecision::kFp32;  // of products; bf16: autocast
  Toggle fused_optimizer = Toggle::kAuto;
  Toggle cuda_graph = Toggle::kAuto;  // a step recorded once and replayed
  bool channels_last = true;
  std::int64_t threads = 0;           // of LibTorch on the CPU; 0: all cores
  std::int64_t checkpoint_every = 1;  // epochs between writes of `last`
  double checkpoint_minutes = 10;     // and between those inside an epoch; 0: none
  std::int64_t epoch_steps = 0;       // most steps of an epoch; 0: as many as it has batches
  std::int64_t max_steps = 0;         // stop after this many steps (for trials); 0: no limit
  bool operator==(const TrainConfig&) const = default;
};

// What a network is packed as.
struct ExportConfig {
  ScalarForm scalars = ScalarForm::kF32;  // scalars, biases and layer norms
  bool operator==(const ExportConfig&) const = default;
};

struct Config {
  std::string name;             // of the run; default: the configuration file's stem
  std::string output = "runs";  // run directories are made here
  ModelConfig model;
  WeightsConfig weights;
  InitConfig init;
  DataConfig data;
  OptimConfig optim;
  ScheduleConfig schedule;
  TeacherConfig teacher;
  TrainConfig train;
  ExportConfig exported;  // `export:`
  bool operator==(const Config&) const = default;
};

// The policy that `weights:` describes, but for what the steps ahead of a forecast are. With
// `encoding: float` the layers below min_size are float too, so that `weights.encoding=float` gives
// the float twin of a configuration without rules.
WeightPolicy weight_policy(const WeightsConfig& weights);

// The element type that `export.scalars` names.
DType scalar_type(const ExportConfig& exported);

// Whether it may be Config::name, which names a folder: no separators, no control characters, not
// "." or "..", at most 200 bytes.
bool is_run_name(const std::string& name);

}  // namespace tbn
