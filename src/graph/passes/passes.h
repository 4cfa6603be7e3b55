// The export passes: small named rewrites that turn a trained model (its training graph and the
// tensors of training_tensors) into the packed one (packed_tensors). Each computes the same
// function as before, in evaluation mode, up to rounding; sums are made in double and stored as
// float.
//
//   Model packed = pack_model(std::move(trained));
#pragma once

#include <string_view>
#include <vector>

#include "tbn/model.h"

namespace tbn {

struct ExportPass {
  std::string_view name;     // "fold_norms"
  std::string_view summary;  // one line
  void (*run)(Model& model);
};

// In the order they must run: latents become tiles and scalars before norms fold, because a folded
// norm takes the scalars in; activations fuse last, onto what the norms have left.
const std::vector<ExportPass>& export_passes();

// Runs all passes. Throws DataError where tensors are missing, have other shapes or hold values
// that are not finite.
Model pack_model(Model trained);

// Removes dropout, the identity outside of training.
void drop_training_ops(Model& model);

// The weight of every layer as its encoding packs it. Tiled: latents -> tile bits and scalars
// (paper section 3): the aggregated latents' signs; alpha as learned, or the mean magnitudes of A
// or W. How it was trained is forgotten.
void pack_tiles(Model& model);

// A batch norm y = g (x - mean) + beta with g = gamma / sqrt(var + eps) after a conv2d or linear
// that nothing else reads becomes that layer's epilogue: scale = g, bias = beta + g (bias -
// mean). Where the encoding has one scalar per output, as a tile in rows form, scale takes it in:
// scale[c] = g[c] alpha_i. Any other batch norm becomes an affine op. Needs pack_tiles before.
// Throws DataError for a variance below zero.
void fold_norms(Model& model);

// An activation after a conv2d, linear, affine or add that nothing else reads becomes its epilogue.
void fuse_activations(Model& model);

}  // namespace tbn
