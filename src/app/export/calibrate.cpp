// Runs the network in float over training images, the same share of each class.
#include "app/export/calibrate.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/data_options.h"
#include "data/loader.h"
#include "data/registry.h"
#include "data/source/sampling.h"
#include "eval/fit.h"
#include "micro/integer.h"
#include "micro/lower.h"
#include "micro/ranges.h"
#include "tbn/error.h"

namespace tbn::app {

namespace {

constexpr std::int64_t kImages = 512;
constexpr std::int64_t kMostImages = 1000000;

// Nobody asked for data here.
std::string without_data(const ExportSource& source, const Error& error) {
  return fmt::format(
      "int8 needs the ranges of the network's values, '{}' carries none, and they cannot be made "
      "of "
      "{} training images: {}; name the data's folder with --root, use a .tbn file that was "
      "exported with --calibrate, or export --form f32",
      source.path.string(), kImages, error.what());
}

}  // namespace

micro::Ranges calibrate(const CommandLine& line, const ExportSource& source,
                        const micro::Network& network, std::int64_t images) {
  const NetworkData found =
      open_network_data(line, origin_of(source), Split::kTrain, SampleUse::kCalibration);
  print_notes(line, found.notes);
  const DataConfig& config = found.config;
  DataOptions options = data_options(config);
  auto data = found.samples;
  check_data_fits(source.packed.graph, data->spec(), source.path.string());
  if (!data->spec().bytes) {
    throw ConfigError("calibration needs images of bytes, and '" + config.name +
                      "' has floats; export --form f32");
  }
  // The first images of a folder are all of one class, also where the run's own limit was by place.
  options.limits = LimitRule::kClass;
  data = limited(data, images, Split::kTrain, options);
  BatchLoader loader(*data, {.batch_size = 64});
  loader.start_epoch(0);
  micro::Ranges ranges;
  for (Batch batch; loader.next(batch);) {
    for (std::int64_t i = 0; i < batch.size; ++i) {
      const auto bytes =
          micro::channels_last(network.input, batch.bytes.data() + i * network.input.size());
      const std::vector<float> values(bytes.begin(), bytes.end());
      micro::observe_ranges(network, values, ranges);
    }
  }
  return ranges;
}

micro::Ranges ranges_of(const CommandLine& line, const ExportSource& source,
                        const micro::Network& network) {
  micro::check_quantizable(network);  // whatever the ranges, and before any data are read
  const auto carried = source.file.metadata.find("tbn.calibration");
  if (line.has("calibrate")) {
    return calibrate(line, source, network, line.number("calibrate", 1, kMostImages));
  }
  if (carried == source.file.metadata.end()) {
    try {
      return calibrate(line, source, network, kImages);
    } catch (const DataError& error) {
      throw DataError(without_data(source, error));
    } catch (const ConfigError& error) {
      throw ConfigError(without_data(source, error));
    }
  }
  if (line.has("data") || line.has("root") || !line.settings().empty()) {
    throw ConfigError("'" + source.path.string() +
                      "' carries ranges already, so that no data are read; give --calibrate to "
                      "make new ones, or leave the data out");
  }
  return micro::ranges_from_json(carried->second, network.sizes.size(), source.path.string());
}

}  // namespace tbn::app
