// Contenders run in turn, so that other load on the machine affects all of them alike.
#include "app/bench/contest.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "app/support/json_out.h"
#include "base/text.h"
#include "train/run/environment.h"

namespace tbn::app {
namespace {

constexpr double kTurn = 500e-6;  // seconds that a turn takes at least
constexpr double kBudget = 3;     // seconds of one contender
constexpr int kLeastRounds = 3;

double seconds_of(const std::function<void()>& call, int repeats) {
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) call();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Turn {
  const std::function<void()>* call;
  int repeats = 1;
  int rounds = 0;
  std::vector<double> us = {};
};

// Warms the call up and finds how often it is to be repeated.
Turn plan_turn(const std::function<void()>& call, int rounds) {
  double seconds = seconds_of(call, 1);
  if (seconds < kBudget / 10) seconds = seconds_of(call, 1);
  const int repeats = static_cast<int>(std::clamp(std::ceil(kTurn / seconds), 1.0, 1e4));
  const double within = std::clamp(kBudget / (seconds * (repeats + 1)), 0.0, 1e6);
  return {&call, repeats, std::min(rounds, std::max(kLeastRounds, static_cast<int>(within)))};
}

}  // namespace

std::vector<Quartiles> time_in_turn(const std::vector<std::function<void()>>& calls, int rounds) {
  std::vector<Turn> turns;
  turns.reserve(calls.size());
  for (const auto& call : calls) turns.push_back(plan_turn(call, rounds));
  for (int round = 0; round < rounds; ++round) {
    for (Turn& turn : turns) {
      if (round >= turn.rounds) continue;
      (*turn.call)();  // the contender before it has filled the caches
      turn.us.push_back(1e6 * seconds_of(*turn.call, turn.repeats) / turn.repeats);
    }
  }
  std::vector<Quartiles> times;
  times.reserve(turns.size());
  for (const Turn& turn : turns) times.push_back(quartiles(turn.us));
  return times;
}

Json quartiles_json(const Quartiles& q) { return Json::array({q.low, q.median, q.high}); }

Json to_json(const Comparison& row, Json about) {
  about.set("ours", row.ours)
      .set("ours_us", row.ours_us.median)
      .set("ours_quartiles_us", quartiles_json(row.ours_us))
      .set("rival", row.rival)
      .set("rival_us", row.rival_us.median)
      .set("rival_quartiles_us", quartiles_json(row.rival_us))
      .set("ratio", row.ratio())
      .set("max_error", row.max_error);
  return about;
}

void print_comparisons(const CommandLine& line, const std::vector<Comparison>& rows,
                       const std::string& heading, const Json& about) {
  if (line.json()) {
    Json list = Json::array();
    for (const Comparison& row : rows) list.push_back(to_json(row, about));
    return print_json(list);
  }
  fmt::print("{}\n{}\n\n", machine_line(static_cast<int>(about.at("threads").as_int())), heading);
  fmt::print(
      "| ours | us, median | quartiles | rival | us, median | quartiles | ratio | error |\n");
  fmt::print("|---|---|---|---|---|---|---|---|\n");
  for (const Comparison& row : rows) {
    fmt::print("| {} | {} | {} | {} | {} | {} | {:.2f} | {:.1e} |\n", row.ours,
               microseconds(row.ours_us.median), microseconds(row.ours_us), row.rival,
               microseconds(row.rival_us.median), microseconds(row.rival_us), row.ratio(),
               row.max_error);
  }
}

std::string microseconds(double us) {
  if (us >= 999.5) return grouped(static_cast<std::uint64_t>(std::llround(us)));
  return us >= 100 ? fmt::format("{:.0f}", us) : fmt::format("{:.3g}", us);
}

std::string microseconds(const Quartiles& q) {
  return microseconds(q.low) + "-" + microseconds(q.high);
}

std::string machine_line(int threads) {
  return fmt::format("{}, {} thread{}", cpu_name(), threads, threads == 1 ? "" : "s");
}

int rounds_of(const CommandLine& line) {
  return static_cast<int>(line.number("rounds", 1, 100'000));
}

int threads_of(const CommandLine& line) {
  return static_cast<int>(line.number("threads", 1, 1024));
}

}  // namespace tbn::app
