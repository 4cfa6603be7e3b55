// Sessions by their options.
#include "app/support/packed_session.h"

#include <algorithm>
#include <thread>

#include "app/support/cuda_options.h"
#include "micro/lower.h"
#include "micro/ranges.h"
#include "tbn/error.h"

namespace tbn {

void add_session_options(CommandLine& line) {
  line.value("device", "name", "auto, cpu, cuda or cuda:N; packed files run on the cpu by auto",
             "auto")
      .value("precision", "name", "fp32 or bf16; fp16 too for packed files on cuda", "fp32")
      .value("kernel", "name", "which kernel multiplies layers of packed files on cuda")
      .value("threads", "count", "CPU threads; 0: all cores", "0")
      .value("backend", "name", "exact, int8, reference or micro, for packed files", "exact");
}

bool asks_for_micro(const CommandLine& line) { return line.text("backend") == "micro"; }

Backend backend_of(const CommandLine& line) {
  if (asks_for_micro(line)) return Backend::kInt8;
  std::string names;
  for (const Backend backend : kBackends) {
    if (line.text("backend") == to_string(backend)) return backend;
    names += (names.empty() ? "" : ", ") + std::string(to_string(backend));
  }
  throw ConfigError("--backend: '" + line.text("backend") + "' is not one of " + names + ", micro");
}

std::int64_t threads_of(const CommandLine& line) { return line.number("threads", 0, 1024); }

int session_threads(const CommandLine& line) {
  const std::int64_t asked = threads_of(line);
  return static_cast<int>(asked > 0 ? asked : std::max(1u, std::thread::hardware_concurrency()));
}

void check_session_options(const CommandLine& line) {
  const bool on_cuda = asks_for_cuda(line);
  const auto refuse = [&](const char* option, const char* purpose) {
    if (!line.has(option)) return;
    throw ConfigError("--" + std::string(option) + " does nothing for " + purpose +
                      "; leave it out");
  };
  if (on_cuda) {
    refuse("backend", "a packed file on cuda");
    refuse("threads", "a packed file on cuda");
  } else {
    refuse("kernel", "a packed file on the cpu");
  }
  if (asks_for_micro(line)) refuse("precision", "--backend micro, which computes in integers");
}

PackedSession open_session(const CommandLine& line, const std::shared_ptr<const Network>& network) {
  const auto run_on = [](const auto& session) -> PackedSession {
    return [session](auto input, std::int64_t batch, auto output) {
      session->run(input, batch, output);
    };
  };
  if (asks_for_cuda(line)) {
    return run_on(std::make_shared<CudaSession>(network, cuda_options(line)));
  }
  if (line.text("precision") != "fp32") {
    throw ConfigError("--precision " + line.text("precision") +
                      " of packed files is for --device cuda; on the cpu they run in fp32");
  }
  return run_on(std::make_shared<Session>(
      network, SessionOptions{.backend = backend_of(line), .threads = session_threads(line)}));
}

micro::IntegerNetwork micro_network(const Network& network, const std::string& path) {
  const auto carried = network.metadata().find("tbn.calibration");
  if (carried == network.metadata().end()) {
    throw ConfigError(
        "'" + path +
        "' carries no ranges for --backend micro; export it again with --calibrate 512, a run or "
        "the file itself");
  }
  micro::Network lowered = micro::lower({network.graph(), network.tensors()});
  const auto ranges = micro::ranges_from_json(carried->second, lowered.sizes.size(), path);
  return micro::quantize(std::move(lowered), ranges);
}

}  // namespace tbn
