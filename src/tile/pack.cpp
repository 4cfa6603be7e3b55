// The tile's arithmetic on plain numbers (arXiv 2407.12075, section 3): aggregation, scalars,
// packing into bits and expansion.
#include <cmath>

#include "tbn/error.h"
#include "tbn/tile.h"

namespace tbn {
namespace {

template <class T>
void check_count(std::span<const T> values, std::int64_t wanted, const char* what) {
  TBN_CHECK(static_cast<std::int64_t>(values.size()) == wanted, what);
}

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

// Where bit k of the tile (k < q) lies in the packed bytes.
struct BitPlace {
  std::size_t byte;
  unsigned shift;
};
BitPlace place_of(const TileLayout& layout, std::int64_t k) {
  const std::int64_t row = k / layout.row_bits();
  const std::int64_t column = k % layout.row_bits();
  return {index(row * layout.row_bytes() + column / 8), static_cast<unsigned>(column % 8)};
}

}  // namespace

template <class T>
std::vector<T> aggregate(const TileLayout& layout, std::span<const T> latents) {
  check_count(latents, layout.weights(), "one latent per weight");
  std::vector<T> sum(index(layout.q), T(0));
  for (std::int64_t k = 0; k < layout.weights(); ++k) {
    sum[index(tile_index(layout, k))] += latents[index(k)];
  }
  return sum;
}

template <class T>
std::vector<T> mean_magnitudes(const TileLayout& layout, AlphaScope scope,
                               std::span<const T> values) {
  check_count(values, layout.weights(), "one value per weight");
  const std::int64_t scalars = layout.scalars(scope);
  std::vector<double> sums(index(scalars), 0.0);
  for (std::int64_t k = 0; k < layout.weights(); ++k) {
    sums[index(scalar_index(layout, scope, k))] += std::abs(static_cast<double>(values[index(k)]));
  }
  const std::int64_t of_scalar = layout.weights() / scalars;
  const auto length = static_cast<double>(of_scalar);
  std::vector<T> means;
  means.reserve(sums.size());
  for (const double sum : sums) means.push_back(static_cast<T>(sum / length));
  return means;
}

template <class T>
std::vector<std::uint8_t> pack_tile(const TileLayout& layout, std::span<const T> aggregated) {
  check_count(aggregated, layout.q, "one aggregated latent a bit");
  std::vector<std::uint8_t> packed(index(layout.packed_bytes()), 0);
  for (std::int64_t k = 0; k < layout.q; ++k) {
    if (!(aggregated[index(k)] > T(0))) continue;
    const BitPlace place = place_of(layout, k);
    packed[place.byte] = static_cast<std::uint8_t>(packed[place.byte] | (1u << place.shift));
  }
  return packed;
}

std::vector<float> unpack_tile(const TileLayout& layout, std::span<const std::uint8_t> packed) {
  check_count(packed, layout.packed_bytes(), "packed bytes of the tile");
  std::vector<float> signs(index(layout.q));
  float* sign = signs.data();
  for (std::int64_t r = 0; r < layout.rows(); ++r) {
    const std::uint8_t* row = packed.data() + r * layout.row_bytes();
    for (std::int64_t i = 0; i < layout.row_bits(); ++i) {
      *sign++ = (row[i / 8] >> (i % 8) & 1) != 0 ? 1.0f : -1.0f;
    }
  }
  return signs;
}

std::vector<float> expand_weights(const TileLayout& layout, std::span<const std::uint8_t> packed,
                                  std::span<const float> alphas) {
  const AlphaScope scope = scope_of(layout, alphas.size());
  const std::vector<float> tile = unpack_tile(layout, packed);
  std::vector<float> weights(index(layout.weights()));
  for (std::int64_t k = 0; k < layout.weights(); ++k) {
    weights[index(k)] =
        alphas[index(scalar_index(layout, scope, k))] * tile[index(tile_index(layout, k))];
  }
  return weights;
}

template std::vector<float> aggregate(const TileLayout&, std::span<const float>);
template std::vector<double> aggregate(const TileLayout&, std::span<const double>);
template std::vector<float> mean_magnitudes(const TileLayout&, AlphaScope, std::span<const float>);
template std::vector<double> mean_magnitudes(const TileLayout&, AlphaScope,
                                             std::span<const double>);
template std::vector<std::uint8_t> pack_tile(const TileLayout&, std::span<const float>);
template std::vector<std::uint8_t> pack_tile(const TileLayout&, std::span<const double>);

}  // namespace tbn
