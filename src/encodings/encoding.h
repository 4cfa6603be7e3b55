// The interface of an encoding without LibTorch. Each encoding implements it in one file of this
// folder, its room.
#pragma once

#include <cstdint>
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

// A setting that contradicts others, and the error message.
struct Contradiction {
  std::string_view key;
  std::string message;
};

// What a search may choose from, layer by layer.
struct ChoiceLimits {
  std::vector<std::int64_t> factors = {1, 2, 4, 8, 16};  // p of tiled layers
  std::int64_t least_rows = 4;                           // that a tile stores
  std::vector<std::int64_t> bits = {4, 6, 8};            // per weight of uniform layers
};

// One kind of encoding. `encoding` is always of the room's own kind, and the names of TensorSpecs
// are suffixes, without the node's name.
class Encoding {
 public:
  virtual ~Encoding() = default;

  // Its name in JSON, where binary weights are "tiled" too.
  virtual std::string_view word() const = 0;
  // The encoding with its default settings.
  virtual WeightEncoding standard() const = 0;
  // Its settings.
  virtual std::span<const Field> fields() const { return {}; }

  // The words for it in configurations and summaries: "tiled", "binary".
  virtual std::vector<std::string_view> words() const { return {word()}; }
  // Which of these words `encoding` has.
  virtual std::string_view word_of(const WeightEncoding& /*encoding*/) const { return word(); }
  // Sets what the word of a configuration implies (p = 1 for "binary"); settings that then mean
  // nothing get their defaults.
  virtual void settle(WeightEncoding& /*encoding*/, std::string_view /*word*/) const {}
  // What its settings contradict in each other, for any layer.
  virtual std::optional<Contradiction> contradiction(const WeightEncoding& /*encoding*/) const {
    return {};
  }

  // "float", "binary", "tiled(p=4)": for people.
  virtual std::string name(const WeightEncoding& encoding) const = 0;

  // Throws ConfigError, beginning with dims.where, where a weight of this shape cannot have it.
  // It has been called before each function below.
  virtual void check(const WeightEncoding& encoding, const LayerDims& dims) const = 0;

  // Decides how outputs share weights by what the outputs are, where the settings leave it open.
  virtual void fit_steps(WeightEncoding& /*encoding*/, const LayerDims& /*dims*/,
                         const StepsAhead& /*steps*/) const {}

  // What a search may give a weight of this shape: `encoding` with other values of the setting that
  // it is named by. Each must pass check(). `encoding` alone where there is nothing to choose.
  virtual std::vector<WeightEncoding> choices(const WeightEncoding& encoding,
                                              const LayerDims& /*dims*/,
                                              const ChoiceLimits& /*limits*/) const {
    return {encoding};
  }

  // What a weight of this shape costs.
  virtual EncodingCost cost(const WeightEncoding& encoding, const LayerDims& dims) const = 0;

  // The tensors of the weight while it is trained.
  virtual std::vector<TensorSpec> training_tensors(const WeightEncoding& encoding,
                                                   const LayerDims& dims) const = 0;

  // The tensors of the weight in the packed file. `scaled`: a norm was folded into the layer; its
  // `scale` is not listed here.
  virtual std::vector<TensorSpec> packed_tensors(const WeightEncoding& encoding,
                                                 const LayerDims& dims, bool scaled) const = 0;

  // Export: turns the tensors of training into the packed ones, rounding as the trainer does, and
  // resets the settings of `encoding` that only training needs.
  virtual void pack(WeightEncoding& encoding, const LayerDims& dims,
                    EditableTensors& tensors) const = 0;

  // Export, after pack(): multiplies the scalars that are factors of outputs into a folded norm's
  // `scale` [n], and removes them.
  virtual void absorb(const WeightEncoding& encoding, const LayerDims& dims,
                      EditableTensors& tensors, std::span<double> scale) const = 0;

  // The features that a reader of the packed file must know (tbn/file.h).
  virtual std::vector<std::string_view> features(const WeightEncoding& encoding) const = 0;

  // Checks packed tensors, whose types and shapes are right and whose floats are finite: throws
  // DataError, beginning with dims.where, for values that pack() never makes.
  virtual void check_values(const WeightEncoding& /*encoding*/, const LayerDims& /*dims*/,
                            const NodeTensors& /*tensors*/) const {}

  // What a runtime multiplies, made from the packed tensors of a checked network, without the scale
  // of a folded norm. Borrows the tensors.
  virtual LayerRows rows(const WeightEncoding& encoding, const LayerDims& dims,
                         const NodeTensors& tensors) const = 0;
};

// The room of an encoding.
const Encoding& encoding_of(const WeightEncoding& encoding);

// The room with that Encoding::word(), or null.
const Encoding* find_encoding(std::string_view word);

// The room with that word among its Encoding::words(). Throws InternalError where there is none.
const Encoding& encoding_named(std::string_view word);
// The encoding that a word of a configuration means. `setting` gives the value of each field of its
// room; the word for an open field leaves it at its default.
WeightEncoding make_encoding(std::string_view word,
                             const std::function<FieldValue(const Field&)>& setting);

// All rooms, in the order of WeightEncoding.
std::span<const Encoding* const> encodings();

}  // namespace tbn
