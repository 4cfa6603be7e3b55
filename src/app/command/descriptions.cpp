// Asks each tool in a process of its own: this one links none of them.
#include "app/command/descriptions.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include "app/command/parts.h"
#include "app/support/tool_beside.h"
#include "file/json.h"
#include "tbn/error.h"

extern char** environ;

namespace tbn::app {
namespace {

// The ends of a pipe, closed at the end.
class Pipe {
 public:
  Pipe() {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) {
      throw SystemError(std::string("no pipe can be made: ") + std::strerror(errno));
    }
  }
  ~Pipe() {
    close_input();
    ::close(ends_[0]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  void close_input() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  int input() const { return ends_[1]; }
  std::string read_all() const {
    std::string text;
    std::array<char, 4096> piece{};
    for (;;) {
      const ssize_t got = ::read(ends_[0], piece.data(), piece.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return text;
      text.append(piece.data(), static_cast<std::size_t>(got));
    }
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

std::string described(const std::string& path) {
  Pipe pipe;
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, pipe.input(), STDOUT_FILENO);
  std::string program = path;
  std::string option = "--describe";
  std::array<char*, 3> arguments = {program.data(), option.data(), nullptr};
  pid_t process = 0;
  const int error =
      ::posix_spawn(&process, path.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    throw SystemError(fmt::format("'{}' cannot be started: {}", path, std::strerror(error)));
  }
  pipe.close_input();
  std::string text = pipe.read_all();
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw SystemError(fmt::format("'{} --describe' failed", path));
  }
  return text;
}

std::string member(const Json& json, std::string_view key) {
  const Json* found = json.find(key);
  return found == nullptr ? std::string() : found->as_string();
}

}  // namespace

std::vector<ToolText> describe_tools() {
  std::vector<ToolText> tools;
  for (const std::string& verb : tool_verbs()) {
    const std::string path = tool_beside("tbn-" + verb);
    std::error_code ignored;
    if (!std::filesystem::exists(path, ignored)) continue;
    const Json json = parse_json(described(path), path);
    ToolText tool{.verb = verb,
                  .tool = member(json, "tool"),
                  .summary = member(json, "summary"),
                  .usage = member(json, "usage"),
                  .options = {}};
    for (const Json& each : json.at("options").as_array()) {
      tool.options.push_back({.name = member(each, "name"),
                              .letter = member(each, "letter"),
                              .value = member(each, "value"),
                              .standard = member(each, "default"),
                              .help = member(each, "help"),
                              .alone = each.contains("alone")});
    }
    tools.push_back(std::move(tool));
  }
  return tools;
}

}  // namespace tbn::app
