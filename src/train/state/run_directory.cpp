// What lies in a run directory, and how it is made ready.
#include "train/state/run_directory.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "file/atomic_write.h"
#include "file/nearby.h"
#include "file/reader.h"
#include "tbn/error.h"
#include "train/state/run_lock.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxSummaryBytes = std::uint64_t{256} << 20;

// The names in a folder; none where it is absent.
std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error && error != std::errc::no_such_file_or_directory &&
      error != std::errc::not_a_directory) {
    throw SystemError(
        fmt::format("cannot look into '{}': {}; change its permissions, or choose "
                    "another place with output=...",
                    folder.string(), error.message()));
  }
  return names;
}

// The process that wrote "<name>.tmp.<process>" of a file of ours (atomic_write.h); 0: it is none.
pid_t writer_of(const std::string& name) {
  constexpr std::array kOurs = {"config.yaml",
                                "environment.json",
                                "metrics.csv",
                                "summary.json",
                                "last.safetensors",
                                "best.safetensors",
                                "teacher_outputs.safetensors"};
  constexpr std::string_view kAside = ".tmp.";
  const std::size_t at = name.rfind(kAside);
  if (at == std::string::npos) return 0;
  if (std::find(kOurs.begin(), kOurs.end(), name.substr(0, at)) == kOurs.end()) return 0;
  pid_t process = 0;
  const char* const end = name.data() + name.size();
  const auto read = std::from_chars(name.data() + at + kAside.size(), end, process);
  return read.ec == std::errc() && read.ptr == end && process > 0 ? process : 0;
}

// NFS keeps a file under such a name while a process has it open.
bool is_leftover(const std::string& name) {
  return writer_of(name) != 0 || name.starts_with(".nfs");
}

bool is_gone(pid_t process) {
  return process == ::getpid() || (::kill(process, 0) != 0 && errno == ESRCH);
}

std::string test_text(const Json& summary) {
  const Json* test = summary.find("test");
  if (test == nullptr) return "no test result";
  if (const Json* mse = test->find("mse")) return fmt::format("test MSE {:.4f}", mse->as_double());
  if (const Json* top1 = test->find("top1")) {
    return fmt::format("test accuracy {:.2f} %", top1->as_double());
  }
  return fmt::format("test mIoU {:.2f} %", test->at("miou").as_double());
}

// Nothing where the run is not complete or its summary cannot be used: then the run is judged by
// its checkpoints, and the summary is written again.
std::optional<RunResult> read_result(const fs::path& path) {
  try {
    Reader reader(path, kMaxSummaryBytes);
    Json json = parse_json(reader.read_text(reader.size(), "the summary"), path.string());
    const Json* complete = json.find("complete");
    if (complete == nullptr || !complete->as_bool()) return std::nullopt;
    constexpr std::int64_t kMost = std::int64_t{1} << 53;
    RunResult result{.epochs = json.at("epochs").as_int(0, kMost),
                     .steps = json.at("steps").as_int(0, kMost),
                     .test = test_text(json)};
    result.summary = std::move(json);
    return result;
  } catch (const DataError&) {
    return std::nullopt;
  }
}

// Finds out whether a checkpoint can be written, without touching what is there.
void try_writing(const fs::path& path) { const AtomicFile file(path); }

[[noreturn]] void refuse_kind(const fs::path& path, const std::string& kind) {
  throw ConfigError(
      fmt::format("'{}' {}, where a run has something else; move it away, or choose another run "
                  "directory with name=...",
                  path.string(), kind));
}

}  // namespace

void RunDirectory::check_kinds() const {
  const fs::path lock = RunLock::file_of(folder_);
  for (const fs::path& file : {lock, config(), environment(), metrics(), log(), summary(),
                               teacher_cache(), last(), best()}) {
    const std::string kind = other_kind(file);
    if (!kind.empty()) refuse_kind(file, kind);
  }
  std::error_code error;
  if (fs::is_symlink(lock, error)) refuse_kind(lock, "is a symbolic link");
  for (const fs::path& folder : {checkpoints(), events(), incoming().folder()}) {
    if (!fs::exists(folder, error) || fs::is_directory(folder, error)) continue;
    const std::string kind = other_kind(folder);
    refuse_kind(folder, kind.empty() ? "is a file" : kind);
  }
}

RunContents RunDirectory::look() const {
  std::error_code error;
  if (!fs::is_directory(folder_, error) && fs::exists(fs::symlink_status(folder_, error))) {
    const std::string kind = other_kind(folder_);
    throw ConfigError(fmt::format("run directory '{}' {}; choose another with name=...",
                                  folder_.string(), kind.empty() ? "is a file" : kind));
  }
  check_kinds();
  RunContents contents;
  bool has_config = false;
  bool has_last = false;
  bool has_others = false;
  bool has_summary = false;
  for (const std::string& name : names_in(folder_)) {
    contents.has_lock |= name == RunLock::file_of(folder_).filename();
    has_config |= name == config().filename();
    has_summary |= name == summary().filename();
    const bool is_ours = name == RunLock::file_of(folder_).filename() ||
                         name == config().filename() || name == checkpoints().filename() ||
                         name == incoming().folder().filename();
    has_others |= !is_ours && !is_leftover(name);
  }
  for (const std::string& name : names_in(checkpoints())) {
    has_last |= name == last().filename();
    contents.has_best |= name == best().filename();
    has_others |= !is_leftover(name);
  }
  contents.state = has_last            ? RunState::kLast
                   : contents.has_best ? RunState::kBest
                   : has_config        ? RunState::kUnsaved
                   : has_others        ? RunState::kForeign
                                       : RunState::kNothing;
  if (has_summary) contents.result = read_result(summary());
  return contents;
}

void RunDirectory::prepare() const {
  try {
    fs::create_directories(checkpoints());
  } catch (const fs::filesystem_error& error) {
    throw SystemError(
        fmt::format("cannot prepare the run directory '{}': {}; choose another place "
                    "with output=...",
                    folder_.string(), error.code().message()));
  }
  for (const fs::path& path : {config(), environment(), last(), best(), summary()}) {
    try_writing(path);
  }
}

void RunDirectory::give_way(const fs::path& written) const {
  const RunDirectory next = incoming();
  try {
    fs::remove(summary());
    for (const fs::path& checkpoint : {last(), best()}) {
      if (checkpoint != written) fs::remove(checkpoint);
    }
    const std::pair<fs::path, fs::path> reports[] = {{next.log(), log()},
                                                     {next.metrics(), metrics()},
                                                     {next.events(), events()},
                                                     {next.teacher_cache(), teacher_cache()}};
    for (const auto& [from, to] : reports) {
      fs::remove_all(to);
      if (fs::exists(from)) fs::rename(from, to);
    }
    fs::remove(next.folder());
  } catch (const fs::filesystem_error& error) {
    throw SystemError(fmt::format(
        "cannot replace the run in '{}': '{}': {}; change its permissions, or choose another run "
        "with name=...",
        folder_.string(), error.path1().string(), error.code().message()));
  }
}

void RunDirectory::sweep() const {
  for (const fs::path& folder : {folder_, checkpoints()}) {
    for (const std::string& name : names_in(folder)) {
      const pid_t writer = writer_of(name);
      std::error_code ignored;
      if (writer != 0 && is_gone(writer)) fs::remove(folder / name, ignored);
    }
  }
  const RunDirectory next = incoming();
  std::error_code ignored;
  for (const fs::path& report : {next.log(), next.metrics(), next.events(), next.teacher_cache()}) {
    fs::remove_all(report, ignored);
  }
  fs::remove(next.folder(), ignored);
}

bool RunDirectory::has_checkpoint() const { return has_file(last()); }

fs::path find_checkpoint(const fs::path& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return path;
  const RunDirectory run(path);
  for (const fs::path& file : {run.best(), run.last()}) {
    // Not passed over in silence for the other one.
    const std::string kind = other_kind(file);
    if (!kind.empty()) {
      throw DataError(fmt::format(
          "'{}' {}, where a run has a checkpoint; move it away, or name the checkpoint itself",
          file.string(), kind));
    }
    if (has_file(file)) return file;
  }
  throw DataError(
      fmt::format("'{}' has no checkpoints/best.safetensors or "
                  "checkpoints/last.safetensors; is it a run directory of tbn-train?",
                  path.string()));
}

fs::path find_checkpoint_of(const std::string& key, const fs::path& path) {
  if (is_missing(path)) {
    throw DataError(fmt::format("{}: there is no '{}'{}", key, path.string(), nearby(path)));
  }
  try {
    return find_checkpoint(path);
  } catch (const DataError& found) {
    throw DataError(fmt::format("{}: {}", key, found.what()));
  }
}

}  // namespace tbn
