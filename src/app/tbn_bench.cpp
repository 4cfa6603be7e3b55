// tbn-bench: how long packed networks and layers take beside dense ones, how fast a configuration's
// data are read, and how long its training step takes. Each subject is a file in bench/.
#include <fmt/format.h>

#include "app/bench/subjects.h"
#include "app/support/cuda_options.h"
#include "app/support/exit_codes.h"
#include "app/support/options.h"
#include "config/load.h"
#include "config/problems.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

void declare_options(CommandLine& line) {
  line.value("config,c", "file", "the YAML configuration")
      .value("seconds", "n", "data: how long to read", "5")
      .value("rounds", "n", "timed rounds; slow contenders sit some out", "20")
      .value("threads", "n", "infer, layers: threads of the rival, and of ours for a batch", "1")
      .value("backend", "names", "infer, layers, .tbn: backends of ours, or all", "all")
      .value("batch", "n", "infer, .tbn on cuda: examples per run", "1")
      .value("device", "name", "infer, .tbn: cpu, cuda or cuda:N", "cpu")
      .value("precision", "name", "on cuda: fp32, fp16 or bf16", "bf16")
      .value("kernel", "name", "on cuda: which kernel multiplies layers, where it can")
      .flag("profile", "infer, train, .tbn: how long each part takes, in place of the comparison")
      .value("rows", "m,...", "layers: rows of a linear layer (1,16,512)")
      .value("size", "KxN,...", "layers: inputs and outputs of a linear layer (4096x4096)")
      .value("conv", "CxHxWxOkKsS,...", "layers: convolutions (those of ResNet-18 on CIFAR-10)")
      .value("p", "p,...", "layers: compression factors (1,4,8)");
}

// Which options each subject looks at.
void check_options(const CommandLine& line, const std::string& subject) {
  const bool on_cuda = asks_for_cuda(line);
  if (subject.ends_with(".tbn") && on_cuda) {
    line.expect_only("a .tbn file on cuda",
                     {"device", "precision", "kernel", "batch", "rounds", "json"});
  } else if (subject.ends_with(".tbn")) {
    line.expect_only("a .tbn file on the cpu", {"device", "backend", "rounds", "profile", "json"});
  } else if (subject == "layers") {
    line.expect_only("layers",
                     {"backend", "threads", "rounds", "rows", "size", "conv", "p", "json"});
  } else if (subject == "data") {
    line.expect_only("data", {"config", "seconds", "json", "settings"});
  } else if (subject == "train") {
    line.expect_only("train", {"config", "rounds", "profile", "json", "settings"});
  } else if (on_cuda) {
    line.expect_only("infer on cuda", {"config", "device", "precision", "kernel", "batch", "rounds",
                                       "json", "settings"});
  } else {
    line.expect_only("infer on the cpu", {"config", "device", "backend", "batch", "threads",
                                          "rounds", "profile", "json", "settings"});
  }
}

// What of a configuration is looked at.
ConfigUse use_of(const std::string& subject) {
  if (subject == "data") return kUseTimedReading;
  return subject == "train" ? kUseTimedStep : kUseTimedForward;
}

int run(int argc, char** argv) {
  CommandLine line("tbn-bench",
                   "times packed networks and layers beside dense ones in LibTorch, the reading of "
                   "data, or a training step",
                   "<file.tbn>, layers, or <infer|train|data> --config <file> [key=value...]");
  declare_options(line);
  if (!line.parse(argc, argv)) return kDone;
  const std::string subject = line.file("subject, a .tbn file, layers, infer, train or data");
  const bool is_file = subject.ends_with(".tbn");
  if (!is_file && subject != "layers" && subject != "data" && subject != "train" &&
      subject != "infer") {
    throw ConfigError(
        fmt::format("'{}' cannot be timed; a .tbn file, layers, infer, train and data can",
                    printable(subject)));
  }
  check_options(line, subject);
  if (is_file) return bench_model(line, subject);
  if (subject == "layers") return bench_layers(line);
  if (line.text("config").empty()) {
    throw ConfigError("which configuration? Give it as --config <file>");
  }
  const Config config = load_config(line.text("config"), line.settings(), use_of(subject));
  if (subject == "data") return bench_data(line, config);
  if (subject == "infer") return bench_infer(line, config);
  return line.has("profile") ? profile_train(line, config) : bench_train(line, config);
}

}  // namespace
}  // namespace tbn::app

int main(int argc, char** argv) {
  return tbn::run_tool("tbn-bench", [&] { return tbn::app::run(argc, argv); });
}
