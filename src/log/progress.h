// Shows how training goes: one line that is redrawn in place on a terminal, plain lines elsewhere
// (a file, a pipe, a build log).
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tbn {

struct Progress {
  std::int64_t epoch = 0;  // counted from 1
  std::int64_t epochs = 0;
  std::int64_t step = 0;   // done in this epoch
  std::int64_t steps = 0;  // of an epoch
  double loss = 0;
  std::optional<double> accuracy;  // per cent
  double samples_per_second = 0;   // 0: not known yet
  double seconds_left = -1;        // of the whole run; negative: not known yet
};

// "epoch 3/8  step 120/430  loss 0.4213  accuracy 85.20 %  1,840 samples/s  2:05 left"
std::string to_string(const Progress& progress);

// "0:07", "12:34", "3:02:01"
std::string duration_text(double seconds);

// Images a second with older steps fading out over some ten seconds.
class RateMeter {
 public:
  void add(std::int64_t images, double seconds);
  double samples_per_second() const { return seconds_ > 0 ? images_ / seconds_ : 0; }

 private:
  double images_ = 0;
  double seconds_ = 0;
};

// Whether `stream` is a terminal that can move its cursor.
bool is_terminal(std::FILE* stream);

class ProgressPrinter {
 public:
  using Clock = std::chrono::steady_clock;

  struct Options {
    bool is_terminal = false;
    double redraw_seconds = 0.1;   // on a terminal: least time between two drawings
    double plain_seconds = 10;     // elsewhere: least time between two lines; epochs always print
    std::function<int()> columns;  // width; default: asks the terminal
    std::function<Clock::time_point()> now;  // default: the steady clock
  };

  // `stream` stays the caller's. Failed writes are ignored: a closed terminal stops no training.
  ProgressPrinter(std::FILE* stream, Options options);
  ~ProgressPrinter();  // clears the line
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;

  // Shows the state of a step, unless the last drawing is too recent.
  void update(const Progress& progress);

  // Prints a whole line that stays (the end of an epoch, a warning); the progress line moves below.
  void line(std::string_view text);

  // Removes the progress line, before others write to the terminal.
  void clear();

 private:
  bool due(double seconds);
  void draw();

  std::FILE* stream_;
  Options options_;
  std::optional<Clock::time_point> last_;
  std::string shown_;
};

}  // namespace tbn
