// The profile of a training step as tables: layers of one kind together, the longest functions.
#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "app/bench/contest.h"
#include "app/bench/subjects.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "train/bench/step_profile.h"

namespace tbn::app {
namespace {

constexpr std::size_t kShownFunctions = 20;

struct Kind {
  std::string name;
  int nodes = 0;
  double forward_us = 0;
  double backward_us = 0;
  double total_us() const { return forward_us + backward_us; }
};

// Nodes of the same ops and weights as one, the longest first.
std::vector<Kind> kinds_of(const StepProfile& profile) {
  std::vector<Kind> kinds;
  for (const ProfiledNode& node : profile.nodes) {
    const std::string name =
        node.weights.empty() ? node.ops : fmt::format("{}, {}", node.ops, node.weights);
    auto kind = std::find_if(kinds.begin(), kinds.end(),
                             [&](const Kind& known) { return known.name == name; });
    if (kind == kinds.end()) kind = kinds.insert(kind, {.name = name});
    ++kind->nodes;
    kind->forward_us += node.forward_us;
    kind->backward_us += node.backward_us;
  }
  std::stable_sort(kinds.begin(), kinds.end(),
                   [](const Kind& a, const Kind& b) { return a.total_us() > b.total_us(); });
  return kinds;
}

void print_kinds(const StepProfile& profile) {
  const auto row = [&](const std::string& name, const std::string& count,
                       const std::string& forward, const std::string& backward, double total_us) {
    fmt::print("| {} | {} | {} | {} | {:.2f} | {:.1f} % |\n", name, count, forward, backward,
               total_us / 1e3, 100 * total_us / profile.step_us);
  };
  fmt::print("| part of the step | nodes | forward, ms | backward, ms | both | share |\n");
  fmt::print("|---|---|---|---|---|---|\n");
  for (const Kind& kind : kinds_of(profile)) {
    row(kind.name, std::to_string(kind.nodes), fmt::format("{:.2f}", kind.forward_us / 1e3),
        fmt::format("{:.2f}", kind.backward_us / 1e3), kind.total_us());
  }
  row("loss", "", "", "", profile.loss_us);
  row("gradients handed to the parameters", "", "", "", profile.gradients_us);
  row("optimiser", "", "", "", profile.optimizer_us);
  row("rest", "", "", "", profile.rest_us());
  row("step", "", "", "", profile.step_us);
}

void print_functions(const StepProfile& profile) {
  fmt::print("\n| function, without those it calls | calls | ms | share |\n|---|---|---|---|\n");
  for (std::size_t i = 0; i < std::min(kShownFunctions, profile.functions.size()); ++i) {
    const ProfiledFunction& f = profile.functions[i];
    fmt::print("| {} | {:.0f} | {:.2f} | {:.1f} % |\n", f.name, f.calls, f.us / 1e3,
               100 * f.us / profile.step_us);
  }
}

Json to_json(const StepProfile& profile, const Config& config) {
  Json nodes = Json::array(), functions = Json::array();
  for (const ProfiledNode& node : profile.nodes) {
    nodes.push_back(Json::object({{"name", node.name},
                                  {"ops", node.ops},
                                  {"weights", node.weights},
                                  {"forward_us", node.forward_us},
                                  {"backward_us", node.backward_us}}));
  }
  for (const ProfiledFunction& f : profile.functions) {
    functions.push_back(Json::object({{"name", f.name}, {"us", f.us}, {"calls", f.calls}}));
  }
  return Json::object({{"name", config.name},
                       {"batch_size", config.train.batch_size},
                       {"device", profile.device},
                       {"step_us", profile.step_us},
                       {"loss_us", profile.loss_us},
                       {"gradients_us", profile.gradients_us},
                       {"optimizer_us", profile.optimizer_us},
                       {"rest_us", profile.rest_us()},
                       {"nodes", std::move(nodes)},
                       {"functions", std::move(functions)}});
}

}  // namespace

int profile_train(const CommandLine& line, const Config& config) {
  const StepProfile profile = profile_steps(config, rounds_of(line));
  if (line.json()) {
    print_json(to_json(profile, config));
    return kDone;
  }
  fmt::print("{}, batch {}, {}, mean of {} steps\n\n", config.name, config.train.batch_size,
             profile.device, rounds_of(line));
  print_kinds(profile);
  print_functions(profile);
  return kDone;
}

}  // namespace tbn::app
