// One training at a time in a run directory: a flock on its file `lock`, which holds the owner's
// process and host for messages. The system drops the lock of a process that ends, however it ends.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace tbn {

struct LockOptions {
  std::chrono::duration<double> wait{0};                     // for an owner to let go
  std::function<void(const std::string& owner)> waits = {};  // told once, before waiting
  std::string rename = "name=...";                           // how to choose another folder
  int (*lock)(int descriptor, int operation) = nullptr;      // null: flock(2)
};

class RunLock {
 public:
  // Makes the folder where it is missing. Throws ConfigError where another process holds the lock
  // ("run directory 'runs/x' is in use by process 12 on host a; ..."), and SystemError where the
  // folder or the file cannot be made.
  explicit RunLock(const std::filesystem::path& folder, const LockOptions& options = {});
  // Removes the file, and those of the folders it made that are still empty.
  ~RunLock();
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;

  static std::filesystem::path file_of(const std::filesystem::path& folder) {
    return folder / "lock";
  }

  // False where the file at its place is gone or another one: somebody removed it, and whoever came
  // since holds a lock of their own.
  bool is_held() const;
  // To be called before anything is written: throws SystemError where it is not held, which ends
  // with `way_on`, "continue with --resume".
  void expect_held(std::string_view way_on) const;

  // A sentence where the file system has no locks, so that nothing is locked; else empty.
  const std::string& note() const { return note_; }

 private:
  enum class Try { kLocked, kHeld, kAgain };

  bool make_folder();
  Try try_lock();
  bool is_the_one_at_its_place() const;
  std::string owner() const;
  void sign() const;
  void close();
  [[noreturn]] void fail(int error) const;

  std::filesystem::path folder_;
  std::filesystem::path file_;
  std::filesystem::path made_;  // the topmost folder that was made; empty: none
  std::string rename_;
  int (*lock_)(int, int);
  int descriptor_ = -1;
  std::string note_;
};

}  // namespace tbn
