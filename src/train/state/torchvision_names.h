// The names that torchvision gives the tensors of ResNet, ViT and Swin, beside those of our
// networks: a published state dict starts a network of the zoo. No LibTorch here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tbn/model.h"

namespace tbn {

// The tensors that a node would have with float weights: what a trained float file holds of it.
std::vector<TensorSpec> float_tensors(const Graph& graph, const Node& node);

enum class TorchvisionFamily { kResNet, kViT, kSwin };

// Told by the names in a state dict; none: it is not torchvision's.
std::optional<TorchvisionFamily> torchvision_family(const TensorMap& tensors);

struct TorchvisionName {
  std::string name;
  int third = -1;  // which third of its rows (0 q, 1 k, 2 v of one fused weight); -1: all
  bool operator==(const TorchvisionName&) const = default;
};

// What torchvision calls our float tensor `ours` ("layer1.0.conv1.weight"). More than one where its
// releases differ; empty where it has no such tensor, or one that means something else: Swin's
// merging of patches normalises before it maps, and ours does not.
std::vector<TorchvisionName> torchvision_names(TorchvisionFamily family, std::string_view ours);

struct RenamedTensors {
  TensorMap tensors;                // by our names
  std::vector<std::string> unused;  // floating tensors of the state dict that no name asked for
};

// A state dict under the names of `graph`, as if its weights were float. Leading dimensions of 1
// that ours lack are dropped ([1, 197, 768] of positions). Other shapes stay as they are.
RenamedTensors from_torchvision(TorchvisionFamily family, const Graph& graph,
                                const TensorMap& state_dict);

// Whether the elements are floating-point numbers.
bool is_floating(DType dtype);

}  // namespace tbn
