// Reading and replacing the tensors of one node.
#include "encodings/node_tensors.h"

#include "tbn/error.h"

namespace tbn {

std::vector<double> doubles_of(const TensorMap& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  TBN_CHECK(found != tensors.end(), "no tensor '" + name + "'; do the passes run in order?");
  const std::span<const float> values = found->second.values<float>();
  return {values.begin(), values.end()};
}

HostTensor float_tensor(const Shape& shape, std::span<const double> values) {
  std::vector<float> floats(values.size());
  for (std::size_t i = 0; i < values.size(); ++i) floats[i] = static_cast<float>(values[i]);
  return HostTensor::of<float>(shape, floats);
}

std::vector<double> EditableTensors::doubles(std::string_view suffix) const {
  return doubles_of(editable_, name_of(suffix));
}

void EditableTensors::put(std::string_view suffix, HostTensor tensor) {
  editable_[name_of(suffix)] = std::move(tensor);
}

void EditableTensors::put_floats(std::string_view suffix, const Shape& shape,
                                 std::span<const double> values) {
  put(suffix, float_tensor(shape, values));
}

void EditableTensors::erase(std::string_view suffix) { editable_.erase(name_of(suffix)); }

}  // namespace tbn
