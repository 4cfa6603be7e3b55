// Activation functions, as LibTorch defines them (gelu by the error function).
#include "runtime/cpu/reference/activation.h"

#include <algorithm>
#include <cmath>

#include "runtime/cpu/common/vector_math.h"
#include "runtime/cpu/reference/kernel.h"

namespace tbn::reference {

namespace {

float sigmoid(float x) { return 1.0f / (1.0f + cpu::vector_exp(-x)); }

template <class F>
void each(float* values, std::int64_t count, F f) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = f(values[i]);
}

}  // namespace

void apply_activation(ActivationKind kind, float* values, std::int64_t count) {
  switch (kind) {
    case ActivationKind::kNone:
      return;
    case ActivationKind::kRelu:
      return each(values, count, [](float x) { return x < 0.0f ? 0.0f : x; });
    case ActivationKind::kGelu:
      return each(values, count, [](float x) { return x * cpu::vector_normal(x); });
    case ActivationKind::kSilu:
      return each(values, count, [](float x) { return x * sigmoid(x); });
    case ActivationKind::kTanh:
      return each(values, count, [](float x) { return std::tanh(x); });
    case ActivationKind::kSigmoid:
      return each(values, count, sigmoid);
  }
}

Kernel make_activation(ActivationKind kind, const Shape& shape) {
  const std::int64_t count = element_count(shape);
  return {.run = [=](const Buffers& b) {
    if (b.output != b.inputs[0]) std::copy_n(b.inputs[0], count, b.output);
    apply_activation(kind, b.output, count);
  }};
}

}  // namespace tbn::reference
