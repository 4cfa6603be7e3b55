// Loads, packs, and chooses what runs it.
#include "app/predict/network.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "app/support/cuda_options.h"
#include "app/support/limits.h"
#include "base/finite.h"
#include "base/nearest.h"
#include "base/text.h"
#include "data/registry.h"
#include "eval/micro.h"
#include "export/checkpoint_reader.h"
#include "export/packed_model.h"
#include "graph/passes/passes.h"
#include "graph/passes/units.h"
#include "predict/prediction.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

std::shared_ptr<const Network> load(const CommandLine& line, const std::filesystem::path& path,
                                    std::filesystem::path& found) {
  const bool is_state = std::filesystem::is_directory(path) || path.extension() == ".safetensors";
  if (!is_state) return Network::load(path, limits_of(line));
  TrainedModel trained = read_trained(path);
  found = trained.path;
  check_finite(trained.model.tensors, found.string(),
               "the training diverged; take an earlier checkpoint");
  return Network::from(pack_model(std::move(trained.model)), metadata_of(trained.rule),
                       found.string(), limits_of(line));
}

// Of a file that does not say its rule (format 1.0 and 1.1, --rule none), but which data set of
// images of one size it was trained on: those are made in one way, and their classes are known.
Rule rule_of(const Network& network) {
  Rule rule = network.rule();
  const auto trained_on = network.metadata().find("tbn.trained_on");
  if (rule.input || rule.output || trained_on == network.metadata().end()) return rule;
  const std::vector<std::string>& names = dataset_names();
  if (std::ranges::find(names, trained_on->second) == names.end()) return rule;
  const DatasetReader& reader = find_dataset(trained_on->second);
  if (reader.read == nullptr) return rule;
  SampleSpec spec = reader.describe({});
  const bool fits = spec.bytes && spec.input == network.input_shape() &&
                    Shape{spec.classes()} == network.output_shape();
  if (!fits) return rule;
  rule.input = InputRule{.kind = "image", .steps = {}};
  rule.output = OutputRule{.kind = "class", .classes = std::move(spec.class_names)};
  return rule;
}

// The place of --category among the kinds of object that the network knows.
std::int64_t category_of(const CommandLine& line, const Rule& rule) {
  const bool takes_one = rule.output && !rule.output->categories.empty();
  if (!takes_one) {
    if (!line.has("category")) return 0;
    throw ConfigError("--category: the network is told no kind of object");
  }
  std::vector<std::string> names;
  for (const LabelRange& each : rule.output->categories) names.push_back(each.name);
  if (!line.has("category")) {
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + in_quotes(name);
    throw ConfigError(
        "the network is told which kind of object a cloud is; give it as --category: " + list);
  }
  const std::string name = line.text("category");
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) {
    throw ConfigError("--category: the network knows no " + in_quotes(name) +
                      did_you_mean(nearest(name, names)));
  }
  return found - names.begin();
}

// Units from the network itself, or from the rule of one that takes standardised values.
std::optional<Units> units_of_network(const Network& network) {
  if (auto units = units_of(network.graph(), network.tensors())) return units;
  if (!network.rule().input) return {};
  for (const InputStep& step : network.rule().input->steps) {
    if (const auto* found = std::get_if<StandardiseStep>(&step)) {
      return Units{.mean = found->mean, .deviation = found->deviation};
    }
  }
  return {};
}

// The integers of exported C, an example after another.
PackedSession micro_session(const Network& network, const std::string& path) {
  const auto integers = std::make_shared<micro::IntegerNetwork>(micro_network(network, path));
  const auto in = static_cast<std::size_t>(element_count(network.input_shape()));
  const auto out = static_cast<std::size_t>(element_count(network.output_shape()));
  return [integers, in, out](std::span<const float> input, std::int64_t batch,
                             std::span<float> output) {
    std::vector<std::uint8_t> bytes(in);
    for (std::size_t i = 0; i < static_cast<std::size_t>(batch); ++i) {
      std::ranges::transform(input.subspan(i * in, in), bytes.begin(), [](float v) {
        return static_cast<std::uint8_t>(std::clamp(std::lround(v), 0L, 255L));
      });
      run_micro(*integers, bytes.data(), output.data() + i * out);
    }
  };
}

}  // namespace

PredictingNetwork open_network(const CommandLine& line, const std::filesystem::path& path) {
  check_session_options(line);
  PredictingNetwork opened{.path = path};
  const auto network = load(line, path, opened.path);
  opened.form = {.rule = rule_of(*network),
                 .input = network->input_shape(),
                 .output = network->output_shape(),
                 .units = units_of_network(*network)};
  opened.form.category = category_of(line, opened.form.rule);
  // What its outputs mean is said before any input is read.
  if (prediction_kind(opened.form) == PredictionKind::kForecast && line.has("top")) {
    throw ConfigError("--top: a forecast has no classes");
  }
  opened.run = asks_for_micro(line) ? micro_session(*network, opened.path.string())
                                    : open_session(line, network);
  return opened;
}

}  // namespace tbn::app
