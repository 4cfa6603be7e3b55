// Exports a network that was never trained, into memory.
#include "app/train/future_size.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/shape.h"
#include "base/text.h"
#include "config/data_options.h"
#include "data/registry.h"
#include "data/source/not_found.h"
#include "eval/measure.h"
#include "tbn/error.h"
#include "train/run/trainer_graph.h"

namespace tbn {
namespace {

constexpr std::int64_t kMostBytes = std::int64_t{1} << 30;  // of weights in training

// Statistics of pixels with as many digits as means usually have.
ChannelStatistics usual_statistics(const SampleSpec& samples) {
  const auto channels = static_cast<std::size_t>(samples.input.front());
  return {.mean = std::vector<double>(channels, 125.30691805),
          .deviation = std::vector<double>(channels, 62.99321928)};
}

// Never more than twice the limit.
std::int64_t bytes_in_training(const Graph& graph) {
  std::int64_t sum = 0;
  for (const Node& node : graph.nodes) {
    for (const TensorSpec& spec : training_tensors(graph, node)) {
      const auto bytes = checked_byte_count(spec.dtype, spec.shape);
      sum += std::min(bytes.value_or(kMostBytes + 1), kMostBytes + 1);
      if (sum > kMostBytes) return sum;
    }
  }
  return sum;
}

// As tbn-export writes it, but for the rule of inputs and outputs.
std::map<std::string, std::string> usual_metadata(const Config& config, Task task, bool validates) {
  const std::string figure = task == Task::kForecasting ? "0.38210937" : "91.23";
  std::map<std::string, std::string> metadata = {{"tbn.producer", "tbn-export"},
                                                 {"tbn.trained_on", config.data.name},
                                                 {"tbn." + measure_of(task), figure}};
  if (validates) metadata["tbn.val_" + measure_of(task)] = figure;
  return metadata;
}

// A forecaster's statistics move from its rule into its graph, as tbn-export has it.
std::optional<Units> take_units(Rule& rule) {
  if (!rule.input || rule.input->kind != "series") return std::nullopt;
  const auto& step = std::get<StandardiseStep>(rule.input->steps.front());
  Units units{.mean = step.mean, .deviation = step.deviation};
  rule.input->steps.clear();
  rule.input->units_in_graph = true;
  return units;
}

// For data that has not been read.
FutureFrame assumed_frame(const Config& config, const SampleSpec& samples) {
  FutureFrame frame;
  frame.metadata = usual_metadata(config, samples.task.task, config.data.validation > 0);
  if (samples.bytes && config.data.normalize) frame.statistics = usual_statistics(samples);
  return frame;
}

FutureFrame known_frame(const Config& config, const DataSplits& data) {
  FutureFrame frame;
  Rule rule = data.rule;
  frame.units = take_units(rule);
  frame.metadata =
      usual_metadata(config, data.train->spec().task.task, data.validation->size() > 0);
  frame.metadata.merge(metadata_of(rule));
  if (config.data.normalize) frame.statistics = data.statistics;
  return frame;
}

}  // namespace

FutureFrame future_frame(const Config& config, const SampleSpec& samples) {
  std::string reason;
  std::exception_ptr broken;
  try {
    return known_frame(config, load_data(data_options(config.data)));
  } catch (const DataNotFound& error) {
    reason = error.what();
  } catch (const Error& error) {
    reason = error.what();
    broken = std::current_exception();
  }
  FutureFrame frame = assumed_frame(config, samples);
  frame.without_rule = reason;
  frame.broken_data = broken;
  return frame;
}

std::string too_large_to_pack(const Graph& training_graph) {
  if (bytes_in_training(training_graph) <= kMostBytes) return "";
  return fmt::format(
      "its weights take more than {} bytes in training, which a dry run does not "
      "make; the file that tbn-export writes will say it",
      grouped(static_cast<std::uint64_t>(kMostBytes)));
}

FutureSize future_size(const Config& config, const SampleSpec& samples) {
  FutureSize size;
  size.unknown = too_large_to_pack(training_graph(config, samples));
  if (!size.unknown.empty()) return size;
  FutureFrame frame = future_frame(config, samples);
  size.without_rule = std::move(frame.without_rule);
  size.broken_data = frame.broken_data;
  try {
    const Graph graph =
        training_graph(config, samples, frame.statistics ? &*frame.statistics : nullptr);
    size.file = packed_size(future_file(graph, std::move(frame.metadata), frame.test_vectors,
                                        frame.units, scalar_type(config.exported)));
  } catch (const Error& error) {
    size.unknown = error.what();
  }
  return size;
}

std::string size_text(const PackedSize& size) {
  const auto count = [](std::int64_t bytes) { return grouped(static_cast<std::uint64_t>(bytes)); };
  std::string parts;
  const auto add = [&](std::int64_t bytes, const char* what) {
    if (bytes > 0) parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", count(bytes), what);
  };
  add(size.tiles, "of tiles");
  add(size.levels, "of integers");
  add(size.scalars, "of scalars");
  add(size.norms, "of norms and biases");
  add(size.floats, "of float weights");
  add(size.graph, "of the network as text");
  add(size.header, "of the rest of the header");
  add(size.test_vectors, "of a test vector");
  add(size.padding, "of padding");
  return count(size.file) + " bytes: " + parts;
}

Json size_json(const PackedSize& size) {
  return Json::object({{"bytes", size.file},
                       {"tiles", size.tiles},
                       {"levels", size.levels},
                       {"scalars", size.scalars},
                       {"norms", size.norms},
                       {"floats", size.floats},
                       {"graph", size.graph},
                       {"header", size.header},
                       {"test_vectors", size.test_vectors},
                       {"padding", size.padding}});
}

}  // namespace tbn
