// Every encoding in the forms that it has, with what each must come to: one table, over which every
// level is tested that treats encodings by their rooms (tests/encodings).
#pragma once

#include <string>
#include <vector>

#include "tbn/model.h"

namespace tbn::test {

struct EncodingCase {
  std::string text;                   // of the graph's text form, "tiled(p=3) order:interleave"
  std::string yaml;                   // fields of `weights:` that mean it
  std::string json;                   // of the graph's JSON
  std::vector<std::string> features;  // what a packed file with it alone names, sorted
  // Of 12 outputs and 15 inputs: as papers count, in the file, and sums where the inputs are alike.
  std::int64_t bits = 0;
  std::int64_t bytes = 0;
  std::int64_t sums = 0;
  WeightEncoding weights;
};

// A new encoding needs rows here: each of its fields at least at two values.
const std::vector<EncodingCase>& encoding_cases();

// Where weights stand: a linear layer of 12 outputs and 15 inputs, convolutions of one group, of
// two and of one per channel; alone with a bias, and before a norm and an activation.
std::vector<Graph> layers_of(const WeightEncoding& weights);

}  // namespace tbn::test
