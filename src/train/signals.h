// Ctrl-C and SIGTERM while training: the first asks the loop to stop after its step and save, the
// second ends the process at once.
#pragma once

namespace tbn {

// Catches SIGINT and SIGTERM while it lives. One at a time in a process.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();  // puts the old handlers back
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // The signal that asked for a stop, or 0.
  static int received();
};

// "SIGINT (Ctrl-C)"
const char* signal_text(int signal);

}  // namespace tbn
