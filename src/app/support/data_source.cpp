// Settings for the readers, from what is known of a network.
#include "app/support/data_source.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "config/data_options.h"
#include "config/load.h"
#include "data/registry.h"
#include "tbn/error.h"

namespace tbn {

namespace {

// The data set that a packed file names.
std::string trained_on(const std::map<std::string, std::string>& metadata,
                       const std::filesystem::path& path) {
  const auto found = metadata.find("tbn.trained_on");
  if (found == metadata.end()) {
    throw ConfigError(
        fmt::format("'{}' does not say what it was trained on; give the data set as "
                    "--data <name>",
                    path.string()));
  }
  const std::vector<std::string>& names = dataset_names();
  if (std::find(names.begin(), names.end(), found->second) == names.end()) {
    throw ConfigError(
        fmt::format("'{}' was trained on {}, which this tbn does not know; give the "
                    "data set as --data <name>",
                    path.string(), in_quotes(found->second)));
  }
  return found->second;
}

// How samples must be read to be what a packed network of these shapes takes: the sizes that a
// configuration would have said. `data` is that configuration but for the sizes.
std::vector<std::string> sizes_of(const Graph& graph, const DataConfig& data) {
  const Shape& in = graph.input_shape();
  const Shape& out = graph.output_shape();
  if (in.size() == 3) return {fmt::format("data.image_size={}", in[2])};
  if (in.size() != 2) return {};
  if (describe_data(data_options(data)).task.task == Task::kForecasting) {
    return {fmt::format("data.series.window={}", in[0]),
            fmt::format("data.series.horizon={}", out[0])};
  }
  return {fmt::format("data.points.count={}", in[0])};
}

// What the command line says, after `first`.
std::vector<std::string> settings_of(const CommandLine& line, std::vector<std::string> first = {}) {
  for (const std::string& setting : line.settings()) first.push_back(setting);
  if (line.has("data")) first.push_back("data.name=" + line.text("data"));
  if (line.has("root")) first.push_back("data.root=" + line.text("root"));
  return first;
}

}  // namespace

DataConfig data_config(const CommandLine& line, const std::string& yaml,
                       const std::string& source) {
  return parse_recorded_config(yaml, source, settings_of(line)).data;
}

DataConfig packed_data_config(const CommandLine& line, const Graph& graph,
                              const std::map<std::string, std::string>& metadata,
                              const std::filesystem::path& path) {
  // Nothing of the file's text is read as YAML but a name that is known.
  const std::string name = line.has("data") ? line.text("data") : trained_on(metadata, path);
  const std::string yaml = "data: {name: " + find_dataset(name).name + "}";
  const std::string source = path.string();
  const DataConfig sizeless = parse_config(yaml, source, settings_of(line)).data;
  return parse_config(yaml, source, settings_of(line, sizes_of(graph, sizeless))).data;
}

}  // namespace tbn
