// posix_spawn, and signals handed on.
#include "app/runs/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fmt/format.h>

#include "tbn/error.h"

extern char** environ;

namespace tbn::app {
namespace {

volatile std::sig_atomic_t child_process = 0;

extern "C" void pass_on(int signal) {
  if (child_process > 0) ::kill(static_cast<pid_t>(child_process), signal);
}

// A terminal's stop (Ctrl-Z): the child stops with this process, and goes on with it.
extern "C" void stop_both(int) {
  if (child_process > 0) ::kill(static_cast<pid_t>(child_process), SIGSTOP);
  ::raise(SIGSTOP);
  if (child_process > 0) ::kill(static_cast<pid_t>(child_process), SIGCONT);
}

// Passes signals on to the child while it lives. Those that this process was started to ignore, as
// by nohup, stay ignored, in the child as well. Those that come before the child is known wait.
class PassedOn {
 public:
  PassedOn() {
    sigset_t held;
    ::sigemptyset(&held);
    for (std::size_t i = 0; i < kHandlers.size(); ++i) {
      ::sigaction(kHandlers[i].signal, nullptr, &before_[i]);
      ::sigaddset(&held, kHandlers[i].signal);
      if (before_[i].sa_handler == SIG_IGN) continue;
      struct sigaction action {};
      action.sa_handler = kHandlers[i].handler;
      ::sigaction(kHandlers[i].signal, &action, nullptr);
    }
    ::sigprocmask(SIG_BLOCK, &held, &mask_);
  }
  ~PassedOn() {
    child_process = 0;
    for (std::size_t i = 0; i < kHandlers.size(); ++i) {
      ::sigaction(kHandlers[i].signal, &before_[i], nullptr);
    }
    ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
  }
  PassedOn(const PassedOn&) = delete;
  PassedOn& operator=(const PassedOn&) = delete;

  // The mask that the child is to have.
  const sigset_t& mask() const { return mask_; }
  void begin(pid_t child) {
    child_process = child;
    ::sigprocmask(SIG_SETMASK, &mask_, nullptr);
  }

 private:
  struct Handler {
    int signal;
    void (*handler)(int);
  };
  static constexpr std::array<Handler, 6> kHandlers = {{{SIGINT, pass_on},
                                                        {SIGTERM, pass_on},
                                                        {SIGHUP, pass_on},
                                                        {SIGUSR1, pass_on},
                                                        {SIGQUIT, pass_on},
                                                        {SIGTSTP, stop_both}}};
  std::array<struct sigaction, kHandlers.size()> before_{};
  sigset_t mask_{};
};

}  // namespace

int run_child(const std::vector<std::string>& command, bool shows) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  for (const std::string& each : command) arguments.push_back(const_cast<char*>(each.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  if (!shows) {
    ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  }
  // In a group of its own a terminal's interrupt does not reach it beside the one that is passed
  // on: a second one would end it without saving.
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  PassedOn passed_on;
  ::posix_spawnattr_setsigmask(&attributes, &passed_on.mask());
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  pid_t process = 0;
  const int error = ::posix_spawn(&process, command.front().c_str(), &actions, &attributes,
                                  arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw SystemError(
        fmt::format("'{}' cannot be started: {}", command.front(), std::strerror(error)));
  }
  passed_on.begin(process);
  int status = 0;
  while (::waitpid(process, &status, 0) < 0) {
    if (errno != EINTR)
      throw SystemError(std::string("a training was lost: ") + std::strerror(errno));
  }
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace tbn::app
