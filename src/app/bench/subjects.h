// The subjects of tbn-bench: each reads its options, measures and prints.
#pragma once

#include <string>

#include "app/support/options.h"
#include "config/config.h"

namespace tbn::app {

// How fast a configuration's data are read.
int bench_data(const CommandLine& line, const Config& config);
// A training step beside that of the float twin.
int bench_train(const CommandLine& line, const Config& config);
// Prints where the time of a training step goes.
int profile_train(const CommandLine& line, const Config& config);
// A packed network beside its float twin in LibTorch.
int bench_infer(const CommandLine& line, const Config& config);
// Single packed layers beside dense ones in LibTorch.
int bench_layers(const CommandLine& line);
// A packed file on every backend beside the reference.
int bench_model(const CommandLine& line, const std::string& file);

}  // namespace tbn::app
