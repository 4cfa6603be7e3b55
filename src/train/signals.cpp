// Handlers that only set a flag: everything else happens between two steps.
#include "train/signals.h"

#include <unistd.h>
#include <csignal>

namespace tbn {
namespace {

volatile std::sig_atomic_t received_signal = 0;
struct sigaction old_interrupt;
struct sigaction old_terminate;

extern "C" void on_stop_signal(int signal) {
  if (received_signal != 0) _exit(128 + signal);
  received_signal = signal;
}

}  // namespace

StopSignals::StopSignals() {
  received_signal = 0;
  struct sigaction action = {};
  action.sa_handler = on_stop_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;  // a read or write under way goes on
  sigaction(SIGINT, &action, &old_interrupt);
  sigaction(SIGTERM, &action, &old_terminate);
  // A limit on file sizes then is an error of the write, as a full disk is, and not the end.
  std::signal(SIGXFSZ, SIG_IGN);
}

StopSignals::~StopSignals() {
  sigaction(SIGINT, &old_interrupt, nullptr);
  sigaction(SIGTERM, &old_terminate, nullptr);
}

int StopSignals::received() { return received_signal; }

const char* signal_text(int signal) {
  return signal == SIGINT ? "SIGINT (Ctrl-C)" : signal == SIGTERM ? "SIGTERM" : "a signal";
}

}  // namespace tbn
