// The training loop.
#include "train/run/trainer.h"

#include <chrono>
#include <cmath>

#include <fmt/format.h>
#include <torch/torch.h>

#include "base/counted.h"
#include "base/text.h"
#include "config/data_options.h"
#include "config/load.h"
#include "config/storable.h"
#include "data/registry.h"
#include "eval/measure.h"
#include "file/reader.h"
#include "graph/summary.h"
#include "tbn/error.h"
#include "train/executor/device.h"
#include "train/optim/schedule.h"
#include "train/run/environment.h"
#include "train/run/evaluate.h"
#include "train/run/run_files.h"
#include "train/run/said_counts.h"
#include "train/run/signals.h"
#include "train/run/trainer_graph.h"
#include "train/run/trainer_outcome.h"
#include "train/run/trainer_report.h"
#include "train/run/trainer_setup.h"
#include "train/run/trainer_teacher.h"

namespace tbn {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Reading a value back from a GPU waits for it; a step here and there is often enough.
constexpr std::int64_t kStepsBetweenReadsOnGpu = 50;
constexpr std::int64_t kStepsBetweenScalars = 50;

class Trainer {
 public:
  Trainer(const Config& config, OpenRun& run, const TrainOptions& options);
  TrainOutcome run();
  // Writes the summary of a run that is complete.
  void finish(const TrainOutcome& outcome);

 private:
  enum class EpochEnd { kComplete, kStopped, kStepLimit };

  // Nothing was trained since the run was complete: its files stay as they are.
  bool leaves_all() const { return open_.result && open_.is_at_end && open_.is_complete; }
  void open();
  EpochEnd run_epoch();
  double train_step(const TrainBatch& batch);
  void check_finite();
  [[noreturn]] void fail_non_finite(const std::string& what);
  EpochEnd finish_epoch(bool complete);
  bool validate(EpochReport& report, bool complete);
  void show_progress(double loss);
  void say(const std::vector<std::string>& texts);
  void save(const std::filesystem::path& path);
  void save_between_epochs();
  std::optional<EvalMetrics> evaluate_on(const Dataset& data);
  bool judge_best(TrainOutcome& outcome);
  void say_stopped(const std::string& where);
  bool out_of_steps() const;
  double lr_at(std::int64_t step) const;

  const Config& config_;
  OpenRun& open_;
  const RunDirectory& run_;
  const TrainOptions& options_;
  const Clock::time_point start_ = Clock::now();
  TrainerSetup setup_;
  TrainState& state_ = setup_.state;
  RunFiles files_;
  StopSignals signals_;  // from here on: until the data are read, a signal just ends the process
  std::unique_ptr<TrainReport> report_;
  std::unique_ptr<TeacherCache>
      taught_;  // null: the teacher is asked in each step, or there is none
  RateMeter rate_;
  Clock::time_point epoch_start_;
  std::int64_t epoch_samples_ = 0;  // trained by this process
  SaidCounts said_{setup_.data, setup_.runner};
  double trained_seconds_ = 0;
  std::int64_t trained_samples_ = 0;
};

// Per cent of the running epoch's labels; none where there are no labels.
std::optional<double> train_accuracy(const TrainProgress& p) {
  if (p.labels == 0) return std::nullopt;
  return 100 * static_cast<double>(p.correct) / static_cast<double>(p.labels);
}

Trainer::Trainer(const Config& config, OpenRun& run, const TrainOptions& options)
    : config_(config),
      open_(run),
      run_(run.directory),
      options_(options),
      setup_(config, run.from ? &*run.from : nullptr),
      files_(run, describe_device(setup_.device), options.command_line) {}

// Takes over an earlier state and makes the run directory; before this nothing is written there.
void Trainer::open() {
  if (open_.from) take_state(setup_, open_);
  if (open_.from && config_.train.deterministic) {
    const std::string note = threads_note(run_.environment(), at::get_num_threads());
    if (!note.empty()) open_.notes.push_back(note);
  }
  const bool keeps = kept_views(config_.teacher) > 0 && !open_.is_at_end;
  if (keeps) check_teacher_cache(config_, setup_, files_.reports());
  files_.begin();
  if (keeps) taught_ = open_teacher_cache(config_, setup_, files_.reports(), open_.notes);
  if (open_.is_at_end) {
    files_.keep(open_.from->config_yaml);
  } else if (open_.is_best) {
    // A resume that asks for `last` must not find the state that this one went back behind.
    save(run_.last());
  }
  report_ = std::make_unique<TrainReport>(files_.reports(), setup_.data.train->spec().task.task,
                                          options_.console, kept_reports(open_));
  say(opening_lines(config_, setup_, open_));
  say(said_.skipped());
  open_.from.reset();  // its tensors have been taken over
}

// The default group's learning rate in a step, counted from 0.
double Trainer::lr_at(std::int64_t step) const {
  return config_.optim.fields.lr * schedule_factor(config_.schedule, step, setup_.span);
}

bool Trainer::out_of_steps() const {
  return config_.train.max_steps > 0 && state_.progress().global_step >= config_.train.max_steps;
}

TrainOutcome Trainer::run() {
  open();
  TrainOutcome outcome;
  outcome.folder = run_.folder();
  outcome.device = describe_device(setup_.device);
  const TrainProgress& p = state_.progress();
  EpochEnd end = EpochEnd::kComplete;
  while (end == EpochEnd::kComplete && has_work(p, config_.train)) end = run_epoch();
  outcome.epochs = p.epoch;
  outcome.steps = p.global_step;
  outcome.best_epoch = p.best_epoch + 1;
  outcome.train_seconds = trained_seconds_;
  outcome.samples_per_second =
      trained_seconds_ > 0 ? static_cast<double>(trained_samples_) / trained_seconds_ : 0;
  if (end == EpochEnd::kStopped) {
    say_stopped(p.awaits_validation
                    ? fmt::format("in the validation of epoch {}", p.epoch + 1)
                    : fmt::format("at epoch {}, step {}", p.epoch + 1, p.step_in_epoch));
    outcome.signal = StopSignals::received();
  } else if (!judge_best(outcome)) {
    say_stopped("in the final evaluation");
    outcome.signal = StopSignals::received();
  }
  outcome.is_complete = outcome.signal == 0 && (!open_.is_at_end || open_.is_complete);
  outcome.seconds = seconds_since(start_);
  return outcome;
}

void Trainer::say(const std::vector<std::string>& texts) {
  for (const std::string& text : texts) report_->say(text);
}

void Trainer::say_stopped(const std::string& where) {
  report_->say(fmt::format("stopped by {} {}; continue with --resume",
                           signal_text(StopSignals::received()), where));
}

Trainer::EpochEnd Trainer::run_epoch() {
  epoch_start_ = Clock::now();
  epoch_samples_ = 0;
  TrainProgress& p = state_.progress();
  state_.model().train();
  state_.model().set_norm_momentum_factor(norm_momentum_factor(config_.schedule, p.epoch));
  setup_.source.source->start_epoch(p.epoch, p.step_in_epoch);
  TrainBatch batch;
  Clock::time_point step_start = epoch_start_;
  // The signal is looked at before each batch, so that a step is always whole.
  while (StopSignals::received() == 0 && !out_of_steps() && setup_.source.source->next(batch)) {
    if (taught_) {
      batch.tensors.taught = taught_->outputs(setup_.loss, batch.tensors.inputs, batch.samples,
                                              p.epoch % kept_views(config_.teacher));
    }
    const double loss = train_step(batch);
    p.awaits_validation = false;
    rate_.add(batch.size, seconds_since(step_start));
    step_start = Clock::now();
    epoch_samples_ += batch.size;
    show_progress(loss);
    save_between_epochs();
  }
  if (p.step_in_epoch == setup_.span.steps_per_epoch) return finish_epoch(true);
  if (StopSignals::received() == 0) return finish_epoch(false);
  p.awaits_validation = out_of_steps();
  save(run_.last());
  return EpochEnd::kStopped;
}

// One step; returns the loss where it was read back, else not-a-number.
double Trainer::train_step(const TrainBatch& batch) {
  const auto [loss, correct] = setup_.runner.run(
      batch.tensors, schedule_factor(config_.schedule, state_.progress().global_step, setup_.span));
  state_.count_step(loss, correct, batch.size, batch.labels);

  const std::int64_t step = state_.progress().global_step;
  if (setup_.device.is_cuda() && step % kStepsBetweenReadsOnGpu != 0) return std::nan("");
  const double value = loss.item<double>();
  if (!std::isfinite(value)) {
    fail_non_finite(std::isnan(value) ? "the loss is not a number" : "the loss is infinite");
  }
  if (step % kStepsBetweenScalars == 0) report_->scalar("train/step_loss", value, step);
  return value;
}

// What no checkpoint may hold. Waits for the device.
void Trainer::check_finite() {
  state_.fetch_sums();
  if (!std::isfinite(state_.progress().loss_sum)) {
    fail_non_finite("the loss of the epoch is not finite");
  }
  const std::string part = state_.not_finite();
  if (!part.empty()) fail_non_finite(part + " is not finite");
}

void Trainer::fail_non_finite(const std::string& what) {
  const TrainProgress& p = state_.progress();
  std::string kept = "no checkpoint was written yet";
  if (!files_.is_of_this_run()) kept += ", and the run that was to be replaced is as it was";
  if (files_.is_of_this_run() && run_.has_checkpoint()) {
    kept = fmt::format("the last good checkpoint is {}", run_.last().string());
  }
  const std::string text = fmt::format(
      "{} at epoch {}, step {} (step {} of the run) with lr {:g}; {}; try a lower optim.lr, a "
      "longer schedule.warmup_epochs or train.clip_norm",
      what, p.epoch + 1, p.step_in_epoch, p.global_step,
      lr_at(std::max<std::int64_t>(0, p.global_step - 1)), kept);
  if (report_) report_->note(text);
  throw NonFiniteError(text);
}

void Trainer::show_progress(double loss) {
  if (std::isnan(loss)) return;
  state_.fetch_sums();
  const TrainProgress& p = state_.progress();
  const double rate = rate_.samples_per_second();
  const auto left =
      static_cast<double>((setup_.span.total_steps - p.global_step) * config_.train.batch_size);
  report_->progress({.epoch = p.epoch + 1,
                     .epochs = config_.train.epochs,
                     .step = p.step_in_epoch,
                     .steps = setup_.span.steps_per_epoch,
                     .loss = p.loss_sum / static_cast<double>(p.samples),
                     .accuracy = train_accuracy(p),
                     .samples_per_second = rate,
                     .seconds_left = rate > 0 ? left / rate : -1});
}

// Nothing where a signal came first.
std::optional<EvalMetrics> Trainer::evaluate_on(const Dataset& data) {
  const std::optional<MetricSums> sums = evaluate_unless(
      [] { return StopSignals::received() != 0; }, state_.model(), data,
      {.device = setup_.device,
       .batch_size = config_.train.eval_batch_size,
       // On a CPU as the packed file will be: the steps alone are worth the haste.
       .bf16 = config_.train.precision == TrainPrecision::kBf16 && !setup_.device.is_cpu(),
       .threads = static_cast<int>(config_.data.threads)});
  if (!sums) return std::nullopt;
  return sums->result();
}

// Measures the epoch on the validation split, where there is one. False where a signal came first.
// What a step limit cut short takes the place of no whole epoch: a run made longer goes on from it
// as if it had not been measured.
bool Trainer::validate(EpochReport& report, bool complete) {
  if (setup_.data.validation->size() == 0) return true;
  const Ema::Applied averages(state_.ema());
  report.validation = evaluate_on(*setup_.data.validation);
  if (!report.validation) return false;
  if (!std::isfinite(report.validation->loss)) {
    fail_non_finite("the validation loss is not finite");
  }
  const TrainProgress& p = state_.progress();
  report.best = complete ? p.is_beaten_by(report.validation->score(), report.validation->loss)
                         : !p.best_score;
  state_.metrics() = {.measure = measure_of(report.validation->task),
                      .val = measure_value(*report.validation),
                      .val_loss = report.validation->loss};
  return true;
}

// Validation, reports and checkpoints. An epoch that a step limit cut short is not counted as done.
Trainer::EpochEnd Trainer::finish_epoch(bool complete) {
  check_finite();
  const double seconds = seconds_since(epoch_start_);
  trained_seconds_ += seconds;
  trained_samples_ += epoch_samples_;
  TrainProgress& p = state_.progress();
  EpochReport report{.epoch = p.epoch + 1,
                     .epochs = config_.train.epochs,
                     .global_step = p.global_step,
                     .train_loss = p.loss_sum / static_cast<double>(p.samples),
                     .train_accuracy = train_accuracy(p),
                     .lr = lr_at(std::max<std::int64_t>(0, p.global_step - 1)),
                     .samples_per_second = static_cast<double>(epoch_samples_) / seconds,
                     .seconds = seconds,
                     .best = true};
  if (!validate(report, complete)) {
    p.awaits_validation = true;
    save(run_.last());
    return EpochEnd::kStopped;
  }
  p.awaits_validation = false;
  if (report.best) {
    const bool counts = complete && report.validation.has_value();
    p.set_best(counts ? std::optional(report.validation->score()) : std::nullopt,
               counts ? std::optional(report.validation->loss) : std::nullopt);
  }
  if (complete) state_.start_epoch(p.epoch + 1);
  files_.expect_locked();
  report_->epoch(report);
  say(said_.skipped());
  say(said_.misfits());
  if (report.best) save(run_.best());
  const bool stops = StopSignals::received() != 0;
  const bool due = p.epoch % config_.train.checkpoint_every == 0;
  if (due || !complete || p.epoch == config_.train.epochs || stops) save(run_.last());
  if (!complete) return EpochEnd::kStepLimit;
  return stops && p.epoch < config_.train.epochs ? EpochEnd::kStopped : EpochEnd::kComplete;
}

void Trainer::save(const std::filesystem::path& path) {
  check_finite();
  Checkpoint checkpoint = state_.capture(files_.config_yaml());
  checkpoint.rule = setup_.data.rule;
  if (taught_) taught_->flush();
  files_.save(path, checkpoint);
}

// After a step, where the last checkpoint has become old; the end of an epoch saves by itself.
void Trainer::save_between_epochs() {
  const double minutes = config_.train.checkpoint_minutes;
  const TrainProgress& p = state_.progress();
  if (minutes == 0 || p.step_in_epoch == setup_.span.steps_per_epoch) return;
  if (files_.minutes_since_save() < minutes) return;
  save(run_.last());
  report_->note(fmt::format("saved at epoch {}, step {}", p.epoch + 1, p.step_in_epoch));
}

// The best checkpoint on the test split, and its accuracy into the checkpoint. False where a signal
// came first.
bool Trainer::judge_best(TrainOutcome& outcome) {
  const std::filesystem::path path = run_.best();
  if (!has_file(path)) save(path);
  Checkpoint best = read_checkpoint(path);
  state_.restore(best, path.string());
  const Ema::Applied averages(state_.ema());
  if (best.metrics.val) {
    outcome.validation = evaluate_on(*setup_.data.validation);
    if (!outcome.validation) return false;
  }
  outcome.test = evaluate_on(*setup_.data.test);
  if (!outcome.test) return false;
  if (!leaves_all()) {
    put_figures(best, outcome, setup_.data.rule, config_.data.root, path.string());
    files_.save(path, best);
  }
  say(said_.skipped());
  report_->say(fmt::format("best epoch {}: test {} on {}", outcome.best_epoch,
                           outcome.test->headline(), counted(outcome.test->samples, "sample")));
  outcome.norm_margin = norm_margin(state_.model());
  if (const std::string text = margin_text(outcome.norm_margin); !text.empty()) report_->say(text);
  if (leaves_all()) report_->say(left_text(best.metrics, *outcome.test));
  return true;
}

void Trainer::finish(const TrainOutcome& outcome) {
  // A summary is of the state in `last`, which a `best` that had nothing left to train is not.
  const bool of_best = open_.is_at_end && open_.is_best && run_.has_checkpoint();
  if (!outcome.is_complete || of_best || leaves_all()) return;
  const Summary summary =
      summarize(training_graph(config_, describe_data(data_options(config_.data))),
                scalar_type(config_.exported));
  files_.finish(outcome_json(config_, outcome, summary));
}

}  // namespace

TrainOutcome train(OpenRun run, const TrainOptions& options) {
  const Config& config = run.config;
  check_storable(config);
  Trainer trainer(config, run, options);
  TrainOutcome outcome = trainer.run();
  trainer.finish(outcome);
  return outcome;
}

}  // namespace tbn
