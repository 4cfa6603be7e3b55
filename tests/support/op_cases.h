// Every op of a packed network with odd shapes: one table, over which each backend is compared with
// the evaluator in double (naive_eval.h).
#pragma once

#include <string>
#include <vector>

#include "tbn/model.h"

namespace tbn::test {

struct OpCase {
  std::string what;
  Shape input;
  Op op;
  // What the op reads, made of the graph's input.
  std::vector<Value> (*inputs)(Value) = [](Value x) { return std::vector<Value>{x}; };
};

// A new op needs a case here.
std::vector<OpCase> op_cases();

// The network of the op alone, with random tensors.
Model packed_case(const OpCase& c);

}  // namespace tbn::test
