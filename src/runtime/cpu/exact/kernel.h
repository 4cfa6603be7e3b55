// The exact backend: tiled layers by look-ups in tables of sign patterns (sign_sums.h), everything
// else as the reference backend does it.
#pragma once

#include "runtime/cpu/exact/sign_sums.h"
#include "runtime/cpu/kernel.h"
#include "tbn/model.h"

namespace tbn::exact {

// The kernel of a node of a checked packed network, with the processor's best instructions.
cpu::Kernel make_kernel(const Graph& graph, const TensorMap& tensors, const Node& node);
// With those of `isa`; null: the reference's kernels.
cpu::Kernel make_kernel(const Graph& graph, const TensorMap& tensors, const Node& node,
                        const Isa* isa);

// Of nodes whose tile is reused row by row, without groups.
cpu::Kernel make_linear(const Graph& graph, const TensorMap& tensors, const Node& node,
                        const Isa& isa);
cpu::Kernel make_conv2d(const Graph& graph, const TensorMap& tensors, const Node& node,
                        const Isa& isa);

// Scratch memory begins anywhere; tables begin on a cache line.
inline constexpr std::int64_t kLineValues = 16;
float* aligned(float* scratch);

}  // namespace tbn::exact
