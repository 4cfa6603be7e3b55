/// @file
/// What each tensor is for: the roles that encodings, ops, optimisers and files share.
#pragma once

#include <string>
#include <string_view>

#include "tbn/tensor.h"

namespace tbn {

/// What a tensor is for; optimisers, initialisation and the summary go by it.
enum class TensorRole {
  kWeight,       ///< float weights [n, m...]
  kLatent,       ///< latents of a tiled layer: full [n, m...] or shared [q] (rows form [R, m...])
  kAlphaLatent,  ///< A [n, m...], whose mean magnitudes are the scalars (alpha_from: weight)
  kAlpha,        ///< the scalars: [p], [1] or [n]
  kBias,         ///< [n]
  kNormWeight,   ///< [C]
  kNormBias,     ///< [C]
  kEmbedding,    ///< learned positions [T, F], class token [F], relative bias [offsets, heads]
  kRunningMean,  ///< [C], a buffer
  kRunningVar,   ///< [C], a buffer
  kTile,         ///< packed: U8 [rows, row_bytes]
  kLevels,       ///< packed: U8 [n, row_bytes], integers of a few bits
  kScale,        ///< packed: [n]
};
/// Whether a tensor of that role is a buffer: saved with the network, but not trained.
bool is_buffer(TensorRole role);
std::string_view to_string(TensorRole role);  ///< "weight", "latent", ...

/// A tensor that a node owns: its name, role, type and shape, without its values.
struct TensorSpec {
  std::string name;           ///< "<node>.<suffix>"
  TensorRole role;            ///< what it is for
  DType dtype = DType::kF32;  ///< element type
  Shape shape;                ///< row-major
};

}  // namespace tbn
