// One training at a time in a run directory, whatever happens to the one before.
#include "train/state/run_lock.h"

#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

namespace fs = std::filesystem;
using tbn::RunLock;
using tbn::test::message_of;
using tbn::test::says;

namespace {

template <int error>
int fails_with(int, int) {
  errno = error;
  return -1;
}

int interrupted_once(int descriptor, int operation) {
  static bool was_interrupted = false;
  if (was_interrupted) return ::flock(descriptor, operation);
  was_interrupted = true;
  errno = EINTR;
  return -1;
}

}  // namespace

TEST_CASE("a second training is refused with the process and the host of the first") {
  const tbn::test::TempDir folder;
  const RunLock first(folder.path());
  const std::string text = message_of<tbn::ConfigError>([&] { RunLock second(folder.path()); });
  CHECK(says(text, {"run directory '" + folder.path().string() + "' is in use by process " +
                        std::to_string(::getpid()) + " on host ",
                    "choose another with name=..."}));
  CHECK(first.note().empty());
}

TEST_CASE("the file goes with the lock, and so do folders that were made for it alone") {
  const tbn::test::TempDir folder;
  { const RunLock lock(folder / "runs/x"); }
  CHECK_FALSE(fs::exists(folder / "runs"));
  {
    const RunLock lock(folder / "runs/x");
    tbn::test::write_file(folder / "runs/x/config.yaml", "name: x");
  }
  CHECK(fs::exists(folder / "runs/x/config.yaml"));
  CHECK_FALSE(fs::exists(folder / "runs/x/lock"));
}

TEST_CASE("the lock of a process that died is free") {
  const tbn::test::TempDir folder;
  const pid_t child = ::fork();
  if (child == 0) {
    new RunLock(folder.path());
    ::_exit(0);  // as a kill: nothing is released by hand
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(fs::exists(folder / "lock"));
  const RunLock lock(folder.path());
  CHECK(tbn::test::read_file(folder / "lock").starts_with(std::to_string(::getpid()) + " "));
}

TEST_CASE("a lock is never held twice while owners come and go") {
  const tbn::test::TempDir folder;
  std::atomic<int> inside = 0;
  std::atomic<int> most = 0;
  std::atomic<int> owned = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int tries = 0; tries < 400; ++tries) {
        try {
          const RunLock lock(folder / "runs/x");
          const int now = ++inside;
          for (int old = most; old < now && !most.compare_exchange_weak(old, now);) {
          }
          ++owned;
          --inside;
        } catch (const tbn::ConfigError&) {  // NOLINT(bugprone-empty-catch): another has it
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(most == 1);
  CHECK(owned > 0);
  CHECK_FALSE(fs::exists(folder / "runs/x/lock"));
}

TEST_CASE("whoever waits gets the lock when its owner ends, and is told once whose it is") {
  const tbn::test::TempDir folder;
  std::optional<RunLock> first(std::in_place, folder.path());
  std::vector<std::string> told;
  std::thread owner([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    first.reset();
  });
  const RunLock second(folder.path(),
                       {.wait = std::chrono::seconds(30),
                        .waits = [&](const std::string& who) { told.push_back(who); }});
  owner.join();
  REQUIRE(told.size() == 1);
  CHECK(told[0].starts_with("process " + std::to_string(::getpid()) + " on host "));
}

TEST_CASE("waiting ends, and a lock without a signature has an owner all the same") {
  const tbn::test::TempDir folder;
  const RunLock first(folder.path());
  fs::resize_file(folder / "lock", 0);
  const std::string text = message_of<tbn::ConfigError>(
      [&] { RunLock second(folder.path(), {.wait = std::chrono::milliseconds(300)}); });
  CHECK(says(text, {"is in use by another process; "}));
}

TEST_CASE("a hostile signature does not reach the terminal") {
  const tbn::test::TempDir folder;
  const RunLock first(folder.path());
  tbn::test::write_file(folder / "lock", "12 a\x1b[2Jb\n");
  CHECK(says(message_of<tbn::ConfigError>([&] { RunLock second(folder.path()); }),
             {"process 12 on host a?[2Jb;"}));
}

TEST_CASE("a file system without locks costs a line and no training") {
  const tbn::test::TempDir folder;
  for (const auto lock :
       {fails_with<ENOLCK>, fails_with<ENOSYS>, fails_with<EOPNOTSUPP>, fails_with<EINVAL>}) {
    const RunLock unlocked(folder.path(), {.lock = lock});
    CHECK(says(unlocked.note(), {"is not locked: ", "let no other training write there"}));
  }
  CHECK(says(message_of<tbn::SystemError>(
                 [&] { RunLock failed(folder.path(), {.lock = fails_with<EIO>}); }),
             {"cannot prepare the run directory ", "Input/output error"}));
  CHECK(RunLock(folder.path(), {.lock = interrupted_once}).note().empty());
}

TEST_CASE("a file with another name in the place of the lock keeps what it holds") {
  const tbn::test::TempDir folder;
  tbn::test::write_file(folder / "thesis.tex", "years of work");
  fs::create_hard_link(folder / "thesis.tex", folder / "lock");
  CHECK(says(message_of<tbn::ConfigError>([&] { RunLock lock(folder.path()); }),
             {"is no lock of a training"}));
  CHECK(tbn::test::read_file(folder / "thesis.tex") == "years of work");
  CHECK(tbn::test::read_file(folder / "lock") == "years of work");
}

TEST_CASE("a link in the place of the lock is not followed") {
  const tbn::test::TempDir folder;
  tbn::test::write_file(folder / "thesis.tex", "years of work");
  fs::create_symlink(folder / "thesis.tex", folder / "lock");
  message_of<tbn::SystemError>([&] { RunLock lock(folder.path()); });
  CHECK(tbn::test::read_file(folder / "thesis.tex") == "years of work");
}

TEST_CASE("a lock whose file was removed or replaced by hand is not held any more") {
  const tbn::test::TempDir folder;
  const RunLock lock(folder.path());
  lock.expect_held("");
  const auto sentence = [&] {
    return message_of<tbn::SystemError>([&] { lock.expect_held("continue with --resume"); });
  };
  fs::rename(folder / "lock", folder / "away");
  CHECK(says(sentence(), {"/lock' was removed or replaced while this training ran", "--resume"}));
  tbn::test::write_file(folder / "lock", "1 elsewhere\n");
  CHECK_FALSE(lock.is_held());
  fs::remove(folder / "lock");
  {
    const RunLock second(folder.path());
    CHECK(second.is_held());
    CHECK_FALSE(lock.is_held());
  }
  fs::rename(folder / "away", folder / "lock");
  CHECK(lock.is_held());
}

TEST_CASE("who lost the lock leaves the file of the next owner alone") {
  const tbn::test::TempDir folder;
  auto first = std::make_optional<RunLock>(folder.path());
  fs::remove(folder / "lock");
  const RunLock second(folder.path());
  first.reset();
  CHECK(second.is_held());
}
