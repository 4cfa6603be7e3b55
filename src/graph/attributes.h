// The attributes of every op, named once: the text form, the JSON writer and the JSON reader all
// walk them through these functions, so that none can forget a field.
#pragma once

#include "tbn/ops.h"

namespace tbn {

// One overload per op, chosen by the type of the last argument (T is the op, const or not). A new
// op needs one, or nothing that serialises graphs compiles.
template <class V, class T>
void visit_fields(V& v, T& op, const Input*) {
  v("shape", op.shape);
}
template <class V, class T>
void visit_fields(V& v, T& op, const Normalize*) {
  v("mean", op.mean);
  v("std", op.std);
}
template <class V, class T>
void visit_fields(V& v, T& op, const Conv2d*) {
  v("out_channels", op.out_channels);
  v("kernel", op.kernel);
  v("stride", op.stride);
  v("padding", op.padding);
  v("groups", op.groups);
  v("weights", op.weights);
  v("scale", op.scale);
  v("bias", op.bias);
  v("activation", op.activation);
}
template <class V, class T>
void visit_fields(V& v, T& op, const Linear*) {
  v("out_features", op.out_features);
  v("weights", op.weights);
  v("scale", op.scale);
  v("bias", op.bias);
  v("activation", op.activation);
}
template <class V, class T>
void visit_fields(V& v, T& op, const BatchNorm*) {
  v("eps", op.eps);
  v("momentum", op.momentum);
}
template <class V, class T>
void visit_fields(V& v, T& op, const Affine*) {
  v("activation", op.activation);
}
template <class V, class T>
void visit_fields(V& v, T& op, const Activation*) {
  v("kind", op.kind);
}
template <class V, class T>
void visit_fields(V& v, T& op, const Add*) {
  v("activation", op.activation);
}
template <class V, class T>
void visit_fields(V& v, T& op, const MaxPool2d*) {
  v("kernel", op.kernel);
  v("stride", op.stride);
  v("padding", op.padding);
}
template <class V, class T>
void visit_fields(V& v, T& op, const AvgPool2d*) {
  v("kernel", op.kernel);
  v("stride", op.stride);
}
template <class V, class T>
void visit_fields(V&, T&, const GlobalAvgPool*) {}
template <class V, class T>
void visit_fields(V&, T&, const Flatten*) {}
template <class V, class T>
void visit_fields(V& v, T& op, const Dropout*) {
  v("rate", op.rate);
}
template <class V, class T>
void visit_fields(V& v, T& op, const Pad2d*) {
  v("top", op.top);
  v("bottom", op.bottom);
  v("left", op.left);
  v("right", op.right);
}
template <class V, class T>
void visit_fields(V& v, T& op, const LayerNorm*) {
  v("eps", op.eps);
}
template <class V, class T>
void visit_fields(V& v, T& op, const Attention*) {
  v("heads", op.heads);
  v("grid", op.grid);
  v("window", op.window);
  v("shift", op.shift);
  v("relative_bias", op.relative_bias);
}
template <class V, class T>
void visit_fields(V& v, T& op, const Reshape*) {
  v("shape", op.shape);
}
template <class V, class T>
void visit_fields(V&, T&, const Transpose*) {}
template <class V, class T>
void visit_fields(V& v, T& op, const Concat*) {
  v("axis", op.axis);
}
template <class V, class T>
void visit_fields(V& v, T& op, const Slice*) {
  v("axis", op.axis);
  v("begin", op.begin);
  v("length", op.length);
}
template <class V, class T>
void visit_fields(V&, T&, const ClassToken*) {}
template <class V, class T>
void visit_fields(V& v, T& op, const PositionEmbedding*) {
  v("kind", op.kind);
}
template <class V, class T>
void visit_fields(V&, T&, const MatMul*) {}
template <class V, class T>
void visit_fields(V& v, T& op, const AddIdentity*) {
  v("orthogonal", op.orthogonal);
}
template <class V, class T>
void visit_fields(V& v, T& op, const SequencePool*) {
  v("kind", op.kind);
}
template <class V, class T>
void visit_fields(V& v, T& op, const Expand*) {
  v("count", op.count);
}
template <class V, class T>
void visit_fields(V& v, T& op, const MovingAverage*) {
  v("kernel", op.kernel);
}
template <class V, class T>
void visit_fields(V&, T&, const Subtract*) {}
template <class V, class T>
void visit_fields(V&, T&, const Multiply*) {}

// Calls v("name", field) for each attribute of `op`, in a fixed order.
template <class V, class T>
void visit_attributes(V&& v, T& op) {
  visit_fields(v, op, static_cast<const T*>(nullptr));
}

}  // namespace tbn
