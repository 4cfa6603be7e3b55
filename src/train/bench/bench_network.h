// What the benchmarks of networks share: a configuration's network without its data, a batch for it
// and its float twin.
#pragma once

#include <cstdint>

#include <ATen/core/Tensor.h>

#include "config/config.h"
#include "data/source/dataset.h"
#include "tbn/graph.h"

namespace tbn {

// The network that training would build; pixels are normalised by those of uniform images.
Graph bench_graph(const Config& config, const SampleSpec& spec);

// The same configuration with dense float weights in every layer; groups of the optimiser's for
// tensors that these do not have go with the encodings.
Config float_twin(Config config, const SampleSpec& spec);

// Gives a network values that a trained one could have: fresh ones would hide a norm's statistics,
// a bias and the layers that start at zero.
class GraphModule;
void randomize(GraphModule& module);

// [size, ...spec.input]: bytes where the samples have bytes, else standard normal floats.
at::Tensor random_inputs(const SampleSpec& spec, std::int64_t size);

}  // namespace tbn
