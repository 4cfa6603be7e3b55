// Signals while training. Those of a user, a terminal and a scheduler ask the loop to stop after
// its step, or its batch of an evaluation, and to save; a console that closes stops nothing.
#pragma once

namespace tbn {

// While it lives, SIGINT, SIGTERM, SIGHUP and SIGUSR1 (Slurm's warning) only leave their number;
// a second SIGINT ends the process at once. What the process was started to ignore (nohup, a job
// in the background) stays ignored. From its construction on, also afterwards, SIGPIPE and SIGXFSZ
// are ignored: a closed pipe, or a limit on file sizes, then is an error of the write. One at a
// time in a process.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();  // puts the old handlers back
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  // The first signal that asked for a stop, or 0.
  static int received();
};

// "SIGINT (Ctrl-C)"
const char* signal_text(int signal);

}  // namespace tbn
