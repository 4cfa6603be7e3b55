// The handlers only store the signal's number; everything else happens between two steps.
#include "train/run/signals.h"

#include <unistd.h>
#include <array>
#include <atomic>
#include <csignal>

namespace tbn {
namespace {

struct Stop {
  int signal;
  const char* text;
};
constexpr std::array kStops = {Stop{SIGINT, "SIGINT (Ctrl-C)"}, Stop{SIGTERM, "SIGTERM"},
                               Stop{SIGHUP, "SIGHUP"}, Stop{SIGUSR1, "SIGUSR1"}};

// Any thread may be the one that is interrupted.
std::atomic<int> received_signal = 0;
std::atomic<bool> was_interrupted = false;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

std::array<struct sigaction, kStops.size()> old_actions;

extern "C" void on_stop_signal(int signal) {
  // Schedulers send several signals in a row; only impatience at the keyboard costs the last steps.
  if (signal == SIGINT && was_interrupted.exchange(true)) _exit(128 + signal);
  int none = 0;
  received_signal.compare_exchange_strong(none, signal);
}

}  // namespace

StopSignals::StopSignals() {
  received_signal = 0;
  was_interrupted = false;
  struct sigaction action = {};
  action.sa_handler = on_stop_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // a read or write under way goes on
  for (std::size_t i = 0; i < kStops.size(); ++i) {
    sigaction(kStops[i].signal, nullptr, &old_actions[i]);
    if (old_actions[i].sa_handler == SIG_IGN) continue;
    sigaction(kStops[i].signal, &action, nullptr);
  }
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
}

StopSignals::~StopSignals() {
  for (std::size_t i = 0; i < kStops.size(); ++i) {
    sigaction(kStops[i].signal, &old_actions[i], nullptr);
  }
}

int StopSignals::received() { return received_signal; }

const char* signal_text(int signal) {
  for (const Stop& stop : kStops) {
    if (stop.signal == signal) return stop.text;
  }
  return "a signal";
}

}  // namespace tbn
