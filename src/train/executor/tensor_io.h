// Between LibTorch's tensors and plain host memory, in which checkpoints and exported models are
// kept.
#pragma once

#include <torch/torch.h>

#include <string>
#include <vector>

#include "tbn/tensor.h"
#include "train/executor/graph_module.h"

namespace tbn {

// Throws InternalError for element types that tbn has no name for.
DType to_dtype(torch::ScalarType type);
torch::ScalarType to_scalar_type(DType dtype);

// Copies, from any device and any strides; row-major.
HostTensor to_host(const torch::Tensor& tensor);
torch::Tensor to_torch(const HostTensor& tensor);

// Every parameter and buffer, by name.
TensorMap state_of(const GraphModule& module);

// Copies `tensors` into the module's own, on its device. The names must be just the module's, and
// each dtype and shape equal; else throws DataError beginning with `where`, and the module is as it
// was.
void load_state(GraphModule& module, const TensorMap& tensors, const std::string& where);

// Whether no value of these floating-point tensors is infinite or not a number. One read-back.
bool all_finite(const std::vector<at::Tensor>& tensors);

}  // namespace tbn
