// Compares a layer with what a backend can multiply.
#include "encodings/support.h"

namespace tbn {
namespace {

// What a backend lacks of the layer's rows, for people; empty: nothing.
struct Lack {
  const Support& support;

  std::string operator()(const SignRows& /*signs*/) const { return ""; }
  std::string operator()(const FlatTile& /*flat*/) const {
    return support.flat_tiles ? "" : "a tile whose ends cut rows";
  }
  std::string operator()(const IntegerRows& integers) const {
    return support.integers ? "" : "integers of " + std::to_string(integers.bits) + " bits";
  }
  std::string operator()(const FloatRows& /*floats*/) const { return ""; }
};

}  // namespace

std::string refusal(const Support& support, const LayerRows& layer, const std::string& where) {
  std::string lack = std::visit(Lack{support}, layer.values);
  if (layer.terms.size() > 1 && !support.terms) {
    lack = "sums of " + std::to_string(layer.terms.size()) + " terms";
  }
  if (lack.empty()) return "";
  return where + ": its weights are " + lack + ", which " + std::string(support.backend) +
         " do not multiply; " + std::string(support.way_out);
}

}  // namespace tbn
