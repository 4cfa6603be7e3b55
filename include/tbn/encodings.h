/// @file
/// How the weights of a layer are stored, and how they are trained: plain data in a closed list.
/// What is done with an encoding is in a file of its own, `src/encodings/<name>.cpp`. A new
/// encoding needs a place in the list; what visits the list does not compile until it knows the new
/// one.
///
///     WeightEncoding weights = TiledWeights{.p = 4, .alpha = AlphaScope::kLayer};
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "tbn/tensor.h"
#include "tbn/tile.h"

namespace tbn {

/// Where the scalars come from in training: the mean magnitude of a second latent tensor A
/// ("weight"), of the latents W themselves ("scores"), or parameters of their own ("learned").
enum class AlphaSource { kWeight, kScores, kLearned };
/// `full`: n * m latents W, aggregated to s in each step, as in the paper. `shared`: the q values s
/// are the parameters, which makes the weight gradient and the optimiser state p times smaller.
enum class LatentForm { kFull, kShared };

/// Weights stored as floats of 32 bits.
struct FloatWeights {
  bool operator==(const FloatWeights&) const = default;
};
/// One bit per weight of a tile that p slices of the weight share (paper section 3). A binary layer
/// is a tiled one with p = 1. `alpha_from` and `latent` say how it is trained, and mean nothing
/// once it is packed.
struct TiledWeights {
  std::int64_t p = 1;                              ///< compression factor, divides n or n * m
  AlphaScope alpha = AlphaScope::kTile;            ///< how many scalars a layer has
  AlphaSource alpha_from = AlphaSource::kLearned;  ///< where they come from in training
  LatentForm latent = LatentForm::kShared;         ///< what is trained of the tile
  TileOrder order = TileOrder::kRepeat;            ///< which outputs share a row of the tile
  bool operator==(const TiledWeights&) const = default;
};
/// Integers of 2 to 8 bits, from -2^(bits - 1) to 2^(bits - 1) - 1, times one step size per output.
/// In training both are floats: output c computes with s[c] clamp(round(W[c] / s[c])), halves to
/// even, and W and s are learned, the rounding passed straight through (LSQ, arXiv 1902.08153).
struct UniformWeights {
  std::int64_t bits = 8;  ///< per weight, 2 to 8
  bool operator==(const UniformWeights&) const = default;
};
/// Every encoding that there is.
using WeightEncoding = std::variant<FloatWeights, TiledWeights, UniformWeights>;

/// Tiled weights with compression factor `p` and the defaults.
inline WeightEncoding tiled(std::int64_t p) { return TiledWeights{.p = p}; }
/// One bit per weight, without reuse.
inline WeightEncoding binary() { return TiledWeights{.p = 1}; }
/// Integers of `bits` bits (2 to 8) per weight.
inline WeightEncoding uniform(std::int64_t bits) { return UniformWeights{.bits = bits}; }

/// A weight tensor as encodings see it: n outputs of m inputs, row-major, where a convolution's
/// inputs count channel by channel, tap by tap.
struct LayerDims {
  std::int64_t outputs = 0;  ///< n
  std::int64_t inputs = 0;   ///< m, of one output
  std::int64_t groups = 1;   ///< outputs of different groups see different inputs
  Shape weight;              ///< [n, C / groups, k_h, k_w] or [n, F]
  std::string where;         ///< "conv2d 'layer3.0.conv1'", as errors begin
};

/// What the outputs of a forecasting network are. Outputs that share a row of a tile are equal up
/// to a factor: at TileOrder::kRepeat those n / p apart, at kInterleave p neighbours. That suits
/// steps ahead which resemble each other: steps whole seasons apart, and otherwise neighbours.
struct StepsAhead {
  /// Steps that are forecast: a layer with this number of outputs gives one step per output. 0: the
  /// network is no forecaster.
  std::int64_t horizon = 0;
  std::int64_t season = 0;  ///< steps after which the series repeats itself; 0: not known
};

/// The order in which `outputs` share a tile: kInterleave where they are the steps ahead, p divides
/// them and n / p is not a multiple of the season; else kRepeat.
TileOrder order_by_steps(const StepsAhead& steps, std::int64_t outputs, std::int64_t p);

std::string_view to_string(AlphaSource source);  ///< "weight", "scores", "learned"
std::string_view to_string(LatentForm latent);   ///< "full", "shared"
/// "float", "binary" (p = 1), "tiled(p=4)" or "uniform(bits=8)".
std::string to_string(const WeightEncoding& encoding);

}  // namespace tbn
