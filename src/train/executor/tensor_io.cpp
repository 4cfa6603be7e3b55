// Checks come before the first copy, so that a refused state changes nothing.
#include "train/executor/tensor_io.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <utility>

#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::array<std::pair<DType, torch::ScalarType>, 9> kTypes = {{
    {DType::kBool, torch::kBool},
    {DType::kU8, torch::kUInt8},
    {DType::kI8, torch::kInt8},
    {DType::kI32, torch::kInt32},
    {DType::kI64, torch::kInt64},
    {DType::kF16, torch::kFloat16},
    {DType::kBF16, torch::kBFloat16},
    {DType::kF32, torch::kFloat32},
    {DType::kF64, torch::kFloat64},
}};

void check_tensor(const NamedTensor& wanted, const TensorMap& tensors, const std::string& where) {
  const auto found = tensors.find(wanted.name);
  const std::string begin = where + ": tensor '" + wanted.name + "' ";
  if (found == tensors.end()) throw DataError(begin + "is missing");
  const DType dtype = to_dtype(wanted.tensor.scalar_type());
  if (found->second.dtype() != dtype) {
    throw DataError(begin + "has type " + std::string(to_string(found->second.dtype())) +
                    ", the network needs " + std::string(to_string(dtype)));
  }
  const Shape shape = wanted.tensor.sizes().vec();
  if (found->second.shape() != shape) {
    throw DataError(begin + "has shape " + to_string(found->second.shape()) +
                    ", the network needs " + to_string(shape));
  }
}

}  // namespace

DType to_dtype(torch::ScalarType type) {
  for (const auto& [dtype, scalar_type] : kTypes) {
    if (scalar_type == type) return dtype;
  }
  TBN_CHECK(false, std::string("no element type for ") + c10::toString(type));
}

torch::ScalarType to_scalar_type(DType dtype) {
  for (const auto& [known, scalar_type] : kTypes) {
    if (known == dtype) return scalar_type;
  }
  TBN_CHECK(false, "unknown element type");
}

HostTensor to_host(const torch::Tensor& tensor) {
  const torch::Tensor plain =
      tensor.detach().to(torch::kCPU).contiguous(at::MemoryFormat::Contiguous);
  HostTensor host(to_dtype(plain.scalar_type()), plain.sizes().vec());
  if (plain.numel() > 0) std::memcpy(host.bytes().data(), plain.const_data_ptr(), plain.nbytes());
  return host;
}

torch::Tensor to_torch(const HostTensor& tensor) {
  torch::Tensor result = torch::empty(tensor.shape(), to_scalar_type(tensor.dtype()));
  const auto bytes = tensor.bytes();
  if (!bytes.empty()) std::memcpy(result.mutable_data_ptr(), bytes.data(), bytes.size());
  return result;
}

TensorMap state_of(const GraphModule& module) {
  TensorMap state;
  for (const NamedTensor& named : module.tensors())
    state.emplace(named.name, to_host(named.tensor));
  return state;
}

void load_state(GraphModule& module, const TensorMap& tensors, const std::string& where) {
  for (const NamedTensor& wanted : module.tensors()) check_tensor(wanted, tensors, where);
  if (tensors.size() != module.tensors().size()) {
    for (const auto& [name, tensor] : tensors) {
      const auto has_name = [&given = name](const NamedTensor& wanted) {
        return wanted.name == given;
      };
      if (std::none_of(module.tensors().begin(), module.tensors().end(), has_name)) {
        throw DataError(where + ": tensor '" + name + "' is not one of network '" +
                        module.graph().name + "'");
      }
    }
  }
  const torch::NoGradGuard no_grad;
  for (const NamedTensor& own : module.tensors()) {
    torch::Tensor target = own.tensor;
    target.copy_(to_torch(tensors.at(own.name)));
  }
}

bool all_finite(const std::vector<torch::Tensor>& tensors) {
  if (tensors.empty()) return true;
  const torch::NoGradGuard no_grad;
  // The largest magnitude cannot overflow, as a sum of squares could.
  const std::vector<torch::Tensor> largest =
      at::_foreach_norm(tensors, std::numeric_limits<double>::infinity());
  return at::isfinite(at::stack(largest)).all().item<bool>();
}

}  // namespace tbn
