/// @file
/// The zoo: families of networks, each one builder file in models/. A family declares its options
/// with their types, ranges and defaults, so that YAML, command line and documentation check
/// against one table. To add a network, add a file there and a line in models/registry.cpp.
///
///     ModelSpec spec{.type = "resnet18", .input = {3, 32, 32}};
///     spec.options["width"] = 0.25;
///     Graph graph = build_model(spec);
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

/// The value of an option of a family.
using OptionValue =
    std::variant<bool, std::int64_t, double, std::string, std::vector<std::int64_t>, LayerList>;
/// Options by their keys.
using OptionMap = std::map<std::string, OptionValue>;

/// One option of a family. The default's type is the option's type; `min` and `max` bound numbers
/// (each number of a list), `choices` a string.
struct OptionSpec {
  std::string key;                        ///< as in YAML, below `model:`
  OptionValue value;                      ///< the default
  double min = 0;                         ///< smallest number allowed
  double max = 0;                         ///< largest number allowed
  std::vector<std::string> choices = {};  ///< words allowed; empty: any text
  std::string help = {};                  ///< one line for configs/reference.yaml
};

/// Which network to build, for which inputs and which task.
struct ModelSpec {
  std::string type;              ///< name of a family
  OptionMap options = {};        ///< those that differ from the defaults
  Shape input = {};              ///< [C, H, W], points [N, F] or steps [T, C]
  TaskSpec task = {};            ///< what it is asked for
  std::vector<float> mean = {};  ///< per channel in raw units; empty: no normalisation node
  std::vector<float> std = {};   ///< standard deviations, as `mean`
};

/// The options of a family with the defaults filled in. Each accessor throws InternalError for a
/// key that the family does not declare with that type.
class ModelOptions {
 public:
  /// Checks `given` against `specs`. Throws ConfigError, naming `family`, for an unknown key and
  /// for a value that is not allowed.
  ModelOptions(std::string_view family, const std::vector<OptionSpec>& specs,
               const OptionMap& given);
  /// The value of a whole number.
  std::int64_t integer(std::string_view key) const;
  /// The value of a number.
  double real(std::string_view key) const;
  /// The value of a switch.
  bool flag(std::string_view key) const;
  /// The value of a text.
  const std::string& text(std::string_view key) const;
  /// The value of a list of whole numbers.
  const std::vector<std::int64_t>& list(std::string_view key) const;
  /// The value of a list of layers.
  const LayerList& layers(std::string_view key) const;

 private:
  template <class T>
  const T& get(std::string_view key) const;
  std::map<std::string, OptionValue, std::less<>> values_;
};

/// A family of networks: its options, and the function that builds one.
struct ModelFamily {
  std::string name;                 ///< "resnet18"
  std::string summary;              ///< one line
  std::vector<OptionSpec> options;  ///< every option with its default
  /// Adds the network to the builder `b`, whose input is `x`, and returns its output, of the shape
  /// that `task` asks for.
  Value (*build)(GraphBuilder& b, Value x, const ModelOptions& options, const TaskSpec& task);
  /// The task that it is for, which build_model() checks. None: its options decide.
  std::optional<Task> task = Task::kClassification;
};

/// Every family, in the order of models/registry.cpp.
const std::vector<ModelFamily>& model_families();
/// The family of that name. Throws ConfigError with all names, and the nearest one, where there is
/// none.
const ModelFamily& model_family(std::string_view name);

/// Checks one value against its spec. Returns what is wrong ("must be between 0.05 and 16, is 40")
/// or "". A whole number is accepted where a number is asked for.
std::string check_option(const OptionSpec& spec, const OptionValue& value);

/// Builds the network of a spec. Its weights are floats: apply_policy() gives them their encodings.
/// Throws ConfigError for an unknown type or option and for shapes that do not fit.
Graph build_model(const ModelSpec& spec);

}  // namespace tbn
