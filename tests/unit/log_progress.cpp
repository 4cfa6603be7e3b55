// The progress line, written to a file and looked at byte by byte.
#include "log/progress.h"
#include "support/catch.h"
#include "support/temp_dir.h"

using namespace tbn;
using namespace tbn::test;

namespace {

const std::string kClear = "\r\x1b[K";

// A printer into a file, with a clock and a width that the test sets.
struct Screen {
  TempDir dir;
  std::FILE* file = std::fopen((dir / "out").c_str(), "wb");
  double seconds = 1000;
  int columns = 80;

  Screen() = default;
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;
  ~Screen() { std::fclose(file); }

  ProgressPrinter::Options options(bool terminal) {
    return {.is_terminal = terminal,
            .columns = [this] { return columns; },
            .now =
                [this] {
                  return ProgressPrinter::Clock::time_point(
                      std::chrono::duration_cast<ProgressPrinter::Clock::duration>(
                          std::chrono::duration<double>(seconds)));
                }};
  }
  std::string text() const { return read_file(dir / "out"); }
};

const Progress kState{.epoch = 3,
                      .epochs = 8,
                      .step = 120,
                      .steps = 430,
                      .loss = 0.42134,
                      .accuracy = 85.2,
                      .samples_per_second = 1840.4,
                      .seconds_left = 125};
const std::string kLine =
    "epoch 3/8  step 120/430  loss 0.4213  accuracy 85.20 %  1,840 samples/s  2:05 left";

}  // namespace

TEST_CASE("a progress line has epoch, step, loss, accuracy, speed and time left") {
  CHECK(to_string(kState) == kLine);
  CHECK(to_string(Progress{.epoch = 1, .epochs = 2, .step = 0, .steps = 9, .loss = 2.5}) ==
        "epoch 1/2  step 0/9  loss 2.5000");
}

TEST_CASE("durations read as a clock") {
  CHECK(duration_text(0) == "0:00");
  CHECK(duration_text(7.4) == "0:07");
  CHECK(duration_text(59.6) == "1:00");
  CHECK(duration_text(754) == "12:34");
  CHECK(duration_text(10921) == "3:02:01");
  CHECK(duration_text(-5) == "0:00");
  CHECK(duration_text(1e300) == "1000000:00:00");
}

TEST_CASE("a terminal's line is redrawn in place at most ten times a second and cleared") {
  Screen screen;
  screen.columns = 200;
  {
    ProgressPrinter printer(screen.file, screen.options(true));
    printer.update(kState);
    CHECK(screen.text() == kClear + kLine);
    for (int i = 0; i < 9; ++i) {
      screen.seconds += 0.011;
      printer.update(kState);
    }
    CHECK(screen.text() == kClear + kLine);
    screen.seconds += 0.011;
    Progress next = kState;
    next.step = 121;
    printer.update(next);
    CHECK(screen.text() == kClear + kLine + kClear + to_string(next));
  }
  CHECK(screen.text().ends_with("left" + kClear));
}

TEST_CASE("a terminal's line is cut before the last column") {
  Screen screen;
  ProgressPrinter printer(screen.file, screen.options(true));
  std::string expected;
  for (const int columns : {40, 20, 1, 0}) {
    screen.columns = columns;
    screen.seconds += 1;
    printer.update(kState);
    expected += kClear + kLine.substr(0, columns > 0 ? static_cast<std::size_t>(columns - 1) : 0);
    CHECK(screen.text() == expected);
  }
}

TEST_CASE("a whole line takes the progress line's place, which moves below it") {
  Screen screen;
  screen.columns = 200;
  ProgressPrinter printer(screen.file, screen.options(true));
  printer.line("begin");
  CHECK(screen.text() == "begin\n");
  printer.update(kState);
  printer.line("saved");
  CHECK(screen.text() == "begin\n" + kClear + kLine + kClear + "saved\n" + kClear + kLine);
  printer.clear();
  printer.clear();
  printer.line("end");
  CHECK(screen.text() ==
        "begin\n" + kClear + kLine + kClear + "saved\n" + kClear + kLine + kClear + "end\n");
}

TEST_CASE("elsewhere there are plain lines, one every ten seconds, and no control characters") {
  Screen screen;
  ProgressPrinter printer(screen.file, screen.options(false));
  for (int i = 0; i < 25; ++i) {
    printer.update(kState);
    screen.seconds += 1;
  }
  CHECK(screen.text() == kLine + "\n" + kLine + "\n" + kLine + "\n");
  printer.line("epoch 3 done");
  printer.clear();
  CHECK(screen.text() == kLine + "\n" + kLine + "\n" + kLine + "\nepoch 3 done\n");
}

TEST_CASE("a file is no terminal") {
  const Screen screen;
  CHECK_FALSE(is_terminal(screen.file));
}

TEST_CASE("the rate follows the recent steps") {
  RateMeter meter;
  CHECK(meter.samples_per_second() == 0);
  meter.add(100, 0.5);
  CHECK(meter.samples_per_second() == Approx(200));
  for (int i = 0; i < 100; ++i) meter.add(100, 0.5);
  CHECK(meter.samples_per_second() == Approx(200));
  for (int i = 0; i < 100; ++i) meter.add(400, 0.5);
  CHECK(meter.samples_per_second() == Approx(800).epsilon(0.02));
  meter.add(0, 0);
  CHECK(meter.samples_per_second() == Approx(800).epsilon(0.02));
}
