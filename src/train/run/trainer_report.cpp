// The reports of an epoch in four forms.
#include "train/run/trainer_report.h"

#include <vector>

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include "base/shown.h"
#include "base/text.h"
#include "eval/measure.h"
#include "tbn/error.h"

namespace tbn {
namespace {

std::vector<std::string> columns_of(Task task) {
  return {"epoch",      "step",
          "train_loss", "train_accuracy",
          "val_loss",   "val_" + measure_of(task),
          "lr",         "samples_per_s",
          "seconds"};
}

std::shared_ptr<spdlog::logger> open_log(const std::filesystem::path& path) {
  try {
    auto sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string());
    auto log = std::make_shared<spdlog::logger>("tbn", std::move(sink));
    log->set_pattern("%Y-%m-%d %H:%M:%S.%e  %v");
    // A full disk must not stop training over its log; the next checkpoint reports it.
    log->set_error_handler([](const std::string&) {});
    log->flush_on(spdlog::level::info);
    return log;
  } catch (const spdlog::spdlog_ex& error) {
    throw SystemError(fmt::format("cannot write '{}': {}", path.string(), error.what()));
  }
}

CsvLog open_csv(const RunDirectory& run, Task task, const std::optional<KeptReports>& kept) {
  if (!kept) return CsvLog::create(run.metrics(), columns_of(task));
  return CsvLog::resume(run.metrics(), columns_of(task), "step", kept->rows_to);
}

std::string epoch_line(const EpochReport& r) {
  std::string line = fmt::format("epoch {}/{}  train loss {:.4f}", r.epoch, r.epochs, r.train_loss);
  if (r.train_accuracy) line += fmt::format(", accuracy {:.2f} %", *r.train_accuracy);
  if (r.validation) {
    line += fmt::format("  validation loss {:.4f}, {} {}{}", r.validation->loss,
                        measure_of(r.validation->task), r.validation->score_text(),
                        r.best ? " (best)" : "");
  }
  return line + fmt::format("  {} samples/s  {}",
                            grouped(static_cast<std::uint64_t>(r.samples_per_second)),
                            duration_text(r.seconds));
}

}  // namespace

TrainReport::TrainReport(const RunDirectory& run, Task task, std::FILE* console,
                         const std::optional<KeptReports>& kept)
    : csv_(open_csv(run, task, kept)),
      events_(run.events(), kept ? kept->events_to : std::nullopt),
      log_(open_log(run.log())),
      printer_(console, {.is_terminal = is_terminal(console)}) {}

TrainReport::~TrainReport() = default;

void TrainReport::epoch(const EpochReport& r) {
  const std::string line = epoch_line(r);
  printer_.line(line);
  log_->info(line);
  std::string tag;  // outlives the scalars that point to it
  CsvCell val_loss;
  CsvCell val_score;
  CsvCell train_accuracy;
  std::vector<Scalar> scalars = {{"train/loss", r.train_loss},
                                 {"train/lr", r.lr},
                                 {"train/samples_per_s", r.samples_per_second}};
  if (r.train_accuracy) {
    train_accuracy = *r.train_accuracy;
    scalars.push_back({"train/accuracy", *r.train_accuracy});
  }
  if (r.validation) {
    const double value = measure_value(*r.validation);
    tag = "validation/" + measure_of(r.validation->task);
    val_loss = r.validation->loss;
    val_score = value;
    scalars.push_back({"validation/loss", r.validation->loss});
    scalars.push_back({tag, value});
  }
  csv_.write({r.epoch, r.global_step, r.train_loss, train_accuracy, val_loss, val_score, r.lr,
              r.samples_per_second, r.seconds});
  events_.add_scalars(r.global_step, scalars);
}

void TrainReport::scalar(const char* tag, double value, std::int64_t step) {
  events_.add_scalar(tag, value, step);
}

void TrainReport::say(const std::string& text) {
  // Paths and names are in it.
  printer_.line(shown(text));
  log_->info(shown(text));
}

void TrainReport::note(const std::string& text) { log_->info(shown(text)); }

}  // namespace tbn
