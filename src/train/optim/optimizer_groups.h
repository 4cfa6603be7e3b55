// Which parameters share an optimiser's settings: `optim.groups` resolved against a network's
// tensors, by role or by name. No LibTorch in it, so that a dry run can show the groups.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "tbn/model.h"

namespace tbn {

// A tensor that is trained, as the optimiser sees it.
struct ParameterInfo {
  std::string name;  // "layer1.0.conv1.latent"
  TensorRole role = TensorRole::kWeight;
  std::int64_t count = 0;  // of values
  bool bits = false;       // each value's sign is a bit of its layer, and nothing else of it counts
};

struct ResolvedGroup {
  std::string label;  // "latents", "conv1.*, conv2.*", or "others" for what no group names
  OptimFields fields;
  std::vector<std::size_t> members;  // indices into the parameters; may be empty for a role
};

// The word that `optim.groups` uses for a role: latents, alphas (the scalars, or the tensor that
// they are the magnitudes of; of integers, the largest weight of an output), weights, biases,
// norms, embeddings (learned positions, class tokens and relative biases).
std::string role_word(TensorRole role);

// Whether a pattern of `optim.groups`, a role or a glob over names, means this tensor.
bool matches(const std::string& pattern, const ParameterInfo& parameter);

// The trained tensors of a graph, in its order (no buffers).
std::vector<ParameterInfo> trained_parameters(const Graph& graph);

// The groups in the order of the configuration and then the rest; each parameter is in exactly one,
// the first that matches. A role that this network does not have leaves its group empty (the float
// twin of a tiled network keeps its configuration), but a glob that matches no name is a
// ConfigError, and so is Bop for what is no bits.
std::vector<ResolvedGroup> resolve_groups(const OptimConfig& optim,
                                          const std::vector<ParameterInfo>& parameters);

// "adamw lr 0.03, betas 0.9 0.999, weight decay 0": for the summary.
std::string describe(const OptimFields& fields);

}  // namespace tbn
