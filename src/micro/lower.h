// From a packed model to the network that a microcontroller runs.
#pragma once

#include "graph/node_rows.h"
#include "micro/network.h"
#include "tbn/model.h"

namespace tbn::micro {

// Throws ConfigError that names the node where the network has an op or weights that
// microcontrollers lack, or sizes beyond what the kernels count (65,535 a side, a window, outputs).
// Layers multiply what `rows_of` gives.
Network lower(const Model& packed, const RowsOf& rows_of = layer_rows);

// Values of a vector given channels first, as data sets have them, channels last, and back.
template <class T>
std::vector<T> channels_last(const Map& map, const T* values) {
  std::vector<T> out(static_cast<std::size_t>(map.size()));
  for (std::int64_t c = 0; c < map.c; ++c) {
    for (std::int64_t i = 0; i < map.h * map.w; ++i) {
      out[static_cast<std::size_t>(i * map.c + c)] = values[c * map.h * map.w + i];
    }
  }
  return out;
}

}  // namespace tbn::micro
