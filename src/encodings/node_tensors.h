// The tensors of one node, by their suffix: what an encoding is given of a network.
#pragma once

#include <span>
#include <string>
#include <string_view>

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

 private:
  std::string name_of(std::string_view suffix) const { return prefix_ + std::string(suffix); }

  const TensorMap& tensors_;
  std::string prefix_;
};

}  // namespace tbn
