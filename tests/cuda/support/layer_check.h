// Layers of random weights and inputs, computed by a kernel of the ladder and in double.
#pragma once

#include <cstdint>
#include <string>

#include "runtime/cuda/layer/layer.h"

namespace tbn::cuda::test {

// A tiled linear layer of so many inputs and R * p outputs, for `pixels` vectors.
LayerShape linear_shape(int pixels, int inputs, int rows, int copies);
// A tiled convolution, kernel x kernel with padding (kernel - 1) / 2.
LayerShape conv_shape(int batch, int channels, int height, int width, int rows, int copies,
                      int kernel, int stride);
// Copies of a row next to each other.
LayerShape interleaved(LayerShape shape);
LayerShape in_form(LayerShape shape, WeightForm form);

// ||y - y'|| / ||y'|| of the kernel's outputs against double, of the same inputs rounded to the
// precision; not a number where an output was not written. The data depend on the shape alone.
// Checks that the workspace's counters are zero again.
double layer_error(const std::string& kernel, const LayerShape& shape, Precision precision);
// What the error may be: rounding of outputs, and in 32 bits of sums.
double allowed_error(Precision precision);

// Whether the kernel says that it computes the layer.
bool computes(const std::string& kernel, const LayerShape& shape, Precision precision);

}  // namespace tbn::cuda::test
