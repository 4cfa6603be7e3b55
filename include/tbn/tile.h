/// @file
/// The method in one place, without LibTorch: how a weight tensor is cut into tiles, how a tile is
/// built from latents, packed into bits and expanded again (arXiv 2407.12075, section 3).
///
/// A weight tensor has shape [n, m]: n outputs (rows) of m inputs, N = n * m weights, row-major.
/// With compression factor p its tile has q = N / p bits:
///
///     s  = sum over the p slices of W.flatten().reshape(p, q)     aggregation
///     t  = +1 where s > 0, else -1                                the tile
///     B^ = alpha_i * t for slice i = 1..p                         reuse, scaled
///
///     TileLayout layout = tile_layout(128, 784, 4);               // rows form: 32 unique rows
///     std::vector<std::uint8_t> bits = pack_tile(layout, s);      // 32 * 98 bytes
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tbn {

/// One scalar per slice of the weight tensor, one for the whole layer, or one per output.
enum class AlphaScope { kTile, kLayer, kOutput };
/// Which outputs share a row of the tile, in rows form. Repeat: output c takes row c mod R, as in
/// the paper. Interleave: row c / p, so that p neighbours share one; for outputs whose neighbours
/// are alike, as the steps of a forecast.
enum class TileOrder { kRepeat, kInterleave };
/// Rows: p divides n, the tile is R = n / p whole rows and R dot products make all n outputs. Flat:
/// p divides n * m only, tile ends cut rows, and the weight must be expanded.
enum class TileForm { kRows, kFlat };

/// How the weight [n, m] of a layer is cut into p slices that share a tile.
struct TileLayout {
  std::int64_t outputs = 0;              ///< n
  std::int64_t inputs = 0;               ///< m
  std::int64_t p = 1;                    ///< compression factor
  std::int64_t q = 0;                    ///< bits of the tile, n * m / p
  TileForm form = TileForm::kRows;       ///< whether tile ends cut rows
  TileOrder order = TileOrder::kRepeat;  ///< which outputs share a row

  /// The row of the tile that output c uses (rows form).
  std::int64_t row_of(std::int64_t c) const {
    return order == TileOrder::kRepeat ? c % rows() : c / p;
  }
  /// Which of the p slices output c belongs to, from 0 (rows form).
  std::int64_t slice_of(std::int64_t c) const {
    return order == TileOrder::kRepeat ? c / rows() : c % p;
  }
  /// The number of scalars of a layer: p, 1 or n.
  std::int64_t scalars(AlphaScope scope) const {
    return scope == AlphaScope::kTile ? p : scope == AlphaScope::kOutput ? outputs : 1;
  }

  /// Rows of the tile as the packed file holds it, each of which starts on a byte: R = n / p in
  /// rows form, one in flat form.
  std::int64_t rows() const { return form == TileForm::kRows ? outputs / p : 1; }
  /// Bits of such a row, without padding.
  std::int64_t row_bits() const { return form == TileForm::kRows ? inputs : q; }
  /// Bytes of such a row, padded.
  std::int64_t row_bytes() const { return (row_bits() + 7) / 8; }
  /// Bytes of the whole tile.
  std::int64_t packed_bytes() const { return rows() * row_bytes(); }
  /// N = n * m.
  std::int64_t weights() const { return outputs * inputs; }
  bool operator==(const TileLayout&) const = default;
};

/// The layout of a weight [outputs, inputs]: rows form where p divides n, else flat form where it
/// divides n * m. Otherwise throws ConfigError with the nearest factors that work, beginning with
/// `layer` (for example "conv 'layer1.0.conv1'"); also where rows are to be interleaved and p does
/// not divide n.
TileLayout tile_layout(std::int64_t outputs, std::int64_t inputs, std::int64_t p,
                       std::string_view layer = "layer", TileOrder order = TileOrder::kRepeat);

/// The bit of the tile, 0 to q - 1, that weight k of the n * m uses.
std::int64_t tile_index(const TileLayout& layout, std::int64_t k);
/// The scalar, of those that `scope` asks for, that weight k of the n * m uses.
std::int64_t scalar_index(const TileLayout& layout, AlphaScope scope, std::int64_t k);

/// s [q] of section 3: the sum of the p latents of each bit of the tile, from float or double
/// latents [n * m]. They are added in the order of the slices, so that it rounds as in the trainer.
template <class T>
std::vector<T> aggregate(const TileLayout& layout, std::span<const T> latents);

/// The scalars of `scope`: for each the mean of |values| [n * m] over its weights (section 3).
template <class T>
std::vector<T> mean_magnitudes(const TileLayout& layout, AlphaScope scope,
                               std::span<const T> values);

/// Signs of the aggregated latents s [q], packed: bit i of byte j of a row is its weight 8j + i, 1
/// means +1 (s > 0). Padding bits are 0. The result has layout.packed_bytes() bytes.
template <class T>
std::vector<std::uint8_t> pack_tile(const TileLayout& layout, std::span<const T> aggregated);

/// The tile's signs [q] as +1 or -1. `packed` must have layout.packed_bytes() bytes.
std::vector<float> unpack_tile(const TileLayout& layout, std::span<const std::uint8_t> packed);

/// The scope that has that number of scalars: 1, p or n. Throws InternalError for another number.
AlphaScope scope_of(const TileLayout& layout, std::size_t scalars);

/// The whole weight tensor [n * m], B^ = alpha_i * t. `alphas` holds p scalars, n or one.
std::vector<float> expand_weights(const TileLayout& layout, std::span<const std::uint8_t> packed,
                                  std::span<const float> alphas);

std::string_view to_string(AlphaScope scope);  ///< "tile", "layer", "output"
std::string_view to_string(TileOrder order);   ///< "repeat", "interleave"
std::string_view to_string(TileForm form);     ///< "rows", "flat"

}  // namespace tbn
