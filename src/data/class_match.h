// Matches the classes of a data set with the outputs of a network that was trained elsewhere or
// earlier: by name, since a label is only an index into a list, which another folder changes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/source/dataset.h"

namespace tbn {

struct ClassMatch {
  std::vector<std::int64_t> outputs;  // for each class of the data, the network's
  std::string note;  // what the user should know: another order, fewer classes; or empty
};

// Of a network whose file says what its classes are called. Names are compared where the data has a
// folder a class; with `by_place`, and where both are the same built-in set, only how many there
// are. Throws DataError, beginning with `where`, for a class that the network does not have (with
// its nearest name; `way_out` ends the sentence where `by_place` would do), and where only the
// number counts and it is another.
ClassMatch match_classes(const OutputRule& network, const SampleSpec& data, bool by_place,
                         const std::string& where, const std::string& way_out = "");

// The data with the network's classes: its spec, and labels that are the network's.
std::shared_ptr<const Dataset> with_classes_of(const OutputRule& network,
                                               std::shared_ptr<const Dataset> data,
                                               const ClassMatch& match);

}  // namespace tbn
