// Begins the folder of a search, or finds it again.
#include "train/search/search_files.h"

#include <cerrno>
#include <cstring>
#include <system_error>

#include <fmt/format.h>

#include "base/shown.h"
#include "base/text.h"
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

// What search.json says.
struct Record {
  Json settings;
  std::string configuration;
  Json from;  // null in those of an earlier tbn
};

Record read_record(const fs::path& path) {
  const std::string where = in_quotes(path.string());
  const std::string text = first_bytes(path, std::size_t{1} << 24);
  if (text.empty()) throw DataError(where + ": is empty or cannot be read");
  const Json json = parse_json(text, where);
  try {
    const Json& settings = json.at("search");
    settings.as_object();  // so that settings can be compared one by one
    const Json* from = json.find("from");
    return {settings, json.at("configuration").as_string(), from == nullptr ? Json() : *from};
  } catch (const DataError& error) {
    throw DataError(fmt::format("{}: {}", where, error.what()));
  }
}

}  // namespace

SearchFiles::SearchFiles(const Config& config, const SearchSpace& space,
                         const SearchSettings& settings, const SearchPlace& place)
    : folder_(place.folder),
      lock_(place.folder, {.rename = "-o"}),
      printer_(place.console, {.is_terminal = is_terminal(place.console)}) {
  Json own = settings_json(space, settings);
  check(config, own, place.resumes);
  began_ = Json::object({{"search", std::move(own)}, {"configuration", print_config(config)}});
}

// What was measured on other data, or with another teacher, is of another search. An earlier tbn
// did not record them.
void SearchFiles::check_same(const Json& from) const {
  const Json then = read_record(record()).from;
  for (const auto& [key, value] : from.as_object()) {
    const Json* before = then.find(key);
    if (then.is_null() || (before != nullptr && *before == value)) continue;
    throw DataError(fmt::format(
        "--resume: the search in '{}' was begun with another {}; bring that back, or begin another "
        "search with another -o",
        folder_.string(), key));
  }
}

// Throws what run_search() does of the folder.
void SearchFiles::check(const Config& config, const Json& settings, bool resumes) const {
  std::error_code error;
  for (const fs::path& file : {record(), trials(), supernet(), folder_ / "search.log"}) {
    const std::string kind = fs::is_directory(file, error) ? "is a folder" : other_kind(file);
    if (kind.empty()) continue;
    throw ConfigError(
        fmt::format("'{}' {}, where a search has a file; move it away, or give -o another name",
                    file.string(), kind));
  }
  const bool is_there = fs::exists(record(), error);
  if (is_there && !resumes) {
    throw ConfigError(fmt::format(
        "'{}' holds a search already; continue it with --resume, or give -o another name",
        folder_.string()));
  }
  if (!is_there && resumes) {
    throw ConfigError(fmt::format("--resume: '{}' holds no search; begin one without --resume",
                                  folder_.string()));
  }
  if (!is_there) return;
  const Record then = read_record(record());
  if (then.settings != settings) {
    throw ConfigError(fmt::format("--resume: the search in '{}' was begun with {}",
                                  folder_.string(), difference(settings, then.settings)));
  }
  check_resumable(config, then.configuration, record().string(), "-o");
}

void SearchFiles::begin(const Json& from) {
  std::error_code error;
  if (fs::exists(record(), error)) {
    check_same(from);
  } else {
    began_["from"] = from;
    write_file_atomically(record(), began_.pretty());
  }
  log_.reset(std::fopen((folder_ / "search.log").c_str(), "a"));
  if (!log_) {
    throw SystemError(fmt::format("'{}': cannot be written: {}", (folder_ / "search.log").string(),
                                  std::strerror(errno)));
  }
  if (!lock_.note().empty()) say(lock_.note());
}

void SearchFiles::say(const std::string& text) {
  printer_.line(shown(text));
  std::fprintf(log_.get(), "%s\n", shown(text).c_str());
  std::fflush(log_.get());
}

}  // namespace tbn
