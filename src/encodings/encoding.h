// What there is to know of an encoding without LibTorch: a room each, one file of this folder.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "encodings/fields.h"
#include "encodings/layer_rows.h"
#include "encodings/node_tensors.h"
#include "tbn/encodings.h"
#include "tbn/tensor_spec.h"

namespace tbn {

// What a weight costs. A float is 32 bits.
struct EncodingCost {
  std::string form;  // "rows", "8 bits", "" where there is one form
  std::int64_t p = 1;
  std::int64_t tile_length = 0;  // bits of the tile; 0 where it has none
  std::int64_t scalars = 0;
  std::int64_t bits = 0;   // of weights and scalars, as papers count them
  std::int64_t bytes = 0;  // in the packed file, where no norm takes the scalars in
  std::int64_t sums = 0;   // of m products for one pixel: n, or fewer where outputs share them
};

// A setting that does not go with others, and what is said of it.
struct Contradiction {
  std::string_view key;
  std::string message;
};

// Functions are given an encoding of the room's own kind. The names of TensorSpecs are suffixes.
class Encoding {
 public:
  virtual ~Encoding() = default;

  // What JSON calls it, binary weights too being "tiled"; and its default.
  virtual std::string_view word() const = 0;
  virtual WeightEncoding standard() const = 0;
  virtual std::span<const Field> fields() const { return {}; }

  // The words of configurations and summaries, and which of them an encoding has: "binary".
  virtual std::vector<std::string_view> words() const { return {word()}; }
  virtual std::string_view word_of(const WeightEncoding& /*encoding*/) const { return word(); }
  // Makes an encoding of a configuration's fields what its word says. What then means nothing has
  // its default.
  virtual void settle(WeightEncoding& /*encoding*/, std::string_view /*word*/) const {}
  // Between its fields, whatever the layer.
  virtual std::optional<Contradiction> contradiction(const WeightEncoding& /*encoding*/) const {
    return {};
  }

  // "float", "binary", "tiled(p=4)": for people.
  virtual std::string name(const WeightEncoding& encoding) const = 0;

  // Throws ConfigError, beginning with dims.where, where a weight of this shape cannot have it.
  // What follows may count on it.
  virtual void check(const WeightEncoding& encoding, const LayerDims& dims) const = 0;

  // What is known of the outputs decides how they share weights, where that was left open.
  virtual void fit_steps(WeightEncoding& /*encoding*/, const LayerDims& /*dims*/,
                         const StepsAhead& /*steps*/) const {}

  virtual EncodingCost cost(const WeightEncoding& encoding, const LayerDims& dims) const = 0;

  // What a layer owns of its weight while it is trained.
  virtual std::vector<TensorSpec> training_tensors(const WeightEncoding& encoding,
                                                   const LayerDims& dims) const = 0;

  // And in the packed file. `scaled`: a norm was folded in, whose `scale` is not listed here.
  virtual std::vector<TensorSpec> packed_tensors(const WeightEncoding& encoding,
                                                 const LayerDims& dims, bool scaled) const = 0;

  // Export: makes the packed tensors of those in training, rounding as the trainer does. How they
  // were trained is forgotten.
  virtual void pack(WeightEncoding& encoding, const LayerDims& dims,
                    EditableTensors& tensors) const = 0;

  // Export, after pack(): multiplies those scalars that are factors of outputs into a folded
  // norm's `scale` [n], and drops them.
  virtual void absorb(const WeightEncoding& encoding, const LayerDims& dims,
                      EditableTensors& tensors, std::span<double> scale) const = 0;

  // What a reader of the packed file must know, as tbn/file.h lists it.
  virtual std::vector<std::string_view> features(const WeightEncoding& encoding) const = 0;

  // Of packed tensors of the right types and shapes, finite where they are floats: throws
  // DataError, beginning with dims.where, for values that pack() never makes.
  virtual void check_values(const WeightEncoding& /*encoding*/, const LayerDims& /*dims*/,
                            const NodeTensors& /*tensors*/) const {}

  // What a runtime multiplies, of the packed tensors of a checked network; without a folded norm's
  // scale. Borrows the tensors.
  virtual LayerRows rows(const WeightEncoding& encoding, const LayerDims& dims,
                         const NodeTensors& tensors) const = 0;
};

// The room of an encoding.
const Encoding& encoding_of(const WeightEncoding& encoding);

// The room of Encoding::word(), or null.
const Encoding* find_encoding(std::string_view word);

// The room of one of Encoding::words(); throws InternalError where there is none.
const Encoding& encoding_named(std::string_view word);
// What a word of a configuration means; `setting` gives the value of each field of its room, which
// an open one leaves at its default.
WeightEncoding make_encoding(std::string_view word,
                             const std::function<FieldValue(const Field&)>& setting);

// All rooms, in the order of WeightEncoding.
std::span<const Encoding* const> encodings();

}  // namespace tbn
