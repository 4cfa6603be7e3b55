// A graph together with its tensors: a trained network on its way to the packed file, or the packed
// network itself. Also which tensors each op owns, in training and packed, and what they cost.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tbn/graph.h"
#include "tbn/tensor.h"
#include "tbn/tensor_spec.h"

namespace tbn {

struct Model {
  Graph graph;
  TensorMap tensors;  // "<node>.<suffix>"
};

// The tensors that a node owns while it is trained, in a fixed order:
//   conv2d, linear   float: weight; tiled: latent, then alpha_latent | alpha (none for scores);
//                    uniform: weight, alpha; bias
//   batch_norm       weight, bias, running_mean, running_var
//   layer_norm       weight, bias
//   attention        relative_bias; class_token: token; position_embedding: table (learned)
std::vector<TensorSpec> training_tensors(const Graph& graph, const Node& node);

// The tensors that a node owns after the export passes:
//   conv2d, linear   weight | tile, alpha | levels, alpha (absent once folded into scale); scale;
//                    bias
//   affine           scale, bias
//   layer_norm, attention, class_token, position_embedding: as in training
std::vector<TensorSpec> packed_tensors(const Graph& graph, const Node& node);

// Checks that `tensors` holds just what `specs_of` asks for, by name, dtype and shape. Throws
// DataError beginning with `where`.
void check_tensors(const Graph& graph, const TensorMap& tensors,
                   std::vector<TensorSpec> (*specs_of)(const Graph&, const Node&),
                   const std::string& where);

// One weight layer's cost: bits of its weights, q of a tile, and 32 * scalars; a weight has bits /
// N.
struct LayerSummary {
  std::string name;
  std::string op;
  std::string encoding;             // "float", "binary", "tiled", "uniform"
  std::string form;                 // "rows", "flat", "interleaved", "8 bits", or "" for float
  std::vector<std::int64_t> shape;  // [n, m]
  std::int64_t p = 1;
  std::int64_t tile_length = 0;  // q; 0 where there is no tile
  std::int64_t scalars = 0;
  std::int64_t weights = 0;  // N
  std::int64_t bits = 0;
  double bits_per_weight = 0;
  std::int64_t bytes = 0;  // in the packed file: weights, their rows padded, and scalars
  std::int64_t macs =
      0;  // multiply-adds executed for one example: 1/p of dense where rows are reused
  std::int64_t dense_macs = 0;
};

struct Summary {
  std::vector<LayerSummary> layers;
  LayerSummary totals;  // name "total"; p, tile_length and shape unset
};
Summary summarize(const Graph& graph);

}  // namespace tbn
