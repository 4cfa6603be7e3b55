// The tensors of one node, by their suffix: what an encoding is given of a network.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tbn/tensor.h"

namespace tbn {

// Refers to the map; "alpha" is its "<node>.alpha".
class NodeTensors {
 public:
  NodeTensors(const TensorMap& tensors, std::string_view node)
      : tensors_(tensors), prefix_(std::string(node) + ".") {}

  bool has(std::string_view suffix) const { return tensors_.contains(name_of(suffix)); }
  template <class T>
  std::span<const T> values(std::string_view suffix) const {
    return tensors_.at(name_of(suffix)).values<T>();
  }

 protected:
  std::string name_of(std::string_view suffix) const { return prefix_ + std::string(suffix); }

 private:
  const TensorMap& tensors_;
  std::string prefix_;
};

// The same while a network is exported.
class EditableTensors : public NodeTensors {
 public:
  EditableTensors(TensorMap& tensors, std::string_view node)
      : NodeTensors(tensors, node), editable_(tensors) {}

  // Throws InternalError where there is none.
  std::vector<double> doubles(std::string_view suffix) const;
  void put(std::string_view suffix, HostTensor tensor);
  void put_floats(std::string_view suffix, const Shape& shape, std::span<const double> values);
  void erase(std::string_view suffix);

 private:
  TensorMap& editable_;
};

std::vector<double> doubles_of(const TensorMap& tensors, const std::string& name);
// A tensor of float32.
HostTensor float_tensor(const Shape& shape, std::span<const double> values);

}  // namespace tbn
