// The reports of an epoch in four forms.
#include "train/trainer_report.h"

#include <vector>

#include <fmt/format.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/spdlog.h>

#include "base/text.h"
#include "tbn/error.h"

namespace tbn {
namespace {

const std::vector<std::string> kColumns = {
    "epoch",        "step", "train_loss",   "train_accuracy", "val_loss",
    "val_accuracy", "lr",   "images_per_s", "seconds"};

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

CsvLog open_csv(const RunDirectory& run, std::optional<std::int64_t> resumed_step) {
  if (!resumed_step) return CsvLog::create(run.metrics(), kColumns);
  return CsvLog::resume(run.metrics(), kColumns, "step", *resumed_step);
}

std::string epoch_line(const EpochReport& r) {
  std::string line = fmt::format("epoch {}/{}  train loss {:.4f}, accuracy {:.2f} %", r.epoch,
                                 r.epochs, r.train_loss, r.train_accuracy);
  if (r.validation) {
    line += fmt::format("  validation loss {:.4f}, accuracy {:.2f} %{}", r.validation->loss,
                        r.validation->top1, r.best ? " (best)" : "");
  }
  return line + fmt::format("  {} images/s  {}",
                            grouped(static_cast<std::uint64_t>(r.images_per_second)),
                            duration_text(r.seconds));
}

}  // namespace

TrainReport::TrainReport(const RunDirectory& run, std::FILE* console,
                         std::optional<std::int64_t> resumed_step)
    : log_(open_log(run.log())),
      csv_(open_csv(run, resumed_step)),
      events_(run.events(), resumed_step),
      printer_(console, {.is_terminal = is_terminal(console)}) {}

TrainReport::~TrainReport() = default;

void TrainReport::epoch(const EpochReport& r) {
  const std::string line = epoch_line(r);
  printer_.line(line);
  log_->info(line);
  CsvCell val_loss;
  CsvCell val_accuracy;
  std::vector<Scalar> scalars = {{"train/loss", r.train_loss},
                                 {"train/accuracy", r.train_accuracy},
                                 {"train/lr", r.lr},
                                 {"train/images_per_s", r.images_per_second}};
  if (r.validation) {
    val_loss = r.validation->loss;
    val_accuracy = r.validation->top1;
    scalars.push_back({"validation/loss", r.validation->loss});
    scalars.push_back({"validation/accuracy", r.validation->top1});
  }
  csv_.write({r.epoch, r.global_step, r.train_loss, r.train_accuracy, val_loss, val_accuracy, r.lr,
              r.images_per_second, r.seconds});
  events_.add_scalars(r.global_step, scalars);
}

void TrainReport::scalar(const char* tag, double value, std::int64_t step) {
  events_.add_scalar(tag, value, step);
}

void TrainReport::say(const std::string& text) {
  printer_.line(text);
  log_->info(text);
}

void TrainReport::note(const std::string& text) { log_->info(text); }

}  // namespace tbn
