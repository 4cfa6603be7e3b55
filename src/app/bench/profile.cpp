// Where the time of a network goes: every node, and what the nodes of one op and kernel take
// together.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/bench/backends.h"
#include "app/support/json_out.h"
#include "base/shown.h"
#include "tbn/model.h"

namespace tbn::app {
namespace {

struct Profiled {
  std::string name;  // a node's, or empty for all nodes of an op and kernel
  std::string op;
  std::string kernel;
  std::int64_t nodes = 1;
  double us = 0;          // of an example; of a node the median of the rounds
  std::int64_t macs = 0;  // multiply-adds, those that tiling saves not counted

  double gmacs() const { return us > 0 ? 1e-3 * static_cast<double>(macs) / us : 0; }
};

// Adds up what one round's nodes took.
class Stopwatch : public RunObserver {
 public:
  explicit Stopwatch(std::size_t nodes) : seconds_(nodes), kernels_(nodes) {}
  void ran(NodeId node, const char* kernel, double seconds) override {
    const auto i = static_cast<std::size_t>(node);
    seconds_[i] += seconds;
    if (kernels_[i].empty()) kernels_[i] = kernel;
  }
  std::vector<double> take() {
    return std::exchange(seconds_, std::vector<double>(kernels_.size()));
  }
  const std::string& kernel(std::size_t node) const { return kernels_[node]; }

 private:
  std::vector<double> seconds_;
  std::vector<std::string> kernels_;
};

std::int64_t attention_macs(const Attention& op, const Shape& output) {
  const std::int64_t keys = op.window == 0 ? output[0] : op.window * op.window;
  return 2 * output[0] * keys * output[1];
}

// The nodes that ran, in order.
std::vector<Profiled> profile_nodes(Runner& runner, const Graph& graph, std::int64_t batch,
                                    int rounds) {
  Stopwatch watch(graph.nodes.size());
  std::vector<std::vector<double>> us(graph.nodes.size());
  for (int round = 0; round < rounds; ++round) {
    runner.run(&watch);
    const std::vector<double> seconds = watch.take();
    for (std::size_t i = 0; i < us.size(); ++i) {
      us[i].push_back(1e6 * seconds[i] / static_cast<double>(batch));
    }
  }
  std::map<std::string, std::int64_t> macs;
  for (const LayerSummary& layer : summarize(graph).layers) macs[layer.name] = layer.macs;
  std::vector<Profiled> rows;
  rows.reserve(us.size());
  for (std::size_t i = 0; i < us.size(); ++i) {
    if (watch.kernel(i).empty()) continue;
    const Node& node = graph.nodes[i];
    Profiled row = {.name = node.name,
                    .op = std::string(op_name(node.op)),
                    .kernel = watch.kernel(i),
                    .us = quartiles(us[i]).median,
                    .macs = macs[node.name]};
    if (const auto* op = std::get_if<Attention>(&node.op))
      row.macs = attention_macs(*op, node.shape);
    rows.push_back(std::move(row));
  }
  return rows;
}

// The slowest first.
std::vector<Profiled> by_op(const std::vector<Profiled>& nodes) {
  std::map<std::pair<std::string, std::string>, Profiled> ops;
  for (const Profiled& node : nodes) {
    Profiled& op = ops.try_emplace({node.op, node.kernel}, Profiled{"", node.op, node.kernel, 0})
                       .first->second;
    ++op.nodes;
    op.us += node.us;
    op.macs += node.macs;
  }
  std::vector<Profiled> rows;
  rows.reserve(ops.size());
  for (const auto& entry : ops) rows.push_back(entry.second);
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.us > b.us; });
  return rows;
}

Json to_json(const std::vector<Profiled>& rows, double total) {
  Json list = Json::array();
  for (const Profiled& row : rows) {
    Json json = Json::object();
    if (!row.name.empty()) json.set("name", row.name);
    json.set("op", row.op).set("kernel", row.kernel);
    if (row.name.empty()) json.set("nodes", row.nodes);
    json.set("us", row.us).set("share", row.us / total).set("macs", row.macs);
    list.push_back(json.set("gmacs", row.gmacs()));
  }
  return list;
}

void print_rows(const std::vector<Profiled>& rows, const char* first, double total) {
  fmt::print("| {} | op | kernel | us | share | GMAC/s |\n|---|---|---|---|---|---|\n", first);
  for (const Profiled& row : rows) {
    fmt::print("| {} | {} | {} | {} | {:.1f} % | {} |\n",
               row.name.empty() ? std::to_string(row.nodes) : row.name, row.op, row.kernel,
               microseconds(row.us), 100 * row.us / total,
               row.macs > 0 ? fmt::format("{:.3g}", row.gmacs()) : "");
  }
  fmt::print("\n");
}

}  // namespace

void print_profiles(const CommandLine& line, const std::shared_ptr<const Network>& network,
                    const std::vector<TimedBackend>& backends, const Exam& exam,
                    const Json& about) {
  Json list = Json::array();
  if (!line.json()) fmt::print("{}\n", machine_line(exam.threads));
  for (const TimedBackend& b : backends) {
    Runner runner(network, b.backend, exam.threads, exam.input, exam.batch);
    runner.check(exam.wanted, b.tolerance);
    const std::vector<Profiled> nodes =
        profile_nodes(runner, network->graph(), exam.batch, rounds_of(line));
    double total = 0;
    for (const Profiled& node : nodes) total += node.us;
    const std::string name(to_string(b.backend));
    if (line.json()) {
      Json json = about;
      json.set("backend", name).set("us", total);
      list.push_back(
          json.set("ops", to_json(by_op(nodes), total)).set("nodes", to_json(nodes, total)));
      continue;
    }
    fmt::print("{}, {}: {} us per example\n\n", shown(network->graph().name), name,
               microseconds(total));
    print_rows(by_op(nodes), "nodes", total);
    print_rows(nodes, "node", total);
  }
  if (line.json()) print_json(list);
}

}  // namespace tbn::app
