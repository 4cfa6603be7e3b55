// The time stamps of a series' rows: reading them, and saying what is wrong with their steps.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tbn {

// Seconds since 1970-01-01 00:00:00 of "2016-07-01 00:15:00", "2016/7/1 0:15", "2016-07-01",
// "2016-07-01T00:15:00.5Z", "2016-07-01 00:15+02:00", "01.07.2016 00:15" and "20160701"; any other
// number is taken for such seconds. Dates with the day or month first and slashes between are not
// read, because nobody can tell which it is. A time without a zone is taken as it stands.
std::optional<double> parse_time(std::string_view text);

// "2016-07-01 00:15:00"; fractions of a second are cut.
std::string time_text(double seconds);

struct TimeSteps {
  double seconds = 0;              // the commonest step; 0 where less than half of the steps are it
  std::vector<std::string> notes;  // on repeated time stamps, on gaps and on steps of many lengths
};

// `times` in seconds, not descending; those that are not known are not-a-number and are passed
// over. Fewer than two known: nothing is said.
TimeSteps judge_steps(std::span<const double> times);

}  // namespace tbn
