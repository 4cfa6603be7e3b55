// What is true of every node of an op, and its attributes: one row per op, which all levels read.
// An op without a row does not compile.
#pragma once

#include <string_view>
#include <tuple>
#include <type_traits>

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

// An attribute: its name in the text form, in JSON and in YAML, and where it lies.
template <class OpT, class T>
struct OpField {
  std::string_view name;
  T OpT::*member;
};
template <class OpT, class T>
constexpr OpField<OpT, T> field(std::string_view name, T OpT::*member) {
  return {name, member};
}

template <class... Fields>
struct OpRow {
  OpTraits traits;
  std::tuple<Fields...> fields;  // in the order in which they are written
};
template <class... Fields>
constexpr OpRow<Fields...> op_row(OpTraits traits, Fields... fields) {
  return {traits, {fields...}};
}

template <class OpT>
inline constexpr auto kOpRow = OpT::no_row_in_op_traits_h;

// clang-format off
template <> inline constexpr auto kOpRow<Input> =
    op_row({.name = "input"}, field("shape", &Input::shape));
template <> inline constexpr auto kOpRow<Normalize> =
    op_row({.name = "normalize", .in_place = true}, field("mean", &Normalize::mean),
           field("std", &Normalize::std));
template <> inline constexpr auto kOpRow<Conv2d> =
    op_row({.name = "conv2d", .stem = "conv", .overwritable = true, .has_tensors = true},
           field("out_channels", &Conv2d::out_channels), field("kernel", &Conv2d::kernel),
           field("stride", &Conv2d::stride), field("padding", &Conv2d::padding),
           field("groups", &Conv2d::groups), field("weights", &Conv2d::weights),
           field("scale", &Conv2d::scale), field("bias", &Conv2d::bias),
           field("activation", &Conv2d::activation));
template <> inline constexpr auto kOpRow<Linear> =
    op_row({.name = "linear", .overwritable = true, .has_tensors = true},
           field("out_features", &Linear::out_features), field("weights", &Linear::weights),
           field("scale", &Linear::scale), field("bias", &Linear::bias),
           field("activation", &Linear::activation));
template <> inline constexpr auto kOpRow<BatchNorm> =
    op_row({.name = "batch_norm", .stem = "norm", .use = OpUse::kTrainingOnly, .in_place = true,
            .overwritable = true, .has_tensors = true}, field("eps", &BatchNorm::eps),
           field("momentum", &BatchNorm::momentum));
template <> inline constexpr auto kOpRow<Affine> =
    op_row({.name = "affine", .use = OpUse::kPackedOnly, .in_place = true, .has_tensors = true},
           field("activation", &Affine::activation));
template <> inline constexpr auto kOpRow<Activation> =
    op_row({.name = "activation", .in_place = true}, field("kind", &Activation::kind));
template <> inline constexpr auto kOpRow<Add> =
    op_row({.name = "add", .in_place = true, .overwritable = true},
           field("activation", &Add::activation));
template <> inline constexpr auto kOpRow<MaxPool2d> =
    op_row({.name = "max_pool2d", .stem = "pool"}, field("kernel", &MaxPool2d::kernel),
           field("stride", &MaxPool2d::stride), field("padding", &MaxPool2d::padding));
template <> inline constexpr auto kOpRow<AvgPool2d> =
    op_row({.name = "avg_pool2d", .stem = "pool"}, field("kernel", &AvgPool2d::kernel),
           field("stride", &AvgPool2d::stride));
template <> inline constexpr auto kOpRow<GlobalAvgPool> =
    op_row({.name = "global_avg_pool", .stem = "pool"});
template <> inline constexpr auto kOpRow<Flatten> = op_row({.name = "flatten", .in_place = true});
template <> inline constexpr auto kOpRow<Dropout> =
    op_row({.name = "dropout", .use = OpUse::kTrainingOnly, .in_place = true},
           field("rate", &Dropout::rate));
template <> inline constexpr auto kOpRow<Pad2d> =
    op_row({.name = "pad2d"}, field("top", &Pad2d::top), field("bottom", &Pad2d::bottom),
           field("left", &Pad2d::left), field("right", &Pad2d::right));
template <> inline constexpr auto kOpRow<LayerNorm> =
    op_row({.name = "layer_norm", .stem = "norm", .overwritable = true, .has_tensors = true},
           field("eps", &LayerNorm::eps));
template <> inline constexpr auto kOpRow<Attention> =
    op_row({.name = "attention", .has_tensors = true}, field("heads", &Attention::heads),
           field("grid", &Attention::grid), field("window", &Attention::window),
           field("shift", &Attention::shift), field("relative_bias", &Attention::relative_bias));
template <> inline constexpr auto kOpRow<Reshape> =
    op_row({.name = "reshape", .in_place = true}, field("shape", &Reshape::shape));
template <> inline constexpr auto kOpRow<Transpose> = op_row({.name = "transpose"});
template <> inline constexpr auto kOpRow<Concat> =
    op_row({.name = "concat", .overwritable = true}, field("axis", &Concat::axis));
template <> inline constexpr auto kOpRow<Slice> =
    op_row({.name = "slice"}, field("axis", &Slice::axis), field("begin", &Slice::begin),
           field("length", &Slice::length));
template <> inline constexpr auto kOpRow<ClassToken> =
    op_row({.name = "class_token", .overwritable = true, .has_tensors = true});
template <> inline constexpr auto kOpRow<PositionEmbedding> =
    op_row({.name = "position_embedding", .stem = "positions", .in_place = true,
            .overwritable = true, .has_tensors = true}, field("kind", &PositionEmbedding::kind));
template <> inline constexpr auto kOpRow<MatMul> = op_row({.name = "matmul", .overwritable = true});
// Not overwritable: the orthogonal penalty reads it after the forward pass.
template <> inline constexpr auto kOpRow<AddIdentity> =
    op_row({.name = "add_identity", .in_place = true},
           field("orthogonal", &AddIdentity::orthogonal));
template <> inline constexpr auto kOpRow<SequencePool> =
    op_row({.name = "sequence_pool", .stem = "pool"}, field("kind", &SequencePool::kind));
template <> inline constexpr auto kOpRow<Expand> =
    op_row({.name = "expand"}, field("count", &Expand::count));
template <> inline constexpr auto kOpRow<MovingAverage> =
    op_row({.name = "moving_average"}, field("kernel", &MovingAverage::kernel));
template <> inline constexpr auto kOpRow<Subtract> =
    op_row({.name = "subtract", .in_place = true, .overwritable = true});
template <> inline constexpr auto kOpRow<Multiply> =
    op_row({.name = "multiply", .in_place = true, .overwritable = true});
// clang-format on

const OpTraits& traits_of(const Op& op);

// Calls v("name", field) for each attribute of `op`, const or not, in the order of its row.
template <class V, class T>
void visit_attributes(V&& v, T& op) {
  using OpT = std::remove_const_t<T>;
  static_assert(std::is_empty_v<OpT> == (std::tuple_size_v<decltype(kOpRow<OpT>.fields)> == 0),
                "the row of the op lacks its attributes");
  std::apply([&](const auto&... f) { (v(f.name, op.*f.member), ...); }, kOpRow<OpT>.fields);
}

// The fused activation of an op that can take one in (Conv2d, Linear, Affine, Add), else null.
ActivationKind* epilogue_of(Op& op);

}  // namespace tbn
