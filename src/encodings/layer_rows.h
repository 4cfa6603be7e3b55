// What a runtime multiplies, whatever the encoding: rows of values, and how their sums become
// outputs.
//
//   u[r] = sum over k of row[r][k] x[k]
//   y[c] = act(sum over terms of gain[c] u[row of c] + bias[c]), most often of one
//
// An encoding makes it of a layer's packed tensors (Encoding::rows). Rows count their inputs as the
// file does: channel by channel, tap by tap.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <variant>
#include <vector>

namespace tbn {

// How many scalars there are: one per layer, one per copy of the rows (in a weight: per slice), or
// one per output.
enum class ScalarsOf { kLayer, kCopies, kOutputs };

// The factors of outputs, as many as `of` says.
struct Gains {
  ScalarsOf of = ScalarsOf::kLayer;
  std::vector<float> values = {1.0f};
  float at(std::int64_t output, std::int64_t copy) const {
    const std::int64_t which = of == ScalarsOf::kLayer    ? 0
                               : of == ScalarsOf::kCopies ? copy
                                                          : output;
    return values[static_cast<std::size_t>(which)];
  }
};

// The alphabets: the values that weights can have. Spans borrow the file's tensors, or what
// LayerRows::keep owns.
struct SignRows {  // +1 and -1: bit i of byte j of a row is its weight 8 j + i, 1 means +1
  std::span<const std::uint8_t> bits;
  std::int64_t row_bytes = 0;
  bool is_positive(std::int64_t row, std::int64_t k) const {
    return (bits[static_cast<std::size_t>(row * row_bytes + k / 8)] >> (k % 8) & 1) != 0;
  }
};
// A tile whose ends cut rows: weight i of the n * m is bit i mod q, times a scalar. There is one
// scalar, one per slice (i / q), or one per output, which could also be a gain.
struct FlatTile {
  std::span<const std::uint8_t> bits;
  std::int64_t q = 0;
  ScalarsOf alphas_of = ScalarsOf::kLayer;
  std::span<const float> alphas;
  bool is_positive(std::int64_t i) const {
    const std::int64_t bit = i % q;
    return (bits[static_cast<std::size_t>(bit / 8)] >> (bit % 8) & 1) != 0;
  }
};
struct IntegerRows {                    // from -2^(bits - 1) to 2^(bits - 1), 2 to 8 bits
  std::span<const std::int8_t> values;  // [rows, inputs]
  int bits = 8;
};
struct FloatRows {
  std::span<const float> values;  // [rows, inputs]
};
using RowValues = std::variant<SignRows, FlatTile, IntegerRows, FloatRows>;

// Adds one sum to every output: it uses `rows` of the stored rows, and copy i of its row r goes to
// output r * row_step + i * copy_step. Terms may have rows in common.
struct Term {
  std::int64_t first_row = 0;
  std::int64_t rows = 0;
  std::int64_t row_step = 1;
  std::int64_t copy_step = 0;
  Gains gain;

  struct Place {
    std::int64_t row = 0;  // counted from the term's first row
    std::int64_t copy = 0;
  };
  Place place_of(std::int64_t output) const {
    if (row_step == 1) return {output % rows, output / rows};
    return {output / row_step, output % row_step};
  }
  float gain_of(std::int64_t output) const { return gain.at(output, place_of(output).copy); }
};

struct LayerRows {
  std::int64_t outputs = 0;  // n
  std::int64_t inputs = 0;   // m, of an output
  std::int64_t groups = 1;
  RowValues values;
  std::vector<Term> terms;                // one or more; a flat tile has one
  std::shared_ptr<const void> keep = {};  // owns what was decoded

  // The only term of a layer that has one.
  const Term& term() const { return terms.front(); }
  std::int64_t rows() const;  // stored rows
  // Whether one sum per row serves all outputs of the row, because they see the same inputs or
  // there is only one. Else each output needs a sum of its own in every term.
  bool shares_sums() const { return groups == 1 || (terms.size() == 1 && term().rows == outputs); }
  // The sums per pixel: one per row, or one per term and output.
  std::int64_t sums() const;
  // Which of these sums an output uses in a term.
  std::int64_t sum_of(std::size_t term, std::int64_t output) const;
};

// The rows as floats, one row per sum, without gains. Those of a flat tile include its scalars.
struct DenseRows {
  std::int64_t inputs = 0;
  std::vector<float> values;  // [sums, inputs]
  std::span<const float> row(std::int64_t r) const {
    return std::span(values).subspan(static_cast<std::size_t>(r * inputs),
                                     static_cast<std::size_t>(inputs));
  }
};
DenseRows dense_rows(const LayerRows& layer);

// The same layer with its integers as floats.
LayerRows with_float_rows(LayerRows layer);

// The same layer with one term: where it has more, its whole weight in float.
LayerRows with_one_term(LayerRows layer);

// The same layer; the scalars of a flat tile with one per output become gains.
LayerRows with_output_gains(LayerRows layer);

// The whole weight [outputs, inputs], gains included.
std::vector<float> expanded(const LayerRows& layer);

}  // namespace tbn
