// Multi-layer perceptron: 784-128-10 by default, the paper's microcontroller network.
#include "models/families.h"

namespace tbn {
namespace {

Value build_mlp(GraphBuilder&, Value x, const ModelOptions& options, const TaskSpec& task) {
  const bool bias = options.flag("bias");
  if (x.shape().size() > 1) x = x.flatten();
  for (std::int64_t width : options.list("hidden")) {
    x = x.linear(width, {.bias = bias && !options.flag("norm")});
    if (options.flag("norm")) x = x.batch_norm();
    x = x.relu();
    if (options.real("dropout") > 0) x = x.dropout(options.real("dropout"));
  }
  return x.linear(task.output.front(), {.bias = bias}).named("classifier");
}

}  // namespace

ModelFamily mlp_family() {
  return {.name = "mlp",
          .summary = "multi-layer perceptron",
          .options = {{.key = "hidden",
                       .value = std::vector<std::int64_t>{128},
                       .min = 1,
                       .max = 1 << 20,
                       .help = "units of each hidden layer"},
                      {.key = "bias", .value = true, .help = "biases in every layer"},
                      {.key = "norm", .value = false, .help = "batch norm after each hidden layer"},
                      {.key = "dropout",
                       .value = 0.0,
                       .min = 0,
                       .max = 0.99,
                       .help = "dropout after each hidden layer"}},
          .build = build_mlp};
}

}  // namespace tbn
