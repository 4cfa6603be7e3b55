// Which forms of LayerRows a backend can multiply. Every backend takes rows of signs and of floats
// in one term, and lists here what it takes besides. A layer that needs more is refused by name.
#pragma once

#include <string>
#include <string_view>

#include "encodings/layer_rows.h"

namespace tbn {

struct Support {
  bool flat_tiles = false;
  bool integers = false;
  bool terms = false;        // more than one
  std::string_view backend;  // "microcontrollers", for errors
  std::string_view way_out;  // "export the network as .tbn"
};

// "linear 'fc': its weights are integers of 6 bits, which microcontrollers do not multiply; export
// the network as .tbn"; empty where the backend multiplies the layer. `where` is as errors begin.
std::string refusal(const Support& support, const LayerRows& layer, const std::string& where);

}  // namespace tbn
