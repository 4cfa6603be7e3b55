// The training loop.
#include "train/trainer.h"

#include <array>
#include <chrono>
#include <cmath>
#include <fstream>

#include <fmt/format.h>
#include <torch/torch.h>

#include "base/text.h"
#include "config/data_options.h"
#include "config/load.h"
#include "data/data_rule.h"
#include "data/loader.h"
#include "data/registry.h"
#include "eval/measure.h"
#include "file/atomic_write.h"
#include "tbn/error.h"
#include "train/batch_source.h"
#include "train/device.h"
#include "train/environment.h"
#include "train/evaluate.h"
#include "train/loss.h"
#include "train/schedule.h"
#include "train/signals.h"
#include "train/step_runner.h"
#include "train/task_loss.h"
#include "train/trainer_graph.h"
#include "train/trainer_report.h"
#include "train/trainer_resume.h"
#include "train/trainer_state.h"

namespace tbn {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Reading a value back from a GPU waits for it; a step here and there is often enough.
constexpr std::int64_t kStepsBetweenReadsOnGpu = 50;
constexpr std::int64_t kStepsBetweenScalars = 50;

LoaderOptions loader_options(const Config& config, const Dataset& data) {
  const TrainConfig& train = config.train;
  return {.batch_size = train.batch_size,
          .shuffle = true,
          .drop_last = data.size() >= train.batch_size,
          .seed = static_cast<std::uint64_t>(train.seed),
          .augment = true,
          .mix = {.mixup = config.data.mixup, .cutmix = config.data.cutmix},
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

class Trainer {
 public:
  Trainer(const Config& config, const TrainOptions& options, const RunDirectory& run);
  TrainOutcome run();

 private:
  enum class EpochEnd { kComplete, kStopped, kStepLimit };

  void open();
  void resume();
  void write_description();
  EpochEnd run_epoch();
  double train_step(const TrainBatch& batch);
  [[noreturn]] void fail_non_finite(const std::string& what, double lr);
  void finish_epoch(bool complete);
  void show_progress(double loss);
  void report_skipped();
  void report_misfits();
  void save(const std::filesystem::path& path);
  EvalMetrics evaluate_on(const Dataset& data);
  void judge_best(TrainOutcome& outcome);
  bool out_of_steps() const;
  double lr_at(std::int64_t step) const;

  const Config& config_;
  const TrainOptions& options_;
  const RunDirectory& run_;
  const std::string config_yaml_;
  const Clock::time_point start_ = Clock::now();
  c10::Device device_;
  StopSignals signals_;
  DataSplits data_;
  ChosenSource source_;
  TaskLoss loss_;
  TrainState state_;
  StepModeChoice step_mode_;
  StepRunner runner_;
  ScheduleSpan span_;
  std::unique_ptr<TrainReport> report_;
  RateMeter rate_;
  Clock::time_point epoch_start_;
  std::int64_t epoch_samples_ = 0;         // trained by this process
  std::array<std::int64_t, 3> skipped_{};  // samples of each split, as last reported
  std::int64_t misfits_ = 0;               // steps, as last reported
  double trained_seconds_ = 0;
  std::int64_t trained_samples_ = 0;
};

// Per cent of the running epoch's labels; none where there are no labels.
std::optional<double> train_accuracy(const TrainProgress& p) {
  if (p.labels == 0) return std::nullopt;
  return 100 * static_cast<double>(p.correct) / static_cast<double>(p.labels);
}

c10::Device prepare_device(const TrainConfig& train) {
  const c10::Device device = resolve_device(train.device);
  configure_torch(train, device);
  return device;
}

Trainer::Trainer(const Config& config, const TrainOptions& options, const RunDirectory& run)
    : config_(config),
      options_(options),
      run_(run),
      config_yaml_(print_config(config)),
      device_(prepare_device(config.train)),
      data_(load_data(data_options(config.data))),
      source_(choose_source(config, *data_.train, loader_options(config, *data_.train), device_)),
      loss_(config, data_.train->spec(), device_),
      state_(config, graph_for(config, data_), device_,
             options.mode == RunMode::kResume && run.has_checkpoint()),
      step_mode_(choose_step_mode(config.train, device_)),
      runner_(state_, loss_, config.train, step_mode_.mode),
      span_(schedule_span(config, *data_.train)) {}

void Trainer::write_description() {
  write_file_atomically(run_.config(), config_yaml_);
  write_file_atomically(
      run_.environment(),
      environment_json(options_.command_line, describe_device(device_), config_.train.seed)
          .pretty());
}

// Makes the run directory and takes over an earlier state; before this nothing is written.
void Trainer::open() {
  const bool resumes = options_.mode == RunMode::kResume && run_.has_checkpoint();
  if (resumes) resume();
  run_.create(options_.mode);
  write_description();
  const std::int64_t step = state_.progress().global_step;
  report_ =
      std::make_unique<TrainReport>(run_, data_.train->spec().task.task, options_.console,
                                    resumes ? std::optional<std::int64_t>(step) : std::nullopt);
  report_->say(fmt::format("{} training, {} validation and {} test samples{}",
                           grouped(static_cast<std::uint64_t>(data_.train->size())),
                           grouped(static_cast<std::uint64_t>(data_.validation->size())),
                           grouped(static_cast<std::uint64_t>(data_.test->size())),
                           data_.folder.empty() ? "" : " from " + data_.folder.string()));
  report_->say(fmt::format("device {}{}{}{}; run directory {}", describe_device(device_),
                           config_.train.precision == "bf16" ? ", bfloat16" : "",
                           step_mode_.mode == StepMode::kRecorded ? ", steps as a CUDA graph" : "",
                           config_.train.deterministic ? ", deterministic" : "",
                           run_.folder().string()));
  for (const std::string& note : data_.notes) report_->say(note);
  report_skipped();
  for (const std::string& note : {source_.note, step_mode_.note}) {
    if (!note.empty()) report_->say(note);
  }
  if (state_.warm_started()) report_->say(describe(*state_.warm_started()));
  if (resumes) {
    report_->say(fmt::format("resuming at epoch {}, step {} of {}", state_.progress().epoch + 1,
                             state_.progress().step_in_epoch, span_.steps_per_epoch));
  }
}

void Trainer::resume() {
  const std::string where = run_.last().string();
  const Checkpoint checkpoint = read_checkpoint(run_.last());
  check_resumable(config_, checkpoint.config_yaml, where);
  for (std::string& note : check_same_data(checkpoint.rule, data_.rule, where)) {
    data_.notes.push_back(std::move(note));
  }
  state_.restore(checkpoint, where);
  // Without the best checkpoint itself, the next epoch is the best that there is.
  if (!std::filesystem::exists(run_.best())) state_.progress().best_score.reset();
  if (state_.progress().step_in_epoch > span_.steps_per_epoch) {
    throw DataError(
        fmt::format("{}: it was saved after step {} of an epoch, which has only {} "
                    "steps here; is it the same data?",
                    where, state_.progress().step_in_epoch, span_.steps_per_epoch));
  }
}

// The default group's learning rate in a step, counted from 0.
double Trainer::lr_at(std::int64_t step) const {
  return config_.optim.fields.lr * schedule_factor(config_.schedule, step, span_);
}

bool Trainer::out_of_steps() const {
  return config_.train.max_steps > 0 && state_.progress().global_step >= config_.train.max_steps;
}

TrainOutcome Trainer::run() {
  open();
  TrainOutcome outcome;
  outcome.folder = run_.folder();
  outcome.device = describe_device(device_);
  EpochEnd end = EpochEnd::kComplete;
  while (end == EpochEnd::kComplete && state_.progress().epoch < config_.train.epochs &&
         !out_of_steps()) {
    end = run_epoch();
  }
  outcome.epochs = state_.progress().epoch;
  outcome.steps = state_.progress().global_step;
  outcome.best_epoch = state_.progress().best_epoch + 1;
  outcome.train_seconds = trained_seconds_;
  outcome.samples_per_second =
      trained_seconds_ > 0 ? static_cast<double>(trained_samples_) / trained_seconds_ : 0;
  if (end == EpochEnd::kStopped) {
    outcome.signal = StopSignals::received();
    report_->say(fmt::format("stopped by {} at epoch {}, step {}; continue with --resume",
                             signal_text(outcome.signal), state_.progress().epoch + 1,
                             state_.progress().step_in_epoch));
  } else {
    judge_best(outcome);
  }
  outcome.seconds = seconds_since(start_);
  return outcome;
}

Trainer::EpochEnd Trainer::run_epoch() {
  epoch_start_ = Clock::now();
  epoch_samples_ = 0;
  state_.model().train();
  state_.model().set_norm_momentum_factor(
      norm_momentum_factor(config_.schedule, state_.progress().epoch));
  source_.source->start_epoch(state_.progress().epoch, state_.progress().step_in_epoch);
  TrainBatch batch;
  Clock::time_point step_start = epoch_start_;
  // The signal is looked at before each batch, so that a step is always whole.
  while (StopSignals::received() == 0 && !out_of_steps() && source_.source->next(batch)) {
    const double loss = train_step(batch);
    rate_.add(batch.size, seconds_since(step_start));
    step_start = Clock::now();
    epoch_samples_ += batch.size;
    show_progress(loss);
  }
  if (state_.progress().step_in_epoch == span_.steps_per_epoch) {
    finish_epoch(true);
    return StopSignals::received() != 0 && state_.progress().epoch < config_.train.epochs
               ? EpochEnd::kStopped
               : EpochEnd::kComplete;
  }
  if (StopSignals::received() != 0) {
    save(run_.last());
    return EpochEnd::kStopped;
  }
  finish_epoch(false);
  return EpochEnd::kStepLimit;
}

// One step; returns the loss where it was read back, else not-a-number.
double Trainer::train_step(const TrainBatch& batch) {
  const double lr = lr_at(state_.progress().global_step);
  const auto [loss, correct] = runner_.run(
      batch.tensors, schedule_factor(config_.schedule, state_.progress().global_step, span_));
  state_.count_step(loss, correct, batch.size, batch.labels);

  const std::int64_t step = state_.progress().global_step;
  if (device_.is_cuda() && step % kStepsBetweenReadsOnGpu != 0) return std::nan("");
  const double value = loss.item<double>();
  if (!std::isfinite(value)) {
    fail_non_finite(std::isnan(value) ? "the loss is not a number" : "the loss is infinite", lr);
  }
  if (step % kStepsBetweenScalars == 0) report_->scalar("train/step_loss", value, step);
  return value;
}

void Trainer::fail_non_finite(const std::string& what, double lr) {
  const TrainProgress& p = state_.progress();
  const std::string kept = run_.has_checkpoint()
                               ? fmt::format("the last good checkpoint is {}", run_.last().string())
                               : std::string("no checkpoint was written yet");
  const std::string text = fmt::format(
      "{} at epoch {}, step {} (step {} of the run) with lr {:g}; {}; try a lower optim.lr, a "
      "longer schedule.warmup_epochs or train.clip_norm",
      what, p.epoch + 1, p.step_in_epoch, p.global_step, lr, kept);
  report_->note(text);
  throw NonFiniteError(text);
}

void Trainer::show_progress(double loss) {
  if (std::isnan(loss)) return;
  state_.fetch_sums();
  const TrainProgress& p = state_.progress();
  const double rate = rate_.samples_per_second();
  const auto left =
      static_cast<double>((span_.total_steps - p.global_step) * config_.train.batch_size);
  report_->progress({.epoch = p.epoch + 1,
                     .epochs = config_.train.epochs,
                     .step = p.step_in_epoch,
                     .steps = span_.steps_per_epoch,
                     .loss = p.loss_sum / static_cast<double>(p.samples),
                     .accuracy = train_accuracy(p),
                     .samples_per_second = rate,
                     .seconds_left = rate > 0 ? left / rate : -1});
}

EvalMetrics Trainer::evaluate_on(const Dataset& data) {
  return evaluate(state_.model(), data,
                  {.device = device_,
                   .batch_size = config_.train.eval_batch_size,
                   .bf16 = config_.train.precision == "bf16",
                   .threads = static_cast<int>(config_.data.threads)})
      .result();
}

// Validation, reports and checkpoints. An epoch that a step limit cut short is not counted as done.
void Trainer::finish_epoch(bool complete) {
  state_.fetch_sums();  // waits for the device
  const double seconds = seconds_since(epoch_start_);
  trained_seconds_ += seconds;
  trained_samples_ += epoch_samples_;
  TrainProgress& p = state_.progress();
  const double lr = lr_at(std::max<std::int64_t>(0, p.global_step - 1));
  if (!std::isfinite(p.loss_sum)) fail_non_finite("the loss of the epoch is not finite", lr);
  if (!state_.is_finite()) fail_non_finite("a weight is not finite", lr);
  EpochReport report{.epoch = p.epoch + 1,
                     .epochs = config_.train.epochs,
                     .global_step = p.global_step,
                     .train_loss = p.loss_sum / static_cast<double>(p.samples),
                     .train_accuracy = train_accuracy(p),
                     .lr = lr,
                     .samples_per_second = static_cast<double>(epoch_samples_) / seconds,
                     .seconds = seconds,
                     .best = true};
  if (data_.validation->size() > 0) {
    const Ema::Applied averages(state_.ema());
    report.validation = evaluate_on(*data_.validation);
    if (!std::isfinite(report.validation->loss)) {
      fail_non_finite("the validation loss is not finite", lr);
    }
    report.best = !p.best_score || report.validation->score() > *p.best_score;
    state_.metrics() = {.measure = measure_of(report.validation->task),
                        .val = measure_value(*report.validation),
                        .val_loss = report.validation->loss};
  }
  if (report.best) {
    p.best_score.reset();
    if (report.validation) p.best_score = report.validation->score();
    p.best_epoch = p.epoch;
  }
  if (complete) state_.start_epoch(p.epoch + 1);
  report_->epoch(report);
  report_skipped();
  report_misfits();
  if (report.best) save(run_.best());
  const bool due = p.epoch % config_.train.checkpoint_every == 0;
  if (due || !complete || p.epoch == config_.train.epochs || StopSignals::received() != 0) {
    save(run_.last());
  }
}

// Says which samples could not be read, where there are more than when it was last said.
void Trainer::report_skipped() {
  const auto say = [&](const Dataset& data, const std::string& split, std::int64_t& said) {
    const SkipReport report = data.skips();
    if (report.skipped + report.ignored > said) report_->say(skip_text(report, split));
    said = report.skipped + report.ignored;
  };
  // Samples held out for validation are of the training split.
  if (data_.found.validation) say(*data_.validation, "validation", skipped_[1]);
  say(*data_.train, "training", skipped_[0]);
  say(*data_.test, "test", skipped_[2]);
}

// Says how many steps were not replayed, where that has grown.
void Trainer::report_misfits() {
  const std::int64_t misfits = runner_.misfits();
  if (misfits > misfits_) {
    report_->say(
        fmt::format("{} steps ran outside of the CUDA graph: their batches are of another "
                    "size",
                    misfits));
  }
  misfits_ = misfits;
}

void Trainer::save(const std::filesystem::path& path) {
  Checkpoint checkpoint = state_.capture(config_yaml_);
  checkpoint.rule = data_.rule;
  write_checkpoint(path, checkpoint);
}

// The best checkpoint on the test split, and its accuracy into the checkpoint.
void Trainer::judge_best(TrainOutcome& outcome) {
  const std::filesystem::path path = run_.best();
  if (!std::filesystem::exists(path)) save(path);
  Checkpoint best = read_checkpoint(path);
  state_.restore(best, path.string());
  const Ema::Applied averages(state_.ema());
  if (best.metrics.val) outcome.validation = evaluate_on(*data_.validation);
  outcome.test = evaluate_on(*data_.test);
  best.metrics.measure = measure_of(outcome.test->task);
  best.metrics.test = measure_value(*outcome.test);
  best.metrics.test_loss = outcome.test->loss;
  best.rule = data_.rule;
  write_checkpoint(path, best);
  report_skipped();
  report_->say(fmt::format("best epoch {}: test {} on {} samples", outcome.best_epoch,
                           outcome.test->headline(),
                           grouped(static_cast<std::uint64_t>(outcome.test->samples))));
}

Config config_of(const Config& asked, const TrainOptions& options, const RunDirectory& run) {
  if (options.mode != RunMode::kResume || !run.has_checkpoint()) return asked;
  return resumed_config(asked, read_checkpoint(run.last()).config_yaml, run.last().string());
}

}  // namespace

TrainOutcome train(const Config& asked, const TrainOptions& options) {
  const RunDirectory run(std::filesystem::path(asked.output) / asked.name);
  run.check(options.mode);
  const Config config = config_of(asked, options, run);
  Trainer trainer(config, options, run);
  TrainOutcome outcome = trainer.run();
  if (outcome.signal == 0) {
    const Summary summary =
        summarize(training_graph(config, describe_data(data_options(config.data))));
    write_file_atomically(run.summary(), outcome_json(config, outcome, summary).pretty());
  }
  return outcome;
}

}  // namespace tbn
