// The zoo: families of networks, each one builder file in models/. A family declares its options
// with their types, ranges and defaults, so that YAML, command line and documentation check against
// one table. To add a network, add a file there and a line in models/registry.cpp.
//
//   ModelSpec spec{.type = "resnet18", .input = {3, 32, 32}};
//   spec.options["width"] = 0.25;
//   Graph graph = build_model(spec);
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "tbn/graph.h"
#include "tbn/layers.h"
#include "tbn/task.h"

namespace tbn {

using OptionValue =
    std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>, LayerList>;
using OptionMap = std::map<std::string, OptionValue>;

// One option of a family. The default's type is the option's type; `min` and `max` bound numbers
// (each number of a list), `choices` a string.
struct OptionSpec {
  std::string key;
  OptionValue value;  // the default
  double min = 0;
  double max = 0;
  std::vector<std::string> choices = {};
  std::string help = {};
};

struct ModelSpec {
  std::string type;
  OptionMap options = {};  // those that differ from the defaults
  Shape input = {};        // [C, H, W], points [N, F] or steps [T, C]
  TaskSpec task = {};
  // Statistics of the data set per channel in raw pixel units; empty: no normalisation node.
  std::vector<float> mean = {};
  std::vector<float> std = {};
};

// The options with the defaults filled in and checked.
class ModelOptions {
 public:
  ModelOptions(std::string_view family, const std::vector<OptionSpec>& specs,
               const OptionMap& given);
  std::int64_t integer(std::string_view key) const;
  double real(std::string_view key) const;
  bool flag(std::string_view key) const;
  const std::string& text(std::string_view key) const;
  const std::vector<std::int64_t>& list(std::string_view key) const;
  const LayerList& layers(std::string_view key) const;

 private:
  template <class T>
  const T& get(std::string_view key) const;
  std::map<std::string, OptionValue, std::less<>> values_;
};

struct ModelFamily {
  std::string name;     // "resnet18"
  std::string summary;  // one line
  std::vector<OptionSpec> options;
  // Adds the network to the builder that owns `x`; returns what the task asks for.
  Value (*build)(GraphBuilder& b, Value x, const ModelOptions& options, const TaskSpec& task);
  // What it does; build_model checks it. None: whatever its options make of it.
  std::optional<Task> task = Task::kClassification;
};

const std::vector<ModelFamily>& model_families();
// Throws ConfigError with the names there are (and the nearest) where there is none.
const ModelFamily& model_family(std::string_view name);

// Checks one value against its spec; returns what is wrong ("must be between 0.05 and 16, is 40")
// or "". An integer is taken for a real.
std::string check_option(const OptionSpec& spec, const OptionValue& value);

// Throws ConfigError for an unknown type or option and for shapes that do not fit. All weights are
// float; apply a WeightPolicy next.
Graph build_model(const ModelSpec& spec);

}  // namespace tbn
