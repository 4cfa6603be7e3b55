/// @file
/// Errors of the public interface. A user's mistake (a bad key, a damaged file) is a typed
/// exception whose what() is one sentence: what, where, the value, the limit, the way out. A
/// mistake of our own is an InternalError, raised by TBN_CHECK with its place in the source.
#pragma once

#include <stdexcept>
#include <string>

namespace tbn {

/// Base of everything tbn throws. The tools map the dynamic type to an exit code (docs/errors.md).
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A configuration, an option or a network that cannot be built as asked. Exit code 2.
class ConfigError : public Error {
 public:
  using Error::Error;
};

/// Input data or a model file that is missing, damaged, foreign or too new. Exit code 3.
class DataError : public Error {
 public:
  using Error::Error;
};

/// The machine failed us: full disk, no permission, no device, no memory. Exit code 1.
class SystemError : public Error {
 public:
  using Error::Error;
};

/// The loss or a weight became infinite or not a number. Exit code 4.
class NonFiniteError : public Error {
 public:
  using Error::Error;
};

/// A broken invariant of tbn itself. Exit code 1; please report it.
class InternalError : public Error {
 public:
  using Error::Error;
};

/// Throws the InternalError of a failed TBN_CHECK.
[[noreturn]] void fail_check(const char* condition, const char* file, int line,
                             const std::string& message);

}  // namespace tbn

/// Checks an invariant of our own code (never a user's input): throws InternalError.
#define TBN_CHECK(condition, message)                                               \
  do {                                                                              \
    if (!(condition)) ::tbn::fail_check(#condition, __FILE__, __LINE__, (message)); \
  } while (false)
