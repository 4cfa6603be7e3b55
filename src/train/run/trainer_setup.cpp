// Builds a training from its configuration, or from a checkpoint.
#include "train/run/trainer_setup.h"

#include <cmath>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/finite.h"
#include "base/text.h"
#include "base/utf8.h"
#include "config/data_options.h"
#include "config/key_use.h"
#include "config/load.h"
#include "data/data_rule.h"
#include "data/input_match.h"
#include "data/loader.h"
#include "data/registry.h"
#include "tbn/error.h"
#include "train/executor/device.h"
#include "train/run/trainer_graph.h"
#include "train/run/trainer_idle.h"
#include "train/run/trainer_teacher.h"

namespace tbn {
namespace {

LoaderOptions loader_options(const Config& config, const Dataset& data) {
  const TrainConfig& train = config.train;
  return {.batch_size = train.batch_size,
          .shuffle = true,
          .drop_last = data.size() >= train.batch_size,
          .seed = static_cast<std::uint64_t>(train.seed),
          .augment = true,
          .mix = {.mixup = config.data.mixup, .cutmix = config.data.cutmix},
          .views = kept_views(config.teacher),
          .most_batches = train.epoch_steps,
          .refill = true,
          .threads = static_cast<int>(config.data.threads)};
}

ScheduleSpan schedule_span(const Config& config, const Dataset& data) {
  const std::int64_t steps = batches_per_epoch(loader_options(config, data), data.size());
  return {.steps_per_epoch = steps, .total_steps = steps * config.train.epochs};
}

Graph graph_for(const Config& config, const DataSplits& data) {
  const bool normalize = config.data.normalize && data.statistics.has_value();
  return training_graph(config, data.train->spec(), normalize ? &*data.statistics : nullptr);
}

c10::Device prepare_device(const TrainConfig& train) {
  const c10::Device device = resolve_device(train.device);
  configure_torch(train, device);
  return device;
}

void check_numbers(const OpenRun& run) {
  const std::string advice = !run.is_best && run.best
                                 ? "no run goes on from that; --resume=best goes back to "
                                   "best.safetensors, and --overwrite begins anew"
                                 : "no run goes on from that; --overwrite begins anew";
  for (const TensorMap* part : {&run.from->model, &run.from->ema, &run.from->optimizer}) {
    check_finite(*part, run.from_path.string(), advice);
  }
}

// A run goes on with the columns, means, deviations and rows that it began with, whatever the table
// at hand would make them; the data says where that is something else.
DataSplits storable_data(const DataConfig& config, const Checkpoint* from) {
  DataOptions options = data_options(config);
  if (from != nullptr && is_of_series(from->rule)) {
    options.series.rule = series_of(from->rule, true);
  }
  DataSplits data = load_data(options);
  check_class_names(data.train->spec(), config.name);
  if (from != nullptr && data.series && !options.series.rule) {
    data.notes.emplace_back(
        "the checkpoint does not say by which means and deviations its series was standardised; "
        "those of the training rows at hand are used");
  }
  return data;
}

// The first node that normalises images by what was measured of them; null: none does.
const Normalize* normalisation(const Graph& graph) {
  for (const Node& node : graph.nodes) {
    if (const auto* found = std::get_if<Normalize>(&node.op)) return found;
  }
  return nullptr;
}

// The training images' means are in the network: other images would make another one.
void check_same_images(const Graph& then, const Graph& now, const std::string& where) {
  const Normalize* a = normalisation(then);
  const Normalize* b = normalisation(now);
  if (a == nullptr || b == nullptr || *a == *b || a->mean.size() != b->mean.size()) return;
  throw DataError(fmt::format(
      "{}: its network normalises images of means {:g} and deviations {:g}, and the training "
      "images "
      "at hand have {:g} and {:g}; a run goes on with the images that it began with: bring them "
      "back, or start another run from its weights with name=... init.from={}",
      where, fmt::join(a->mean, ", "), fmt::join(a->std, ", "), fmt::join(b->mean, ", "),
      fmt::join(b->std, ", "), where));
}

// Weights may come from other data; what was learned of an input is then used for another one.
void add_warm_start(const WarmStart& start, const Rule& data, std::vector<std::string>& lines) {
  lines.push_back(describe(start));
  const InputMatch match = match_inputs(start.rule, data);
  for (const std::vector<std::string>* found : {&match.others, &match.alike}) {
    for (const std::string& text : *found) {
      lines.push_back(fmt::format("init.from: {}: {}; its weights are taken as they are",
                                  start.from.string(), text));
    }
  }
}

}  // namespace

TrainerSetup::TrainerSetup(const Config& config, const Checkpoint* from)
    : device(prepare_device(config.train)),
      data(storable_data(config.data, from)),
      source(choose_source(config, *data.train, loader_options(config, *data.train), device)),
      loss(config, data.train->spec(), device, data.rule),
      state(config, graph_for(config, data), device, from != nullptr,
            data.train->spec().class_keys()),
      step_mode(choose_step_mode(config.train, device)),
      runner(state, loss, config.train, step_mode.mode),
      span(schedule_span(config, *data.train)) {}

void take_state(TrainerSetup& setup, OpenRun& run) {
  const std::string where = run.from_path.string();
  for (std::string& note : check_same_data(run.from->rule, setup.data.rule, where)) {
    run.notes.push_back(std::move(note));
  }
  check_numbers(run);
  check_same_images(run.from->graph, setup.state.model().graph(), where);
  setup.state.restore(*run.from, where);
  TrainProgress& progress = setup.state.progress();
  progress.best_score.reset();
  progress.best_loss.reset();
  if (run.best) {
    progress.best_score = run.best->best_score;
    progress.best_loss = run.best->best_loss;
    progress.best_epoch = run.best->best_epoch;
  }
  if (progress.step_in_epoch > setup.span.steps_per_epoch) {
    throw DataError(
        fmt::format("{}: it was saved after step {} of an epoch, which has only {} "
                    "steps here; is it the same data?",
                    where, progress.step_in_epoch, setup.span.steps_per_epoch));
  }
}

std::optional<KeptReports> kept_reports(const OpenRun& run) {
  if (!run.from) return std::nullopt;
  if (run.is_at_end) return KeptReports{};
  const TrainProgress& p = run.from->progress;
  const std::int64_t whole = p.global_step - p.step_in_epoch;
  const TrainConfig then =
      parse_recorded_config(run.from->config_yaml, run.from_path.string()).train;
  const bool cut_short = p.step_in_epoch > 0 && p.global_step == then.max_steps;
  return KeptReports{.rows_to = whole, .events_to = p.global_step - (cut_short ? 1 : 0)};
}

std::vector<std::string> opening_lines(const Config& config, const TrainerSetup& setup,
                                       const OpenRun& run) {
  const DataSplits& data = setup.data;
  std::vector<std::string> lines = {
      fmt::format("{} training, {} validation and {} test samples{}",
                  grouped(static_cast<std::uint64_t>(data.train->size())),
                  grouped(static_cast<std::uint64_t>(data.validation->size())),
                  grouped(static_cast<std::uint64_t>(data.test->size())),
                  data.folder.empty() ? "" : " from " + data.folder.string()),
      fmt::format("device {}{}{}{}; run directory {}", describe_device(setup.device),
                  config.train.precision == TrainPrecision::kBf16 ? ", bfloat16" : "",
                  setup.step_mode.mode == StepMode::kRecorded ? ", steps as a CUDA graph" : "",
                  config.train.deterministic ? ", deterministic" : "",
                  run.directory.folder().string())};
  const std::string precision = choose_precision(config.train.precision, setup.device).note;
  if (!precision.empty()) lines.push_back(precision);
  lines.insert(lines.end(), run.notes.begin(), run.notes.end());
  lines.insert(lines.end(), data.notes.begin(), data.notes.end());
  for (const std::string& key : data.found.validation ? idle_split_keys(config.data, DataConfig{})
                                                      : std::vector<std::string>{}) {
    lines.push_back(key + " " + std::string(kIdleSplit));
  }
  for (const std::string& note : {setup.source.note, setup.step_mode.note}) {
    if (!note.empty()) lines.push_back(note);
  }
  for (const std::string& note : setup.loss.notes()) lines.push_back(note);
  if (setup.state.warm_started()) add_warm_start(*setup.state.warm_started(), data.rule, lines);
  if (const std::string late = beyond_end(config); !late.empty()) lines.push_back(late);
  for (std::string& text : idle_rules(config, training_graph(config, data.train->spec()))) {
    lines.push_back(std::move(text));
  }
  if (!run.from || run.is_at_end) return lines;
  const TrainProgress& p = setup.state.progress();
  lines.push_back(fmt::format("resuming at epoch {}, step {} of {}", p.epoch + 1, p.step_in_epoch,
                              setup.span.steps_per_epoch));
  const Config stored = parse_recorded_config(run.from->config_yaml, run.from_path.string());
  const std::string change = changed_schedule(config, stored, setup.span, p.global_step);
  if (!change.empty()) lines.push_back(change);
  return lines;
}

std::string changed_schedule(const Config& config, const Config& stored, const ScheduleSpan& span,
                             std::int64_t step) {
  if (config.train.epochs == stored.train.epochs || step == 0 || step >= span.total_steps) {
    return "";
  }
  const ScheduleSpan then{.steps_per_epoch = span.steps_per_epoch,
                          .total_steps = span.steps_per_epoch * stored.train.epochs};
  const double last = config.optim.fields.lr * schedule_factor(stored.schedule, step - 1, then);
  const double next = config.optim.fields.lr * schedule_factor(config.schedule, step, span);
  return fmt::format(
      "train.epochs was {} and is {}: the learning rate goes on at {:.3g}, after {:.3g} in the "
      "last "
      "step",
      stored.train.epochs, config.train.epochs, next, last);
}

void check_class_names(const SampleSpec& spec, const std::string& data) {
  for (const std::string& name : spec.class_names) {
    if (is_utf8(name)) continue;
    throw DataError(fmt::format(
        "data set '{}': the name of class {} is not UTF-8, which the results of a run must be; "
        "rename its folder",
        data, in_quotes(name)));
  }
}

}  // namespace tbn
