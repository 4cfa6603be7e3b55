// Compares shapes.
#include "eval/fit.h"

#include <fmt/format.h>

#include "base/counted.h"
#include "tbn/error.h"

namespace tbn {

void check_data_fits(const Graph& graph, const SampleSpec& spec, const std::string& where) {
  if (graph.input_shape() != spec.input) {
    throw ConfigError(
        fmt::format("{}: the network takes {}, and the samples are {}; name the data set that it "
                    "was trained on",
                    where, to_string(graph.input_shape()), to_string(spec.input)));
  }
  const Shape& output = graph.output_shape();
  const Shape& wanted = spec.task.output;
  if (output == wanted) return;
  if (spec.task.task == Task::kClassification && output.size() == 1) {
    throw ConfigError(
        fmt::format("{}: the network tells {} apart, and the data set has {}; "
                    "name the data set that it was trained on",
                    where, counted(output.front(), "class", "classes"), wanted.front()));
  }
  throw ConfigError(
      fmt::format("{}: the network gives {}, and the data set asks for {}; name the data set that "
                  "it was trained on",
                  where, to_string(output), to_string(wanted)));
}

}  // namespace tbn
