// What there is: networks, data sets, configurations, ops and encodings.
#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/command/parts.h"
#include "app/support/exit_codes.h"
#include "app/support/json_out.h"
#include "base/nearest.h"
#include "base/shown.h"
#include "base/text.h"
#include "config/weight_keys.h"
#include "data/registry.h"
#include "file/atomic_write.h"
#include "graph/op_traits.h"
#include "tbn/error.h"
#include "tbn/models.h"

namespace tbn::app {
namespace {

namespace fs = std::filesystem;

// A name, and what there is to say of it.
using Entry = std::pair<std::string, std::string>;

std::vector<Entry> networks() {
  std::vector<Entry> entries;
  for (const ModelFamily& family : model_families())
    entries.emplace_back(family.name, family.summary);
  return entries;
}

// Where the files of a data set lie, as a configuration without data.root finds them.
std::string place_of(const DatasetReader& reader) {
  if (!reader.own.empty()) return "of your own: " + reader.own;
  if (reader.marker_files.empty()) return "made by tbn";
  try {
    return "in " + find_data_folder(reader, {}).string();
  } catch (const Error&) {
    return reader.package.empty() ? "not here" : "not here; Debian package " + reader.package;
  }
}

std::vector<Entry> datasets() {
  std::vector<Entry> entries;
  for (const std::string& name : dataset_names()) {
    entries.emplace_back(name, place_of(find_dataset(name)));
  }
  return entries;
}

// The first line of a configuration's opening comment.
std::string comment_of(const fs::path& path) {
  const std::string text = first_bytes(path, 4096);
  if (!text.starts_with("# ")) return "";
  const std::string line = text.substr(2, text.find('\n') - 2);
  const std::size_t stop = line.find(". ");
  return stop == std::string::npos ? line : line.substr(0, stop + 1);
}

std::vector<Entry> configs(const std::string& folder) {
  std::vector<fs::path> paths;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code ignored;
    const std::string extension = entry->path().extension().string();
    const bool is_yaml = extension == ".yaml" || extension == ".yml";
    if (is_yaml && entry->is_regular_file(ignored)) paths.push_back(entry->path());
  }
  if (error) {
    throw DataError(
        fmt::format("'{}': {}; name a folder of configurations", folder, error.message()));
  }
  std::ranges::sort(paths);
  std::vector<Entry> entries;
  entries.reserve(paths.size());
  for (const fs::path& path : paths) entries.emplace_back(path.string(), comment_of(path));
  return entries;
}

template <class OpT>
void add_op(std::vector<Entry>& entries) {
  std::string attributes;
  std::apply(
      [&](const auto&... fields) {
        ((attributes += (attributes.empty() ? "" : ", ") + std::string(fields.name)), ...);
      },
      kOpRow<OpT>.fields);
  entries.emplace_back(std::string(kOpRow<OpT>.traits.name), attributes);
}

template <class... Ops>
std::vector<Entry> entries_of(const std::variant<Ops...>*) {
  std::vector<Entry> entries;
  (add_op<Ops>(entries), ...);
  return entries;
}

std::vector<Entry> ops() { return entries_of(static_cast<const OpVariant*>(nullptr)); }

std::vector<Entry> encodings_and_settings() {
  std::vector<Entry> entries;
  for (const std::string& word : weight_words()) entries.emplace_back(word, "");
  for (const WeightKey& key : weight_keys())
    entries.emplace_back(std::string("  ") + key.key, key.help);
  return entries;
}

const std::vector<std::string> kKinds = {"networks", "datasets", "configs", "ops", "encodings"};

}  // namespace

int list_parts(const CommandLine& line, const std::vector<std::string>& arguments) {
  const std::string kind = arguments.empty() ? "" : arguments.front();
  const bool takes_folder = kind == "configs";
  if (arguments.size() > (takes_folder ? 2U : 1U)) {
    throw ConfigError("list " + kind + ": " + in_quotes(arguments.back()) + " is one too many");
  }
  std::vector<Entry> entries;
  if (kind == "networks") {
    entries = networks();
  } else if (kind == "datasets") {
    entries = datasets();
  } else if (kind == "configs") {
    entries = configs(arguments.size() > 1 ? arguments[1] : "configs");
  } else if (kind == "ops") {
    entries = ops();
  } else if (kind == "encodings") {
    entries = encodings_and_settings();
  } else {
    throw ConfigError((kind.empty() ? "list what?" : "list: there is no " + in_quotes(kind)) +
                      did_you_mean(nearest(kind, kKinds)) +
                      "; there are networks, datasets, configs, ops and encodings");
  }
  if (line.json()) {
    Json::Array all;
    for (const auto& [name, text] : entries) {
      const std::size_t first = name.find_first_not_of(' ');
      all.push_back(Json::object({{"name", name.substr(first)}, {"text", text}}));
    }
    print_json(Json::object({{kind, Json::array(std::move(all))}}));
    return kDone;
  }
  std::size_t width = 0;
  for (const auto& [name, text] : entries) width = std::max(width, name.size());
  for (const auto& [name, text] : entries) {
    std::string row = fmt::format("{:<{}}  {}", shown(name), width, shown(text));
    row.erase(row.find_last_not_of(' ') + 1);
    fmt::print("{}\n", row);
  }
  return kDone;
}

}  // namespace tbn::app
