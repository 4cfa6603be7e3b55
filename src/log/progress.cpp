// The progress line and its plain form.
#include "log/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "base/text.h"

namespace tbn {
namespace {

constexpr int kDefaultColumns = 80;
constexpr double kFadeSeconds = 10;
constexpr const char* kClearLine = "\r\x1b[K";

int terminal_columns(std::FILE* stream) {
  winsize size{};
  if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kDefaultColumns;
  return size.ws_col;
}

}  // namespace

std::string duration_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::llround(std::clamp(seconds, 0.0, 3.6e9)));
  const std::int64_t hours = whole / 3600;
  const std::int64_t minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

std::string to_string(const Progress& progress) {
  std::string out = fmt::format("epoch {}/{}  step {}/{}  loss {:.4f}", progress.epoch,
                                progress.epochs, progress.step, progress.steps, progress.loss);
  if (progress.accuracy) out += fmt::format("  accuracy {:.2f} %", *progress.accuracy);
  if (progress.samples_per_second > 0) {
    const double rate = std::min(progress.samples_per_second, 1e15);
    out += fmt::format("  {} samples/s", grouped(static_cast<std::uint64_t>(std::llround(rate))));
  }
  if (progress.seconds_left >= 0) out += "  " + duration_text(progress.seconds_left) + " left";
  return out;
}

void RateMeter::add(std::int64_t images, double seconds) {
  const double keep = std::exp(-std::max(seconds, 0.0) / kFadeSeconds);
  images_ = images_ * keep + static_cast<double>(images);
  seconds_ = seconds_ * keep + std::max(seconds, 0.0);
}

bool is_terminal(std::FILE* stream) {
  const char* kind = std::getenv("TERM");
  return isatty(fileno(stream)) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
}

ProgressPrinter::ProgressPrinter(std::FILE* stream, Options options)
    : stream_(stream), options_(std::move(options)) {
  if (!options_.columns) options_.columns = [stream] { return terminal_columns(stream); };
  if (!options_.now) options_.now = [] { return Clock::now(); };
}

ProgressPrinter::~ProgressPrinter() { clear(); }

bool ProgressPrinter::due(double seconds) {
  const auto now = options_.now();
  if (last_ && std::chrono::duration<double>(now - *last_).count() < seconds) return false;
  last_ = now;
  return true;
}

void ProgressPrinter::draw() {
  // One column stays free: some terminals wrap when the last one is written.
  const int room = std::max(options_.columns() - 1, 0);
  const std::string text = shown_.substr(0, static_cast<std::size_t>(room));
  fmt::memory_buffer out;
  fmt::format_to(std::back_inserter(out), "{}{}", kClearLine, text);
  std::fwrite(out.data(), 1, out.size(), stream_);
  std::fflush(stream_);
}

void ProgressPrinter::update(const Progress& progress) {
  if (!due(options_.is_terminal ? options_.redraw_seconds : options_.plain_seconds)) return;
  if (options_.is_terminal) {
    shown_ = to_string(progress);
    draw();
  } else {
    line(to_string(progress));
  }
}

void ProgressPrinter::line(std::string_view text) {
  const std::string start = shown_.empty() ? "" : kClearLine;
  const std::string out = start + std::string(text) + "\n";
  std::fwrite(out.data(), 1, out.size(), stream_);
  std::fflush(stream_);
  if (!shown_.empty()) draw();
}

void ProgressPrinter::clear() {
  if (shown_.empty()) return;
  shown_.clear();
  std::fputs(kClearLine, stream_);
  std::fflush(stream_);
}

}  // namespace tbn
