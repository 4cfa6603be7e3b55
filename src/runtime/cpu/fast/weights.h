// The weights of a layer in the order that its product reads them: those that the packed file holds
// prepared, where they are, or else made of its other tensors and kept in memory. Names and orders
// are specified in tbn/file.h: a change of an order needs a new version there and here.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "encodings/layer_rows.h"
#include "tbn/tensor.h"

namespace tbn::fast {

// Prepared weights by their names.
struct Prepared {
  const TensorMap* held = nullptr;  // those of a file; null: none
  TensorMap* used = nullptr;        // where those that are used go as well; null: nowhere
};

// "signs-1-5-6-3": a kind of kernel, the version of the order, and what it leaves open.
std::string layout_name(std::string_view kind, std::initializer_list<std::int64_t> numbers);

class LayerWeights {
 public:
  // Keeps references to all of these.
  LayerWeights(const LayerRows& rows, const std::string& node, const Prepared& prepared)
      : rows_(rows), node_(node), prepared_(prepared) {}

  std::int64_t rows() const { return rows_.sums(); }
  // Whether they are +1 and -1, a row for every sum.
  bool are_signs() const {
    return rows_.shares_sums() && std::holds_alternative<SignRows>(rows_.values);
  }

  // Whether they are integers, a row for every sum.
  bool are_integers() const {
    return rows_.shares_sums() && std::holds_alternative<IntegerRows>(rows_.values);
  }

  // `pack` is given the weights and so many bytes of 0 to fill. The result is whole
  // lines and borrows them: a copy of it costs nothing. Throws DataError where the file holds the
  // layout with another size.
  using Pack = FunctionRef<void(const DenseRows& weights, std::byte* to)>;
  HostTensor in(const std::string& layout, std::int64_t bytes, Pack pack) const;
  // The same of floats, of which a file's must be finite.
  HostTensor floats_in(const std::string& layout, std::int64_t bytes, Pack pack) const;

  // The sum of each row; of signs and of integers.
  std::vector<std::int32_t> totals() const;

 private:
  std::string name_in(const std::string& layout) const;

  const LayerRows& rows_;
  const std::string& node_;
  const Prepared& prepared_;
};

// The values of weights that lie in a tensor of lines.
template <class T>
const T* values_of(const HostTensor& lines) {
  return reinterpret_cast<const T*>(lines.bytes().data());
}

}  // namespace tbn::fast
