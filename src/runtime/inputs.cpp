// What a network's file says of its inputs and outputs, and the inputs made by it.
#include "prepare/inputs.h"
#include "tbn/runtime.h"

namespace tbn {
namespace {

const std::vector<std::string> kNoNames;

}  // namespace

const std::vector<std::string>& Network::classes() const {
  return rule_.output ? rule_.output->classes : kNoNames;
}

const std::vector<std::string>& Network::columns() const {
  return rule_.input ? rule_.input->columns : kNoNames;
}

void prepare_image(const Network& network, const Picture& picture, std::span<std::uint8_t> input) {
  prepare_image(network.rule(), network.input_shape(), picture, input);
}

std::vector<std::int64_t> prepare_points(const Network& network, std::span<const float> cloud,
                                         std::int64_t category, std::span<float> input) {
  return prepare_points(network.rule(), network.input_shape(), cloud, category, input);
}

void prepare_rows(const Network& network, std::span<const double> rows,
                  std::span<const std::string> columns, std::span<float> input) {
  prepare_rows(network.rule(), network.input_shape(), rows, columns, input);
}

}  // namespace tbn
