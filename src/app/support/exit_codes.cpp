// Maps exceptions to sentences and exit codes, for every tool alike.
#include "app/support/exit_codes.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <new>
#include <string_view>

#include "base/shown.h"
#include "config/problems.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// One line: names of files and what stands in them may be in the sentence.
void report(const std::string& name, std::string_view sentence) {
  std::fflush(stdout);
  std::fprintf(stderr, "%s: error: %s\n", name.c_str(), shown(sentence).c_str());
}

// A line a problem, each of which is fit to be shown.
void report(const std::string& name, const ConfigProblems& problems) {
  const std::string_view text = problems.what();
  const auto lines = 1 + std::count(text.begin(), text.end(), '\n');
  if (lines == 1) return report(name, text);
  std::fflush(stdout);
  std::fprintf(stderr, "%s: error: %d problems:\n%s\n", name.c_str(), static_cast<int>(lines),
               problems.what());
}

void open_standard_descriptors() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number is this one: those below are open by now.
    if (::open("/dev/null", O_RDWR) < 0) return;
  }
}

// The sentence of a library's exception without the stack that LibTorch appends.
std::string_view first_line(std::string_view message) {
  return message.substr(0, message.find('\n'));
}

int guarded(const std::string& name, const std::function<int()>& body) {
  try {
    return body();
  } catch (const ConfigProblems& problems) {
    report(name, problems);
    return kUsage;
  } catch (const ConfigError& error) {
    report(name, error.what());
    return kUsage;
  } catch (const DataError& error) {
    report(name, error.what());
    return kBadData;
  } catch (const NonFiniteError& error) {
    report(name, error.what());
    return kNonFinite;
  } catch (const Error& error) {
    report(name, error.what());
    return kRuntimeFailure;
  } catch (const std::bad_alloc&) {
    report(name, "out of memory; a smaller batch size or network needs less");
    return kRuntimeFailure;
  } catch (const std::exception& error) {
    report(name, first_line(error.what()));
    return kRuntimeFailure;
  }
}

}  // namespace

int run_tool(const std::string& name, const std::function<int()>& body) {
  open_standard_descriptors();
  std::signal(SIGXFSZ, SIG_IGN);  // a file beyond the limit of sizes is an error of its write
  const int code = guarded(name, body);
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (code == kDone && !written) {
    report(name, "the standard output cannot be written (is the disk full?)");
    return kRuntimeFailure;
  }
  return code;
}

}  // namespace tbn
