// The method in one place, without LibTorch: how a weight tensor is cut into tiles, how a tile is
// built from latents, packed into bits and expanded again (arXiv 2407.12075, section 3).
//
// A weight tensor has shape [n, m]: n outputs (rows) of m inputs, N = n * m weights, row-major.
// With compression factor p its tile has q = N / p bits:
//
//   s  = sum over the p slices of W.flatten().reshape(p, q)     aggregation
//   t  = +1 where s > 0, else -1                                the tile
//   B^ = alpha_i * t for slice i = 1..p                         reuse, scaled
//
//   TileLayout layout = tile_layout(128, 784, 4);               // rows form: 32 unique rows
//   std::vector<std::uint8_t> bits = pack_tile(layout, s);      // 32 * 98 bytes
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tbn {

// One scalar per slice of the weight tensor, or one for the whole layer.
enum class AlphaScope { kTile, kLayer };
// Where the scalars come from in training: the mean magnitude of a second latent tensor A
// ("weight"), of the latents W themselves ("scores"), or parameters of their own ("learned").
enum class AlphaSource { kWeight, kScores, kLearned };
// `full`: n * m latents W, aggregated to s in each step, as in the paper. `shared`: the q values s
// are the parameters, which makes the weight gradient and the optimiser state p times smaller.
enum class LatentForm { kFull, kShared };

// How the weights of one layer are stored. A binary layer is a tiled one with p = 1.
struct FloatWeights {
  bool operator==(const FloatWeights&) const = default;
};
struct TiledWeights {
  std::int64_t p = 1;
  AlphaScope alpha = AlphaScope::kTile;
  AlphaSource alpha_from = AlphaSource::kLearned;
  LatentForm latent = LatentForm::kShared;
  bool operator==(const TiledWeights&) const = default;
  std::int64_t scalars() const { return alpha == AlphaScope::kTile ? p : 1; }
};
using WeightEncoding = std::variant<FloatWeights, TiledWeights>;

inline WeightEncoding tiled(std::int64_t p) { return TiledWeights{.p = p}; }
inline WeightEncoding binary() { return TiledWeights{.p = 1}; }

// Rows: p divides n, the tile is R = n / p whole rows and output c uses row c mod R, so R dot
// products make all n outputs. Flat: p divides n * m only, tile ends cut rows, and the weight must
// be expanded.
enum class TileForm { kRows, kFlat };

struct TileLayout {
  std::int64_t outputs = 0;  // n
  std::int64_t inputs = 0;   // m
  std::int64_t p = 1;
  std::int64_t q = 0;  // bits of the tile, n * m / p
  TileForm form = TileForm::kRows;

  // The tile as the packed file holds it: `rows` rows of `row_bits` bits, each starting on a byte.
  std::int64_t rows() const { return form == TileForm::kRows ? outputs / p : 1; }
  std::int64_t row_bits() const { return form == TileForm::kRows ? inputs : q; }
  std::int64_t row_bytes() const { return (row_bits() + 7) / 8; }
  std::int64_t packed_bytes() const { return rows() * row_bytes(); }
  std::int64_t weights() const { return outputs * inputs; }
  bool operator==(const TileLayout&) const = default;
};

// Chooses rows where p divides n, else flat where it divides n * m. Otherwise throws ConfigError
// with the nearest factors that work, beginning with `layer` (for example "conv 'layer1.0.conv1'").
TileLayout tile_layout(std::int64_t outputs, std::int64_t inputs, std::int64_t p,
                       std::string_view layer = "layer");

// s[j] = sum_i latents[i * q + j] for float or double latents [n * m].
template <class T>
std::vector<T> aggregate(const TileLayout& layout, std::span<const T> latents);

// The mean magnitude of `values` [n * m] over each slice (p scalars) or over all (one).
template <class T>
std::vector<T> mean_magnitudes(const TileLayout& layout, AlphaScope scope,
                               std::span<const T> values);

// Signs of the aggregated latents s [q], packed: bit i of byte j of a row is its weight 8j + i, 1
// means +1 (s > 0). Padding bits are 0. The result has layout.packed_bytes() bytes.
template <class T>
std::vector<std::uint8_t> pack_tile(const TileLayout& layout, std::span<const T> aggregated);

// The tile's signs [q] as +1 or -1. `packed` must have layout.packed_bytes() bytes.
std::vector<float> unpack_tile(const TileLayout& layout, std::span<const std::uint8_t> packed);

// The whole weight tensor [n * m], B^ = alpha_i * t. `alphas` holds p scalars or one.
std::vector<float> expand_weights(const TileLayout& layout, std::span<const std::uint8_t> packed,
                                  std::span<const float> alphas);

std::string_view to_string(AlphaScope scope);    // "tile", "layer"
std::string_view to_string(AlphaSource source);  // "weight", "scores", "learned"
std::string_view to_string(LatentForm latent);   // "full", "shared"
std::string_view to_string(TileForm form);       // "rows", "flat"
// "float", "binary" (p = 1) or "tiled(p=4)".
std::string to_string(const WeightEncoding& encoding);

}  // namespace tbn
