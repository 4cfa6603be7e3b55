// What a compact packed file (feature `compact`, see tbn/file.h) says in fewer bytes: two tensors
// of a node in one entry, and JSON in JSON without a backslash before each quote.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "file/reader.h"
#include "tbn/tensor.h"

namespace tbn {

inline constexpr std::string_view kCompactFeature = "compact";
inline constexpr std::string_view kGeneratedFeature = "generated";

// Quotes and apostrophes change places; twice is nothing.
std::string with_quotes_swapped(std::string text);

// Pairs of vectors of one type and length: "fc.scale" [n] and "fc.bias" [n] are "fc.scale+bias"
// [2, n].
struct TensorPairs {
  TensorMap tensors;
  std::set<std::string, std::less<>> members;  // the names of those that lie in a pair
};
TensorPairs pairs_of(const TensorMap& tensors);

// Puts the two tensors of each pair in its place. Throws a DataError for a name that holds a plus
// and is no pair's, for a pair of another shape, and where a file holds a tensor twice.
void split_pairs(const Reader& reader, TensorMap& tensors);

}  // namespace tbn
