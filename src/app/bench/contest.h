// Times calls in turn, and prints a table with one row per contender: our backends beside their
// rivals.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "app/support/options.h"
#include "base/quartiles.h"
#include "file/json.h"

namespace tbn::app {

// Microseconds of one call of each. In every round each call has its turn, repeated until it can be
// measured; slow ones sit out later rounds once they have taken seconds, after three at least.
std::vector<Quartiles> time_in_turn(const std::vector<std::function<void()>>& calls, int rounds);

// One of our backends beside one rival.
struct Comparison {
  std::string ours;
  Quartiles ours_us;
  std::string rival;
  Quartiles rival_us;
  double max_error = 0;  // of ours, relative to the largest value

  double ratio() const { return rival_us.median / ours_us.median; }
};

// `about` ("name", "threads", ...) with "ours", "ours_us", ..., "ratio" and "max_error".
Json to_json(const Comparison& row, Json about);
// A table under the machine's line and `heading`, or under --json a list of objects.
void print_comparisons(const CommandLine& line, const std::vector<Comparison>& rows,
                       const std::string& heading, const Json& about);
Json quartiles_json(const Quartiles& q);

// "1,234" from a thousand on, and more digits below.
std::string microseconds(double us);
std::string microseconds(const Quartiles& q);  // "low-high"

// "AMD EPYC 9124, 1 thread", the line above every table.
std::string machine_line(int threads);

// What --rounds and --threads say.
int rounds_of(const CommandLine& line);
int threads_of(const CommandLine& line);

}  // namespace tbn::app
