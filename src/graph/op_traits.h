// What is true of every node of an op, whatever its attributes: one row per op, which all levels
// read. An op without a row does not compile.
#pragma once

#include <string_view>

#include "tbn/ops.h"

namespace tbn {

// Which graphs may hold an op: a network as its builder made it, the packed one of a file, or both.
enum class OpUse { kAnywhere, kTrainingOnly, kPackedOnly };

struct OpTraits {
  std::string_view name;       // in the text form, the packed file and the error messages
  std::string_view stem = "";  // of a fresh node's name, "conv1"; empty: the name
  OpUse use = OpUse::kAnywhere;
  // Reads each position of its inputs only to write it, so that its output may lie over one of
  // them.
  bool in_place = false;
  // In training: its output is memory of its own (no view of an input) that autograd reads no more,
  // so that an activation may overwrite it. Of layers: at float weights.
  bool overwritable = false;
  bool has_tensors = false;  // owns weights, tables or statistics (graph/tensors.cpp says which)
};

template <class OpT>
inline constexpr OpTraits kOpTraits = OpT::no_row_in_op_traits_h;

// clang-format off
template <> inline constexpr OpTraits kOpTraits<Input> = {.name = "input"};
template <> inline constexpr OpTraits kOpTraits<Normalize> = {.name = "normalize", .in_place = true};
template <> inline constexpr OpTraits kOpTraits<Conv2d> =
    {.name = "conv2d", .stem = "conv", .overwritable = true, .has_tensors = true};
template <> inline constexpr OpTraits kOpTraits<Linear> =
    {.name = "linear", .overwritable = true, .has_tensors = true};
template <> inline constexpr OpTraits kOpTraits<BatchNorm> =
    {.name = "batch_norm", .stem = "norm", .use = OpUse::kTrainingOnly, .in_place = true,
     .overwritable = true, .has_tensors = true};
template <> inline constexpr OpTraits kOpTraits<Affine> =
    {.name = "affine", .use = OpUse::kPackedOnly, .in_place = true, .has_tensors = true};
template <> inline constexpr OpTraits kOpTraits<Activation> = {.name = "activation", .in_place = true};
template <> inline constexpr OpTraits kOpTraits<Add> =
    {.name = "add", .in_place = true, .overwritable = true};
template <> inline constexpr OpTraits kOpTraits<MaxPool2d> = {.name = "max_pool2d", .stem = "pool"};
template <> inline constexpr OpTraits kOpTraits<AvgPool2d> = {.name = "avg_pool2d", .stem = "pool"};
template <> inline constexpr OpTraits kOpTraits<GlobalAvgPool> =
    {.name = "global_avg_pool", .stem = "pool"};
template <> inline constexpr OpTraits kOpTraits<Flatten> = {.name = "flatten", .in_place = true};
template <> inline constexpr OpTraits kOpTraits<Dropout> =
    {.name = "dropout", .use = OpUse::kTrainingOnly, .in_place = true};
template <> inline constexpr OpTraits kOpTraits<Pad2d> = {.name = "pad2d"};
template <> inline constexpr OpTraits kOpTraits<LayerNorm> =
    {.name = "layer_norm", .stem = "norm", .overwritable = true, .has_tensors = true};
template <> inline constexpr OpTraits kOpTraits<Attention> = {.name = "attention", .has_tensors = true};
template <> inline constexpr OpTraits kOpTraits<Reshape> = {.name = "reshape", .in_place = true};
template <> inline constexpr OpTraits kOpTraits<Transpose> = {.name = "transpose"};
template <> inline constexpr OpTraits kOpTraits<Concat> = {.name = "concat", .overwritable = true};
template <> inline constexpr OpTraits kOpTraits<Slice> = {.name = "slice"};
template <> inline constexpr OpTraits kOpTraits<ClassToken> =
    {.name = "class_token", .overwritable = true, .has_tensors = true};
template <> inline constexpr OpTraits kOpTraits<PositionEmbedding> =
    {.name = "position_embedding", .stem = "positions", .in_place = true, .overwritable = true,
     .has_tensors = true};
template <> inline constexpr OpTraits kOpTraits<MatMul> = {.name = "matmul", .overwritable = true};
// Not overwritable: the orthogonal penalty reads it after the forward pass.
template <> inline constexpr OpTraits kOpTraits<AddIdentity> = {.name = "add_identity", .in_place = true};
template <> inline constexpr OpTraits kOpTraits<SequencePool> = {.name = "sequence_pool", .stem = "pool"};
template <> inline constexpr OpTraits kOpTraits<Expand> = {.name = "expand"};
template <> inline constexpr OpTraits kOpTraits<MovingAverage> = {.name = "moving_average"};
template <> inline constexpr OpTraits kOpTraits<Subtract> =
    {.name = "subtract", .in_place = true, .overwritable = true};
template <> inline constexpr OpTraits kOpTraits<Multiply> =
    {.name = "multiply", .in_place = true, .overwritable = true};
// clang-format on

const OpTraits& traits_of(const Op& op);

// The fused activation of an op that can take one in (Conv2d, Linear, Affine, Add), else null.
ActivationKind* epilogue_of(Op& op);

}  // namespace tbn
