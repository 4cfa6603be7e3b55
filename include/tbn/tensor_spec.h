// Which tensor is what for: the words that encodings, ops, optimisers and files share.
#pragma once

#include <string>
#include <string_view>

#include "tbn/tensor.h"

namespace tbn {

// What a tensor is for; optimisers, initialisation and the summary go by it.
enum class TensorRole {
  kWeight,       // float weights [n, m...]
  kLatent,       // latents of a tiled layer: full [n, m...] or shared [q] (rows form [R, m...])
  kAlphaLatent,  // A [n, m...], whose mean magnitudes are the scalars (alpha_from: weight)
  kAlpha,        // the scalars: [p], [1] or [n]
  kBias,         // [n]
  kNormWeight,   // [C]
  kNormBias,     // [C]
  kEmbedding,    // learned positions [T, F], class token [F], relative bias [offsets, heads]
  kRunningMean,  // [C], a buffer
  kRunningVar,   // [C], a buffer
  kTile,         // packed: U8 [rows, row_bytes]
  kLevels,       // packed: U8 [n, row_bytes], integers of a few bits
  kScale,        // packed: [n]
};
bool is_buffer(TensorRole role);
std::string_view to_string(TensorRole role);  // "weight", "latent", ...

struct TensorSpec {
  std::string name;  // "<node>.<suffix>"
  TensorRole role;
  DType dtype = DType::kF32;
  Shape shape;
};

}  // namespace tbn
