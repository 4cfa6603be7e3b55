// Single layers: ours on every backend beside LibTorch in float and in int8, with weights and input
// in the caches and not.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "app/bench/backends.h"
#include "app/bench/contest.h"
#include "app/bench/machine.h"
#include "app/bench/packed_layer.h"
#include "app/bench/shapes.h"
#include "app/bench/subjects.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "tbn/model.h"
#include "train/bench/layer_bench.h"

namespace tbn::app {
namespace {

constexpr const char* kRows = "1,16,512";
constexpr const char* kSizes = "4096x4096";
constexpr const char* kFactors = "1,4,8";
constexpr const char* kConvs =  // ResNet-18's on CIFAR-10
    "64x32x32x64k3s1,128x16x16x128k3s1,256x8x8x256k3s1,512x4x4x512k3s1,256x8x8x512k3s2";

struct Options {
  std::vector<TimedBackend> backends;
  int threads = 1;
  int rounds = 1;
  double peak = 0;  // GMAC/s of all threads
};

struct LayerRow {
  std::string name;
  std::int64_t p = 1;
  bool cold = false;
  std::int64_t executed = 0;   // multiply-adds of ours
  std::int64_t effective = 0;  // of the dense layer
  Comparison times;
};

// Copies of it can be made, each with weights and an input of its own.
struct Copied {
  std::string name;
  std::int64_t bytes;  // a copy
  std::function<std::function<void()>()> copy;
  double max_error = 0;
};

// What the options ask for. One kind of layer named leaves the other out.
std::vector<Graph> parse_layers(const CommandLine& line, std::int64_t p) {
  const auto text = [&](const char* option, const char* standard) {
    return line.has(option) ? line.text(option) : std::string(standard);
  };
  const bool names_linears = line.has("size") || line.has("rows");
  const bool linears = names_linears || !line.has("conv");
  const bool convs = line.has("conv") || !names_linears;
  std::vector<Graph> layers;
  if (linears) {
    for (const std::string& size : split(text("size", kSizes), ',')) {
      for (const std::int64_t rows : parse_numbers("--rows", text("rows", kRows))) {
        layers.push_back(linear_layer(rows, size, p));
      }
    }
  }
  if (convs) {
    for (const std::string& shape : split(text("conv", kConvs), ',')) {
      layers.push_back(conv_layer(shape, p));
    }
  }
  return layers;
}

std::vector<Copied> our_side(const Graph& layer, const Options& options) {
  const PackedLayer first = random_layer(layer, 1);
  const std::vector<double> wanted = layer_answer(layer, first.weights(), first.input);
  const auto tile = static_cast<double>(summarize(layer).layers.front().tile_length);
  std::vector<Copied> ours;
  for (const TimedBackend& b : options.backends) {
    const double error =
        Runner(first.network, b.backend, options.threads, first.input).check(wanted, b.tolerance);
    const auto copy = [layer, b, threads = options.threads, seed = std::uint32_t{1}]() mutable {
      PackedLayer own = random_layer(layer, seed++);
      const auto runner = std::make_shared<Runner>(std::move(own.network), b.backend, threads,
                                                   std::move(own.input));
      return std::function<void()>([runner] { runner->run(); });
    };
    const auto input_bytes = static_cast<std::int64_t>(4 * first.input.size());
    ours.push_back({std::string(to_string(b.backend)),
                    static_cast<std::int64_t>(tile * b.bits_per_weight / 8) + input_bytes, copy,
                    error});
  }
  return ours;
}

// How many copies are beyond the last-level cache, or nothing where that would take too many.
std::optional<std::int64_t> cold_copies(std::int64_t bytes) {
  constexpr std::int64_t kMostCopies = 1024;
  constexpr std::int64_t kMostBytes = std::int64_t{1} << 29;  // of one contender
  const std::int64_t beyond = last_level_cache() * 3 / 2;
  const std::int64_t copies = beyond / bytes + 2;
  if (beyond == 0 || copies > kMostCopies || copies * bytes > kMostBytes) return {};
  return copies;
}

// A call of the next copy each time. All have run once: what a first run allocates is not timed.
// Copies of ours have activations and scratch memory of their own too, and so are the colder ones.
std::function<void()> rotation(const Copied& contender, std::int64_t copies) {
  std::vector<std::function<void()>> calls;
  for (std::int64_t i = 0; i < copies; ++i) {
    calls.push_back(contender.copy());
    calls.back()();
  }
  return [calls, next = std::size_t{0}]() mutable {
    calls[next]();
    next = (next + 1) % calls.size();
  };
}

// Ours beside each rival; of the cold state only those with copies enough.
void compare(const Graph& layer, const Options& options, bool cold, std::vector<Copied> ours,
             std::vector<Copied> rivals, std::vector<LayerRow>& rows) {
  const auto few = [&](const Copied& c) { return cold && !cold_copies(c.bytes); };
  std::erase_if(ours, few);
  std::erase_if(rivals, few);
  if (ours.empty() || rivals.empty()) return;
  std::vector<std::function<void()>> calls;
  for (const auto* side : {&ours, &rivals}) {
    for (const Copied& c : *side) {
      calls.push_back(rotation(c, cold ? cold_copies(c.bytes).value() : 1));
    }
  }
  const std::vector<Quartiles> times = time_in_turn(calls, options.rounds);
  const LayerSummary summary = summarize(layer).layers.front();
  for (std::size_t i = 0; i < ours.size(); ++i) {
    for (std::size_t r = 0; r < rivals.size(); ++r) {
      rows.push_back({layer.name,
                      summary.p,
                      cold,
                      summary.macs,
                      summary.dense_macs,
                      {.ours = ours[i].name,
                       .ours_us = times[i],
                       .rival = rivals[r].name,
                       .rival_us = times[ours.size() + r],
                       .max_error = ours[i].max_error}});
    }
  }
}

std::vector<LayerRow> time_layer(const Graph& layer, const Options& options) {
  const std::vector<Copied> ours = our_side(layer, options);
  std::vector<Copied> rivals;
  for (const LayerRival& rival : layer_rivals(layer, options.threads)) {
    rivals.push_back({rival.name, rival.bytes, rival.copy});
  }
  std::vector<LayerRow> rows;
  for (const bool cold : {false, true}) compare(layer, options, cold, ours, rivals, rows);
  return rows;
}

double gmacs(std::int64_t macs, double us) { return 1e-3 * static_cast<double>(macs) / us; }

Json to_json(const LayerRow& row, const Options& options) {
  const double ours_us = row.times.ours_us.median;
  Json json = to_json(row.times, Json::object({{"name", row.name},
                                               {"p", row.p},
                                               {"threads", options.threads},
                                               {"state", row.cold ? "cold" : "warm"}}));
  json.set("gmacs_executed", gmacs(row.executed, ours_us))
      .set("gmacs_effective", gmacs(row.effective, ours_us))
      .set("rival_gmacs", gmacs(row.effective, row.times.rival_us.median))
      .set("peak_gmacs", options.peak);
  return json;
}

void print_heading(const Options& options) {
  fmt::print("{}; {} float multiply-adds in registers reach {:.0f} GMAC/s\n\n",
             machine_line(options.threads), options.threads == 1 ? "its" : "their", options.peak);
  fmt::print(
      "| layer | p | state | ours | us | quartiles | GMAC/s executed | of peak | effective "
      "| error | rival | us | quartiles | of peak | ratio |\n");
  fmt::print("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n");
}

std::string share(double rate, double peak) {
  return peak > 0 ? fmt::format("{:.0f} %", 100 * rate / peak) : "-";
}

void print_row(const LayerRow& row, const Options& options) {
  const Comparison& t = row.times;
  const double executed = gmacs(row.executed, t.ours_us.median);
  fmt::print(
      "| {} | {} | {} | {} | {} | {} | {:.3g} | {} | {:.3g} | {:.1e} | {} | {} | {} | {} | "
      "{:.2f} |\n",
      row.name, row.p, row.cold ? "cold" : "warm", t.ours, microseconds(t.ours_us.median),
      microseconds(t.ours_us), executed, share(executed, options.peak),
      gmacs(row.effective, t.ours_us.median), t.max_error, t.rival, microseconds(t.rival_us.median),
      microseconds(t.rival_us), share(gmacs(row.effective, t.rival_us.median), options.peak),
      t.ratio());
}

}  // namespace

int bench_layers(const CommandLine& line) {
  Options options{parse_backends(line.text("backend")), threads_of(line), rounds_of(line)};
  std::vector<Graph> layers;
  for (const std::int64_t p :
       parse_numbers("--p", line.has("p") ? line.text("p") : std::string(kFactors))) {
    for (Graph& layer : parse_layers(line, p)) layers.push_back(std::move(layer));
  }
  options.peak = options.threads * peak_gmacs();
  Json list = Json::array();
  if (!line.json()) print_heading(options);
  for (const Graph& layer : layers) {
    for (const LayerRow& row : time_layer(layer, options)) {
      if (line.json()) {
        list.push_back(to_json(row, options));
      } else {
        print_row(row, options);
      }
    }
  }
  if (line.json()) print_json(list);
  return kDone;
}

}  // namespace tbn::app
