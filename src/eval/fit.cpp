// Compares shapes.
#include "eval/fit.h"

#include <fmt/format.h>

#include "base/counted.h"
#include "tbn/error.h"

namespace tbn {

std::string data_misfit(const Graph& graph, const SampleSpec& spec) {
  if (graph.input_shape() != spec.input) {
    return fmt::format("the network takes {}, and the samples are {}",
                       to_string(graph.input_shape()), to_string(spec.input));
  }
  const Shape& output = graph.output_shape();
  const Shape& wanted = spec.task.output;
  if (output == wanted) return "";
  if (spec.task.task == Task::kClassification && output.size() == 1) {
    return fmt::format("the network tells {} apart, and the data set has {}",
                       counted(output.front(), "class", "classes"), wanted.front());
  }
  return fmt::format("the network gives {}, and the data set asks for {}", to_string(output),
                     to_string(wanted));
}

void check_data_fits(const Graph& graph, const SampleSpec& spec, const std::string& where) {
  const std::string misfit = data_misfit(graph, spec);
  if (misfit.empty()) return;
  throw ConfigError(fmt::format("{}: {}; name the data set that it was trained on", where, misfit));
}

}  // namespace tbn
