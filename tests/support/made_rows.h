// Layers whose rows no encoding makes (yet): LayerRows by hand, each beside a network of the same
// layer with the whole weight in float, which is what the formulas in double are given.
#pragma once

#include <string>
#include <vector>

#include "graph/node_rows.h"
#include "tbn/model.h"

namespace tbn::test {

struct MadeRows {
  std::string what;
  Model model;  // its layer "layer" has float weights, each summed up in double
  LayerRows rows;
  // For backends: the rows for the layer of that name, its encoding's for others. Refers to this.
  RowsOf rows_of() const;
};

// Integers over every place of a layer: widths, copies of rows and their orders, and gains.
std::vector<MadeRows> made_integers();
// Layers of two terms and more, of every alphabet that can have them.
std::vector<MadeRows> made_terms();

}  // namespace tbn::test
