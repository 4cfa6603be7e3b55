// tbn-eval: how well a run's checkpoint or a packed file predicts, and whether a packed file still
// gives the logits that it was exported with.
#include <algorithm>
#include <chrono>
#include <cstring>

#include <fmt/format.h>

#include "app/support/cuda_options.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "app/support/limits.h"
#include "app/support/network_data.h"
#include "app/support/options.h"
#include "app/support/packed_session.h"
#include "base/counted.h"
#include "base/finite.h"
#include "base/shown.h"
#include "base/text.h"
#include "config/data_options.h"
#include "config/load.h"
#include "data/registry.h"
#include "eval/fit.h"
#include "eval/micro.h"
#include "eval/packed.h"
#include "file/atomic_write.h"
#include "tbn/error.h"
#include "tbn/runtime.h"
#include "train/run/evaluate_checkpoint.h"
#include "train/run/trainer.h"
#include "train/run/trainer_graph.h"
#include "train/state/run_directory.h"

namespace tbn {
namespace {

struct Result {
  std::string kind;  // checkpoint | packed
  std::string path;
  std::string data;
  std::vector<std::string> overridden;  // settings, see NetworkData
  std::vector<std::string> notes;
  std::string input;  // how inputs were made, a line
  MetricSums sums;
  SkipReport skips;
  double seconds = 0;
};

Split split_of(const std::string& name) {
  for (const Split split : {Split::kTest, Split::kValidation, Split::kTrain}) {
    if (name == to_string(split)) return split;
  }
  throw ConfigError(fmt::format("--split: '{}' is not one of test, validation, train", name));
}

// Forecasts have no classes, which is said before any is made.
void expect_classes(const CommandLine& line, const SampleSpec& spec) {
  if (spec.task.task != Task::kForecasting) return;
  for (const char* option : {"predictions", "per-class", "match"}) {
    if (!line.has(option)) continue;
    throw ConfigError("--" + std::string(option) + ": a forecast has no classes");
  }
}

// The samples of --split, and what the user is told of them.
NetworkData open_data(const CommandLine& line, const NetworkOrigin& origin, Result& result) {
  NetworkData data = open_network_data(line, origin, split_of(line.text("split")));
  check_data_fits(origin.graph, data.samples->spec(), origin.path);
  expect_classes(line, data.samples->spec());
  print_notes(line, data.notes);
  result.data = data.config.name;
  result.overridden = data.overridden;
  result.notes = data.notes;
  result.input = data.input;
  return data;
}

Result evaluate_run(const CommandLine& line, const std::filesystem::path& path) {
  Result result{.kind = "checkpoint", .path = find_checkpoint(path).string()};
  const Checkpoint checkpoint = read_checkpoint(result.path);
  const NetworkData data = open_data(line,
                                     {.path = result.path,
                                      .config_yaml = checkpoint.config_yaml,
                                      .rule = checkpoint.rule,
                                      .graph = checkpoint.graph},
                                     result);
  if (precision_of(line) == Precision::kFp16) {
    throw ConfigError("--precision fp16 is for packed files; '" + result.path +
                      "' is a training state");
  }
  check_finite(checkpoint.weights(), result.path,
               "the training diverged; take an earlier checkpoint");
  result.sums = evaluate_checkpoint(checkpoint, *data.samples,
                                    {.device = line.text("device"),
                                     .bf16 = precision_of(line) == Precision::kBf16,
                                     .batch_size = line.number("batch-size", 1, 100000),
                                     .threads = threads_of(line),
                                     .loader_threads = static_cast<int>(data.config.threads)});
  result.skips = data.samples->skips();
  return result;
}

Result evaluate_file(const CommandLine& line, const std::filesystem::path& path) {
  Result result{.kind = "packed", .path = path.string()};
  check_session_options(line);
  const auto network = Network::load(path, limits_of(line));
  const NetworkData data = open_data(line,
                                     {.path = result.path,
                                      .rule = network->rule(),
                                      .graph = network->graph(),
                                      .metadata = network->metadata(),
                                      .units = units_of(network->graph(), network->tensors())},
                                     result);
  const std::int64_t batch_size = line.number("batch-size", 1, 100000);
  const int loaders = static_cast<int>(data.config.threads);
  result.sums = asks_for_micro(line)
                    ? evaluate_micro(micro_network(*network, result.path), *data.samples,
                                     session_threads(line), batch_size, loaders)
                    : evaluate_packed(*network, open_session(line, network), *data.samples,
                                      batch_size, loaders);
  result.skips = data.samples->skips();
  return result;
}

// Activations of 16 bits have 11 or 8 bits of their own, and round at every layer.
double verify_tolerance(const CommandLine& line) {
  switch (precision_of(line)) {
    case Precision::kFp32:
      return 1e-3;
    case Precision::kFp16:
      return 1e-2;
    case Precision::kBf16:
      return 5e-2;
  }
  TBN_CHECK(false, "not a precision");
}

int verify(const CommandLine& line, const std::filesystem::path& path) {
  const auto network = Network::load(path, limits_of(line));
  const VerifyResult result = [&] {
    const PackedSession run = open_session(line, network);
    try {
      return verify_packed(*network, run, verify_tolerance(line));
    } catch (const DataError& error) {
      throw DataError(path.string() + ": " + error.what());
    }
  }();
  if (line.json()) {
    Json json = Json::object();
    json["verify"] = Json::object({{"vectors", result.vectors},
                                   {"max_difference", result.largest_difference},
                                   {"tolerance", result.tolerance},
                                   {"ok", result.ok()}});
    print_json(json);
  }
  if (!result.ok()) {
    throw DataError(fmt::format(
        "'{}': its logits differ from the test vectors in the file by {:g}, more than {:g}; the "
        "runtime and the exporter do not agree on this network",
        path.string(), result.largest_difference, result.tolerance));
  }
  if (!line.json() && !line.quiet()) {
    fmt::print("{}: {}, largest difference {:.2g}\n", shown(path.string()),
               counted(result.vectors, "test vector agrees", "test vectors agree"),
               result.largest_difference);
  }
  return kDone;
}

// With every sample left out as unreadable there is no figure.
void expect_samples(const CommandLine& line, const Result& result) {
  if (result.sums.result().samples > 0) return;
  throw DataError(fmt::format("'{}': no sample of {} {} could be read: {}", result.path,
                              result.data, line.text("split"),
                              skip_text(result.skips, line.text("split"))));
}

// Whether classes are called otherwise than by their numbers.
bool has_names(const std::vector<std::string>& classes) {
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (!classes[i].empty() && classes[i] != std::to_string(i)) return true;
  }
  return false;
}

// "3", or "3<tab>cat" where classes have names.
void write_predictions(const std::string& path, const MetricSums& sums) {
  const std::vector<std::string>& names = sums.spec().class_names;
  const bool named = has_names(names);
  std::string text;
  for (const std::int32_t predicted : sums.predictions_by_place()) {
    text += std::to_string(predicted);
    const auto place = static_cast<std::size_t>(predicted);
    if (named && predicted >= 0 && place < names.size()) text += "\t" + shown(names[place]);
    text += '\n';
  }
  std::error_code ignored;  // where the folder cannot be made, the file's sentence says so
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  write_file_atomically(path, text);
}

// Whether a text begins as a file of predictions does: lines of a number, and a name behind a tab.
bool holds_predictions(const std::string& text) {
  bool in_name = false;
  for (const char c : text) {
    in_name = c != '\n' && (in_name || c == '\t');
    if (!in_name && std::strchr("-0123456789\n", c) == nullptr) return false;
  }
  return true;
}

// Classes are written over no model, and into no pipe or device.
void check_predictions(const CommandLine& line, const std::filesystem::path& model) {
  if (!line.has("predictions")) return;
  const std::filesystem::path to = line.text("predictions");
  std::error_code error;
  const bool special = to == "-" || !other_kind(to).empty();
  const bool same = std::filesystem::equivalent(to, model, error) && !error;
  const std::string before = first_bytes(to, 4096);
  if (!special && !holds_predictions(before)) {
    throw ConfigError(fmt::format(
        "--predictions: '{}' is there and holds no predictions, and is not written over; name "
        "another file",
        to.string()));
  }
  if (special || same || to.extension() == ".tbn" || to.extension() == ".safetensors") {
    throw ConfigError(
        fmt::format("--predictions: '{}' is {}; name a file of its own for the classes, such as "
                    "predictions.txt",
                    to.string(), special ? "no regular file" : "a model's file"));
  }
}

void print(const CommandLine& line, const Result& result) {
  const EvalMetrics metrics = result.sums.result();
  const std::string skipped = skip_text(result.skips, line.text("split"));
  if (!skipped.empty() && !line.quiet()) fmt::print(stderr, "note: {}\n", shown(skipped));
  if (line.json()) {
    Json json = Json::object();
    json["metrics"] = metrics_json(metrics);
    json["kind"] = result.kind;
    json["path"] = result.path;
    json["data"] = result.data;
    json["split"] = line.text("split");
    json["skipped"] = result.skips.skipped;
    json["overridden"] = result.overridden;
    json["notes"] = result.notes;
    json["input"] = result.input;
    json["seconds"] = result.seconds;
    print_json(json);
    return;
  }
  if (line.quiet()) {
    fmt::print("{}\n", metrics.headline());
    return;
  }
  fmt::print("{} {}: {} on the {} of {} {}\n", result.kind, shown(result.path), metrics.headline(),
             counted(metrics.samples, "sample"), result.data, line.text("split"));
  if (!result.input.empty()) fmt::print("{}\n", shown(result.input));
  if (line.has("per-class")) fmt::print("\n{}", metrics_table(metrics, metrics.classes.size()));
}

// Which options the way through the tool that was chosen looks at.
void check_options(const CommandLine& line, const std::filesystem::path& path, bool is_state) {
  const bool on_cuda = !is_state && asks_for_cuda(line);
  if (line.has("verify")) {
    if (is_state) {
      throw ConfigError("--verify replays the test vectors of a packed file (.tbn); '" +
                        path.string() + "' is a training state");
    }
    if (on_cuda) {
      line.expect_only("--verify on cuda", {"verify", "device", "precision", "kernel", "max-memory",
                                            "max-operations", "json", "quiet"});
    } else {
      line.expect_only("--verify on the cpu",
                       {"verify", "device", "precision", "backend", "threads", "max-memory",
                        "max-operations", "json", "quiet"});
    }
  } else if (is_state) {
    line.expect_only("a training state, which LibTorch runs",
                     {"split", "data", "root", "device", "precision", "threads", "batch-size",
                      "predictions", "per-class", "match", "json", "quiet", "settings"});
  } else if (on_cuda) {
    line.expect_only(
        "a packed file on cuda",
        {"split", "data", "root", "device", "precision", "kernel", "batch-size", "predictions",
         "per-class", "match", "max-memory", "max-operations", "json", "quiet", "settings"});
  } else {
    line.expect_only("a packed file on the cpu",
                     {"split", "data", "root", "device", "precision", "backend", "threads",
                      "batch-size", "predictions", "per-class", "match", "max-memory",
                      "max-operations", "json", "quiet", "settings"});
  }
  for (const char* shown : {"per-class", "quiet"}) {
    if (!line.json() || !line.has(shown)) continue;
    throw ConfigError("--" + std::string(shown) + " is about text, and --json prints none");
  }
  if (line.quiet() && line.has("per-class")) {
    throw ConfigError("--per-class prints a table, and --quiet one line; give one of them");
  }
}

int run_main(int argc, char** argv) {
  CommandLine line("tbn-eval", "evaluates a run, a checkpoint or a packed file on a data set",
                   "<run directory | checkpoint | file.tbn> [data.key=value...]");
  add_limit_options(line);
  add_session_options(line);
  line.value("split", "name", "test, validation or train", "test")
      .value("data", "name", "the data set (default: the one it was trained on)")
      .value("root", "folder", "where the data set's files are")
      .value("batch-size", "count", "samples at a time", "500")
      .value("predictions", "file",
             "write the predicted classes, a line each: its number, and its name where it has one; "
             "-1: "
             "cannot be read")
      .flag("per-class", "also print how each class does")
      .flag("verify", "replay the test vectors of a packed file; needs no data")
      .quiet_flag("print the figures alone; nothing with --verify, unless it fails");
  add_match_option(line);
  if (!line.parse(argc, argv)) return kDone;
  const std::filesystem::path path = line.file("run directory, checkpoint or .tbn file");
  const bool is_state = std::filesystem::is_directory(path) || path.extension() == ".safetensors";
  check_options(line, path, is_state);
  precision_of(line);
  split_of(line.text("split"));
  if (backend_of(line) == Backend::kInt8 && line.has("verify")) {
    throw ConfigError("--backend " + line.text("backend") +
                      " rounds, so that --verify has nothing to compare it with");
  }
  if (line.has("verify")) return verify(line, path);
  check_predictions(line, path);
  const auto start = std::chrono::steady_clock::now();
  Result result = is_state ? evaluate_run(line, path) : evaluate_file(line, path);
  expect_samples(line, result);
  result.sums.expect_finite(result.path);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (line.has("predictions")) write_predictions(line.text("predictions"), result.sums);
  print(line, result);
  return kDone;
}

}  // namespace
}  // namespace tbn

int main(int argc, char** argv) {
  return tbn::run_tool("tbn-eval", [&] { return tbn::run_main(argc, argv); });
}
