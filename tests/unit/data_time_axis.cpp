// Time stamps in the spellings of published series, and what is said of the steps between them.
#include <cmath>
#include <limits>

#include "data/series/time_axis.h"
#include "support/catch.h"
#include "support/errors.h"

using namespace tbn;
using namespace tbn::test;

namespace {

constexpr double kFirst = 1467331200;  // date -u -d '2016-07-01' +%s
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

}  // namespace

TEST_CASE("time stamps of every usual spelling are the same seconds") {
  CHECK(parse_time("2016-07-01") == kFirst);
  CHECK(parse_time("2016/7/1") == kFirst);
  CHECK(parse_time("01.07.2016") == kFirst);
  CHECK(parse_time("20160701") == kFirst);
  CHECK(parse_time("1467331200") == kFirst);
  for (const char* text : {"2016-07-01 01:15:00", "2016-07-01T01:15", "2016/7/1 1:15",
                           "01.07.2016 01:15:00", "2016-07-01T01:15:00Z", "2016-07-01 01:15:00 Z",
                           "2016-07-01 03:15:00+02:00", "2016-06-30T20:45:00-0430"}) {
    CAPTURE(text);
    CHECK(parse_time(text) == kFirst + 4500);
  }
  CHECK(parse_time("2016-07-01 00:00:30.25").value() == Approx(kFirst + 30.25));
  CHECK(parse_time("1990/1/1 0:00") == 631152000);
  CHECK(parse_time("2020-02-29") == 1582934400);
  CHECK(parse_time("0.5") == 0.5);
}

TEST_CASE("what is no date, or could be two, is not read") {
  for (const char* text : {"",
                           "t",
                           "2016",
                           "7/1/2016",
                           "01/07/2016",
                           "2016-13-01",
                           "2019-02-29",
                           "2016-07-01 25:00",
                           "2016-07-01 10:75",
                           "2016-07-01 10:00 CET",
                           "2016-07-01 10:00:00x",
                           "2016-07/01",
                           "2016-07-01 ",
                           "2016-07-01 10",
                           "1-2-3",
                           "nan",
                           "inf",
                           "1e300",
                           "-",
                           "9999999999999999"}) {
    CAPTURE(text);
    // A number of four digits is one, in seconds.
    CHECK(parse_time(text).has_value() == (std::string_view(text) == "2016"));
  }
}

TEST_CASE("a time is written as it is read") {
  CHECK(time_text(kFirst + 4500) == "2016-07-01 01:15:00");
  CHECK(time_text(-1) == "1969-12-31 23:59:59");
  CHECK(time_text(253402300799) == "9999-12-31 23:59:59");
  CHECK(time_text(253402300800) == "the number 253402300800");
  CHECK(time_text(1e14) == "the number 100000000000000");
}

TEST_CASE("steps of one length pass without a word") {
  const TimeSteps steps = judge_steps(std::vector<double>{0, 900, 1800, 2700});
  CHECK(steps.seconds == 900);
  CHECK(steps.notes.empty());
  CHECK(judge_steps({}).seconds == 0);
  CHECK(judge_steps(std::vector<double>{kUnknown, 5, kUnknown}).notes.empty());
}

TEST_CASE("repeated time stamps, gaps and mixed steps are said with how many and where") {
  std::vector<double> hours;
  for (int i = 0; i < 100; ++i) hours.push_back(kFirst + 3600 * i);

  std::vector<double> repeated = hours;
  repeated.insert(repeated.begin() + 10, hours[10]);
  TimeSteps steps = judge_steps(repeated);
  CHECK(steps.seconds == 3600);
  REQUIRE(steps.notes.size() == 1);
  CHECK(says(steps.notes[0], {"time stamp of the row before it 1 time", "2016-07-01 10:00:00"}));

  std::vector<double> gap = hours;
  gap.erase(gap.begin() + 50, gap.begin() + 53);
  gap.erase(gap.begin() + 70);
  steps = judge_steps(gap);
  CHECK(steps.seconds == 3600);
  REQUIRE(steps.notes.size() == 1);
  CHECK(says(steps.notes[0], {"rows are missing 2 times", "2016-07-03 01:00:00", "step is 3600 s",
                              "longest gap 14400 s"}));

  std::vector<double> shorter = hours;
  shorter.insert(shorter.begin() + 7, hours[6] + 600);
  steps = judge_steps(shorter);
  REQUIRE(steps.notes.size() == 1);
  CHECK(says(steps.notes[0], {"no one step apart", "3600 s in 98 of 100 steps"}));

  std::vector<double> months;  // 30 and 31 days in turn
  for (int i = 0; i < 40; ++i) months.push_back(i * 61 * 43200.0 - (i % 2) * 43200.0);
  steps = judge_steps(months);
  CHECK(steps.seconds == 30 * 86400.0);
  REQUIRE(steps.notes.size() == 1);
  CHECK(says(steps.notes[0], {"no one step apart"}));

  const TimeSteps none = judge_steps(std::vector<double>{0, 1, 3, 6, 10, 15});
  CHECK(none.seconds == 0);
  CHECK(none.notes.size() == 1);
}

TEST_CASE("steps beyond every clock end") {
  const TimeSteps steps = judge_steps(std::vector<double>{-9e14, 0, 9e14});
  CHECK(steps.seconds == 9e14);
}
