// The interface of an encoding in training. Each encoding implements it in one file of this folder,
// its room, named as that in src/encodings. A room must have a differentiable dense weight, the
// values that it starts from, and how it takes trained ones. Products of its own and a norm that it
// takes in are optional: they are faster.
#pragma once

#include <torch/torch.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "tbn/encodings.h"
#include "tbn/tensor_spec.h"
#include "train/tiled/layer_settings.h"

namespace tbn {

// A parameter or buffer of a graph. The tensor remains that of the module when the module moves to
// another device.
struct NamedTensor {
  std::string name;  // "layer1.0.conv1.latent"
  TensorRole role;
  torch::Tensor tensor;
};

// How a layer is initialised. Values are drawn on the CPU, so that a seed gives the same start on
// every device.
struct WeightStart {
  const InitConfig& config;
  at::Generator& generator;
  double gain = 1;       // standard deviation of a weight, times sqrt(m), that keeps the scale
  bool at_zero = false;  // the last layer of a transform: starts with zeros where the encoding can

  torch::Tensor uniform(at::IntArrayRef sizes, double bound) const;  // U(-bound, bound)
  torch::Tensor normal(at::IntArrayRef sizes, double std) const;     // N(0, std)
};

// The weight [n, m...] of one layer, as parameters.
class TrainedWeight {
 public:
  // `of_node`: all tensors of the node, in the order of their specs; tensors() leaves the bias out.
  TrainedWeight(LayerDims dims, std::span<const NamedTensor> of_node);
  virtual ~TrainedWeight() = default;

  const LayerDims& dims() const { return dims_; }
  std::span<const NamedTensor> tensors() const { return tensors_; }

  // [n, m...], differentiable: the weight that the layer computes with.
  virtual torch::Tensor dense() const = 0;

  // x [..., m] -> [..., n]; bias [n] or undefined.
  virtual torch::Tensor linear(const torch::Tensor& x, const torch::Tensor& bias) const;
  // x [B, C, H, W] -> [B, n, H', W'] in x's memory format; bias [n] or undefined.
  virtual torch::Tensor conv2d(const torch::Tensor& x, const torch::Tensor& bias,
                               const ConvGeometry& geometry) const;
  // act(batch_norm(pool(conv2d(x))) + residual), for rooms whose takes_norm() is true; `residual`
  // [B, n, H', W'] may be undefined, and act is ReLU or nothing.
  virtual torch::Tensor conv2d_norm(const torch::Tensor& x, const ConvGeometry& geometry,
                                    const MapPool& pool, const NormState& norm, bool training,
                                    const torch::Tensor& residual, bool relu) const;

  // The start values of one of tensors(). They are asked for and set in that order, so that a later
  // one may depend on an earlier one.
  virtual torch::Tensor start(const NamedTensor& named, const WeightStart& start) const = 0;
  // The start values of the layer's bias, [n]: zeros, unless the room says otherwise.
  virtual torch::Tensor start_bias(const WeightStart& start) const;
  // Sets the parameters so that dense() is near to w [n, m...], float64 and not all zeros.
  virtual void take(const torch::Tensor& w) const = 0;

 protected:
  // The tensor of that role; undefined where the encoding has none.
  torch::Tensor tensor_of(TensorRole role) const;

 private:
  LayerDims dims_;
  std::vector<NamedTensor> tensors_;
};

// One kind of encoding in training. `encoding` is always of the room's own kind.
class TrainedRoom {
 public:
  virtual ~TrainedRoom() = default;

  // The weight of a layer. `of_node`: all tensors of its node, in the order of training_tensors().
  virtual std::shared_ptr<const TrainedWeight> make(const WeightEncoding& encoding,
                                                    const LayerDims& dims,
                                                    std::span<const NamedTensor> of_node) const = 0;

  // Whether conv2d_norm() trains the batch norm right after a convolution.
  virtual bool takes_norm(const WeightEncoding& /*encoding*/, const LayerDims& /*dims*/,
                          bool /*bias*/) const {
    return false;
  }
  // Whether outputs start as scaled copies of others, which only a norm after them can make differ.
  virtual bool makes_copies(const WeightEncoding& /*encoding*/, const LayerDims& /*dims*/) const {
    return false;
  }
  // Whether an activation may overwrite the products: they are tensors of their own, and autograd
  // does not read them again.
  virtual bool overwritable() const { return true; }
};

// The room of an encoding.
const TrainedRoom& trained_room(const WeightEncoding& encoding);

}  // namespace tbn
