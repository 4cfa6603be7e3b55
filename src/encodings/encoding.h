// What there is to know of an encoding without LibTorch: a room each, one file of this folder.
#pragma once

#include <span>
#include <string>

#include "encodings/layer_rows.h"
#include "encodings/node_tensors.h"
#include "tbn/encodings.h"

namespace tbn {

// Functions are given an encoding of the room's own kind.
class Encoding {
 public:
  virtual ~Encoding() = default;

  // "float", "binary", "tiled(p=4)": for people.
  virtual std::string name(const WeightEncoding& encoding) const = 0;

  // What a runtime multiplies, of the packed tensors of a checked network; without a folded norm's
  // scale. Borrows the tensors.
  virtual LayerRows rows(const WeightEncoding& encoding, const LayerDims& dims,
                         const NodeTensors& tensors) const = 0;
};

// The room of an encoding.
const Encoding& encoding_of(const WeightEncoding& encoding);

// All rooms, in the order of WeightEncoding.
std::span<const Encoding* const> encodings();

}  // namespace tbn
