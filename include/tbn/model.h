/// @file
/// A graph together with its tensors: a trained network on its way to the packed file, or the
/// packed network itself. Also which tensors each op owns, in training and packed, and what they
/// cost.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tbn/graph.h"
#include "tbn/tensor.h"
#include "tbn/tensor_spec.h"

namespace tbn {

/// A graph and the tensors that its nodes own.
struct Model {
  Graph graph;        ///< the network
  TensorMap tensors;  ///< "<node>.<suffix>"
};

/// The tensors that a node owns while it is trained, in a fixed order. Empty where it owns none.
///
///     conv2d, linear       float: weight
///                          tiled: latent, then alpha_latent | alpha (neither for scores)
///                          uniform: weight, alpha
///                          each with a bias: bias
///     batch_norm           weight, bias, running_mean, running_var
///     layer_norm           weight, bias
///     attention            relative_bias
///     class_token          token
///     position_embedding   table (learned positions)
std::vector<TensorSpec> training_tensors(const Graph& graph, const Node& node);

/// The tensors that a node owns after the export passes, in a fixed order. An alpha that was folded
/// into the scale is absent.
///
///     conv2d, linear   weight | tile, alpha | levels, alpha; then scale; then bias
///     affine           scale, bias
///     layer_norm, attention, class_token, position_embedding: as in training
std::vector<TensorSpec> packed_tensors(const Graph& graph, const Node& node);

/// Checks that `tensors` holds exactly what `specs_of` (training_tensors() or packed_tensors())
/// asks for over all nodes, by name, dtype and shape. Throws DataError beginning with `where`.
void check_tensors(const Graph& graph, const TensorMap& tensors,
                   std::vector<TensorSpec> (*specs_of)(const Graph&, const Node&),
                   const std::string& where);

/// What one weight layer costs. Its bits are those of its weights (q for a tile) and 32 per scalar.
struct LayerSummary {
  std::string name;                 ///< of the node
  std::string op;                   ///< "conv2d" or "linear"
  std::string encoding;             ///< "float", "binary", "tiled", "uniform"
  std::string form;                 ///< "rows", "flat", "interleaved", "8 bits", or "" for float
  std::vector<std::int64_t> shape;  ///< [n, m]
  std::int64_t p = 1;               ///< compression factor; 1 where there is no tile
  std::int64_t tile_length = 0;     ///< q; 0 where there is no tile
  std::int64_t scalars = 0;         ///< alphas
  std::int64_t weights = 0;         ///< N
  std::int64_t bits = 0;            ///< of weights and scalars
  double bits_per_weight = 0;       ///< bits / N
  std::int64_t bytes = 0;           ///< in the packed file: weights, their rows padded, and scalars
  /// Multiply-adds executed per example: 1 / p of the dense ones where rows are reused.
  std::int64_t macs = 0;
  std::int64_t dense_macs = 0;  ///< multiply-adds per example of a float layer of this shape
};

/// What a network costs.
struct Summary {
  std::vector<LayerSummary> layers;  ///< each conv2d and linear node, in the graph's order
  LayerSummary totals;               ///< name "total"; p, tile_length and shape unset
};
/// Sums up the weight layers of a graph, trained or packed, with scalars of 32 bits.
Summary summarize(const Graph& graph);

}  // namespace tbn
