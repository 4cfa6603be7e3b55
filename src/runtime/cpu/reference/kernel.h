// The reference backend: one plain float kernel an op, its weights expanded; the oracle for every
// other backend.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "graph/node_rows.h"
#include "runtime/cpu/common/kernel.h"
#include "tbn/model.h"

namespace tbn::reference {

using cpu::Buffers;
using cpu::Kernel;

// The kernel of a node of a checked packed network, whose layers multiply what `rows_of` gives.
Kernel make_kernel(const Graph& graph, const TensorMap& tensors, const Node& node,
                   const RowsOf& rows_of = layer_rows);

// One file of this folder each; shapes are those of the inputs, then of the output.
Kernel make_conv2d(const Graph& graph, const TensorMap& tensors, const Node& node,
                   const RowsOf& rows_of);
Kernel make_linear(const Graph& graph, const TensorMap& tensors, const Node& node,
                   const RowsOf& rows_of);
Kernel make_normalize(const Normalize& op, const Shape& shape);
Kernel make_affine(const Affine& op, std::span<const float> scale, std::span<const float> bias,
                   const Shape& shape);
Kernel make_activation(ActivationKind kind, const Shape& shape);
Kernel make_add(const Add& op, const Shape& shape);
Kernel make_subtract(const Shape& shape);
Kernel make_multiply(const Shape& shape);
Kernel make_copy(const Shape& shape);  // input, flatten and reshape
Kernel make_max_pool(const MaxPool2d& op, const Shape& input, const Shape& output);
Kernel make_avg_pool(const AvgPool2d& op, const Shape& input, const Shape& output);
Kernel make_global_avg_pool(const Shape& input);
Kernel make_pad2d(const Pad2d& op, const Shape& input, const Shape& output);
Kernel make_transpose(const Shape& input);
Kernel make_concat(const Concat& op, const std::vector<Shape>& inputs);
Kernel make_slice(const Slice& op, const Shape& input);
Kernel make_expand(const Expand& op, const Shape& input);
Kernel make_layer_norm(const LayerNorm& op, std::span<const float> weight,
                       std::span<const float> bias, const Shape& shape);
// `relative_bias` is empty where the op has none.
Kernel make_attention(const Attention& op, std::span<const float> relative_bias, std::size_t inputs,
                      const Shape& output);
Kernel make_matmul(const Shape& left, const Shape& right);
Kernel make_add_identity(const Shape& shape);
Kernel make_class_token(std::span<const float> token, const Shape& input);
// `table` is empty where positions are sinusoidal.
Kernel make_position_embedding(std::span<const float> table, const Shape& shape);
Kernel make_sequence_pool(const SequencePool& op, const Shape& input);
Kernel make_moving_average(const MovingAverage& op, const Shape& shape);

}  // namespace tbn::reference
