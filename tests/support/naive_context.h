// What the evaluator in double (naive_eval.h) computes one node from, and the formulas of the ops
// on shapes and sequences, which are in a file of their own.
#pragma once

#include <cmath>
#include <cstdint>
#include <string>
#include <vector>

#include "tbn/model.h"

namespace tbn::test {

using Values = std::vector<double>;

inline std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

struct Context {
  const Model& model;
  const Node& node;
  const std::vector<Values>& values;

  bool has(const char* suffix) const { return model.tensors.contains(node.name + "." + suffix); }
  Values tensor(const char* suffix) const {
    const auto v = model.tensors.at(node.name + "." + suffix).values<float>();
    return {v.begin(), v.end()};
  }
  const Values& input(std::size_t i = 0) const { return values[at(node.inputs[i])]; }
  const Shape& input_shape(std::size_t i = 0) const {
    return model.graph.node(node.inputs[i]).shape;
  }
  std::int64_t count() const { return element_count(node.shape); }
  // Where position i is along the channels: the first dimension of an image, else the last.
  std::size_t channel(std::int64_t i) const {
    if (node.shape.size() > 2) return at(i / (count() / node.shape.front()));
    return at(i % node.shape.back());
  }
};

// A value that is not a number stays one.
inline double larger(double a, double b) { return b > a || std::isnan(b) ? b : a; }

// All outputs of the node, straight from the formulas of ops.h.
Values naive_value(const Context& c, const Pad2d& op);
Values naive_value(const Context& c, const LayerNorm& op);
Values naive_value(const Context& c, const Attention& op);
Values naive_value(const Context& c, const Reshape& op);
Values naive_value(const Context& c, const Transpose& op);
Values naive_value(const Context& c, const Concat& op);
Values naive_value(const Context& c, const Slice& op);
Values naive_value(const Context& c, const ClassToken& op);
Values naive_value(const Context& c, const PositionEmbedding& op);
Values naive_value(const Context& c, const MatMul& op);
Values naive_value(const Context& c, const AddIdentity& op);
Values naive_value(const Context& c, const SequencePool& op);
Values naive_value(const Context& c, const Expand& op);
Values naive_value(const Context& c, const MovingAverage& op);

}  // namespace tbn::test
