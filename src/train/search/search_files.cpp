// Begins the folder of a search, or finds it again.
#include "train/search/search_files.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

#include "base/shown.h"
#include "config/load.h"
#include "file/atomic_write.h"
#include "file/json.h"
#include "file/reader.h"
#include "tbn/error.h"
#include "train/run/trainer_resume.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

// What decides the pick besides the configuration.
Json settings_json(const SearchSpace& space, const SearchSettings& settings) {
  Json json = Json::object();
  json["method"] = settings.method == SearchMethod::kSupernet ? "supernet" : "sensitivity";
  json["epochs"] = settings.epochs;
  if (settings.method == SearchMethod::kSupernet) {
    json["near"] = settings.near;
    json["recalibrate"] = settings.recalibrate;
    json["population"] = settings.population;
    json["generations"] = settings.generations;
  }
  for (const Limit& limit : settings.budget) json[option_of(limit.kind)] = limit.most;
  json["p"] = settings.choices.factors;
  json["levels"] = settings.choices.bits;
  json["rows"] = settings.choices.least_rows;
  json["fix"] = settings.fixed;
  Json::Array layers;
  for (const SearchLayer& layer : space.layers) layers.emplace_back(layer.name);
  json["layers"] = Json::array(std::move(layers));
  return json;
}

// "epochs 8" of the first setting that differs.
std::string difference(const Json& now, const Json& then) {
  for (const auto& [key, value] : now.as_object()) {
    const Json* before = then.find(key);
    if (before != nullptr && *before == value) continue;
    return fmt::format("{} {}, and this one has {}", key,
                       before == nullptr ? "not given" : before->compact(), value.compact());
  }
  return "more settings than this one";
}

std::string read_text(const fs::path& path) {
  const std::string text = first_bytes(path, std::size_t{1} << 24);
  if (text.empty()) throw DataError(fmt::format("'{}': is empty or cannot be read", path.string()));
  return text;
}

}  // namespace

SearchFiles::SearchFiles(const Config& config, const SearchSpace& space,
                         const SearchSettings& settings, const SearchPlace& place)
    : folder_(place.folder),
      lock_(place.folder),
      printer_(place.console, {.is_terminal = is_terminal(place.console)}) {
  begin(config, space, settings, place.resumes);
  log_.reset(std::fopen((folder_ / "search.log").c_str(), "a"));
  if (!log_) {
    throw SystemError(fmt::format("'{}': cannot be written: {}", (folder_ / "search.log").string(),
                                  std::strerror(errno)));
  }
}

void SearchFiles::begin(const Config& config, const SearchSpace& space,
                        const SearchSettings& settings, bool resumes) {
  const fs::path path = folder_ / "search.json";
  const std::string kind = other_kind(path);
  if (!kind.empty()) throw ConfigError(fmt::format("'{}' {}", path.string(), kind));
  std::error_code error;
  const bool is_there = fs::exists(path, error);
  if (is_there && !resumes) {
    throw ConfigError(fmt::format(
        "'{}' holds a search already; continue it with --resume, or give -o another name",
        folder_.string()));
  }
  const Json own = settings_json(space, settings);
  if (!is_there) {
    if (resumes) {
      throw ConfigError(fmt::format("--resume: '{}' holds no search; begin one without --resume",
                                    folder_.string()));
    }
    const Json json = Json::object({{"search", own}, {"configuration", print_config(config)}});
    write_file_atomically(path, json.pretty());
    return;
  }
  const Json then = parse_json(read_text(path), path.string());
  if (then.at("search") != own) {
    throw ConfigError(fmt::format("--resume: the search in '{}' was begun with {}",
                                  folder_.string(), difference(own, then.at("search"))));
  }
  check_resumable(config, then.at("configuration").as_string(), path.string());
}

void SearchFiles::say(const std::string& text) {
  printer_.line(shown(text));
  std::fprintf(log_.get(), "%s\n", shown(text).c_str());
  std::fflush(log_.get());
}

}  // namespace tbn
