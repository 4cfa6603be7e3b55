// The weights of a layer in the order that its product reads them: those that the packed file holds
// prepared, where they are, or else made of its other tensors and kept in memory. Names and orders
// are specified in tbn/file.h: who changes an order changes its version there and here.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/function_ref.h"
#include "runtime/cpu/reference/layer.h"
#include "tbn/model.h"

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
  // Keeps references to all of these. `outputs` is the node's layer without its weights.
  LayerWeights(const Graph& graph, const TensorMap& tensors, const Node& node,
               const reference::Layer& outputs, const Prepared& prepared)
      : graph_(graph), tensors_(tensors), node_(node), outputs_(outputs), prepared_(prepared) {}

  std::int64_t rows() const { return outputs_.rows; }

  // `pack` is given the layer with its weights and so many bytes of 0 to fill. The result is whole
  // lines and borrows them: a copy of it costs nothing. Throws DataError where the file holds the
  // layout with another size.
  using Pack = FunctionRef<void(const reference::Layer& layer, std::byte* to)>;
  HostTensor in(const std::string& layout, std::int64_t bytes, Pack pack) const;
  // The same of floats, of which a file's must be finite.
  HostTensor floats_in(const std::string& layout, std::int64_t bytes, Pack pack) const;

  // How many weights of each row are +1; of layers whose rows are those of the tile.
  std::vector<std::int64_t> positives() const;

 private:
  std::string name_in(const std::string& layout) const;

  const Graph& graph_;
  const TensorMap& tensors_;
  const Node& node_;
  const reference::Layer& outputs_;
  const Prepared& prepared_;
};

// The values of weights that lie in a tensor of lines.
template <class T>
const T* values_of(const HostTensor& lines) {
  return reinterpret_cast<const T*>(lines.bytes().data());
}

}  // namespace tbn::fast
