// Compares two rules, part by part.
#include "data/input_match.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"
#include "data/data_rule.h"
#include "data/series/apply_rule.h"
#include "prepare/rule_words.h"

namespace tbn {
namespace {

constexpr double kRounding = 1e-6;  // of a deviation

bool are_same_names(std::vector<std::string> a, std::vector<std::string> b) {
  std::ranges::sort(a);
  std::ranges::sort(b);
  return a == b;
}

// How the data's names differ from the network's; empty where they do not or one is not known.
std::string names_text(const std::vector<std::string>& network,
                       const std::vector<std::string>& data, const std::string& what) {
  if (network.empty() || data.empty() || network == data) return {};
  const auto at = std::ranges::mismatch(network, data);
  const auto name = [](auto it, const std::vector<std::string>& names) {
    return it == names.end() ? std::string("none") : in_quotes(*it);
  };
  const std::string first =
      fmt::format("{} is where {} was", name(at.in2, data), name(at.in1, network));
  return are_same_names(network, data)
             ? fmt::format("its {} are in another order ({})", what, first)
             : fmt::format("its {} are others ({})", what, first);
}

std::vector<std::string> category_names(const Rule& rule) {
  std::vector<std::string> names;
  if (!rule.output) return names;
  for (const LabelRange& range : rule.output->categories) names.push_back(range.name);
  return names;
}

// Columns of the same names whose values were standardised by other numbers.
void match_statistics(const Rule& network, const Rule& data, InputMatch& match) {
  const SeriesRule then = series_of(network, false);
  const SeriesRule now = series_of(data, false);
  const std::size_t columns = then.statistics.mean.size();
  if (columns != now.statistics.mean.size() || then.columns != now.columns) return;
  std::string far;
  std::string near;
  for (std::size_t c = 0; c < columns; ++c) {
    const double deviation = then.statistics.deviation[c];
    const bool differs =
        std::abs(now.statistics.mean[c] - then.statistics.mean[c]) > kRounding * deviation ||
        std::abs(now.statistics.deviation[c] - deviation) > kRounding * deviation;
    if (!differs) continue;
    std::string& into = are_other_units(then.statistics, now.statistics, c) ? far : near;
    if (!into.empty()) continue;
    into = fmt::format(
        "{} has mean {:g} and deviation {:g}, and had {:g} and {:g}",
        c < now.columns.size() ? in_quotes(now.columns[c]) : fmt::format("column {}", c + 1),
        now.statistics.mean[c], now.statistics.deviation[c], then.statistics.mean[c], deviation);
  }
  if (!far.empty()) match.others.push_back(fmt::format("its columns had other units ({})", far));
  if (!near.empty()) match.alike.push_back(fmt::format("its columns had other values ({})", near));
}

void match_rows(const InputRule& network, const InputRule& data, InputMatch& match) {
  if (!network.up.empty() && !data.up.empty() && network.up != data.up) {
    match.others.push_back(
        fmt::format("its vertical axis is {}, and that of the data {}", network.up, data.up));
  }
  if (network.seconds > 0 && data.seconds > 0 &&
      std::abs(network.seconds - data.seconds) > 1e-3 * network.seconds) {
    match.alike.push_back(fmt::format("its rows were {:g} s apart, and those of the data are {:g}",
                                      network.seconds, data.seconds));
  }
}

}  // namespace

InputMatch match_inputs(const Rule& network, const Rule& data) {
  InputMatch match;
  if (!network.input || !data.input) return match;
  if (network.input->kind != data.input->kind) {
    match.others.push_back(
        fmt::format("it takes inputs of the kind {}, and those of the data are {}",
                    in_quotes(network.input->kind), in_quotes(data.input->kind)));
    return match;
  }
  for (const std::string& text :
       {names_text(network.input->columns, data.input->columns, "columns"),
        names_text(category_names(network), category_names(data), "categories of parts")}) {
    if (!text.empty()) match.others.push_back(text);
  }
  match_rows(*network.input, *data.input, match);
  if (is_of_series(network)) {
    match_statistics(network, data, match);
  } else if (words_of(*network.input).front() != words_of(*data.input).front()) {
    match.alike.push_back(fmt::format("it was trained on '{}', and the data makes '{}'",
                                      words_of(*network.input).front(),
                                      words_of(*data.input).front()));
  }
  return match;
}

}  // namespace tbn
