// Reads the machine's description from /proc and uname.
#include "train/run/environment.h"

#include <sys/utsname.h>
#include <ctime>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <torch/torch.h>

#include "file/reader.h"
#include "tbn/error.h"

#include "base/utf8.h"

namespace tbn {
namespace {

std::string system_name() {
  utsname name = {};
  if (uname(&name) != 0) return "unknown";
  return fmt::format("{} {} {}", name.sysname, name.release, name.machine);
}

}  // namespace

std::string cpu_name() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (line.starts_with("model name") && colon != std::string::npos) {
      return line.substr(colon + 2);
    }
  }
  return "unknown";
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts = {};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Json environment_json(const std::vector<std::string>& command_line, const std::string& device,
                      std::int64_t seed) {
  Json json = Json::object();
  json["tbn"] = TBN_VERSION;
  json["libtorch"] = TORCH_VERSION;
  json["compiler"] = fmt::format("GCC {}", __VERSION__);
  json["system"] = system_name();
  json["cpu"] = cpu_name();
  json["cores"] = std::thread::hardware_concurrency();
  json["device"] = device;
  json["threads"] = at::get_num_threads();
  json["date"] = utc_now();
  Json command = Json::array();
  for (const std::string& argument : command_line) command.push_back(made_utf8(argument));
  json["command"] = std::move(command);
  json["seed"] = seed;
  return json;
}

std::string threads_note(const std::filesystem::path& environment, std::int64_t threads) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 20;
  try {
    Reader reader(environment, kMostBytes);
    const std::string text = reader.read_text(reader.remaining(), "the text");
    const std::int64_t before = parse_json(text, environment.string()).at("threads").as_int();
    if (before == threads) return "";
    return fmt::format(
        "train.deterministic: the run had train.threads={} so far and has {} now; from here on its "
        "bits are not those of a run without a break",
        before, threads);
  } catch (const Error&) {
    return "";  // what cannot be read was made by nobody who could be told
  }
}

}  // namespace tbn
