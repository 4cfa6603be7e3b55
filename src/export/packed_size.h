// What the bytes of a packed file are spent on, of a file that is there or of one to come.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "graph/passes/units.h"
#include "tbn/file.h"
#include "tbn/model.h"

namespace tbn {

// All in bytes; the parts add up to `file`.
struct PackedSize {
  std::int64_t file = 0;
  std::int64_t tiles = 0;   // bits of tiled and binary layers, rows padded to bytes
  std::int64_t levels = 0;  // integers of uniform layers, rows padded to bytes
  std::int64_t scalars =
      0;                    // of tiles and outputs, norms' factors that they have taken in included
  std::int64_t norms = 0;   // biases, and what is left of norms
  std::int64_t floats = 0;  // float weights, positions and other learned tables
  std::int64_t graph = 0;   // the network as JSON, as it stands in the header
  std::int64_t header = 0;  // the rest of the header: tensors' places, metadata, checksums
  std::int64_t test_vectors = 0;  // for tbn-eval --verify; what a generator makes takes none
  std::int64_t prepared = 0;      // weights as kernels read them, see tbn-export --prepare
  std::int64_t padding = 0;       // of the header, up to a multiple of 64

  bool operator==(const PackedSize&) const = default;
};

// The size of what write_packed() writes, measured by the writer itself.
PackedSize packed_size(const PackedFile& file);

// The compact file that a network will have once it is trained and exported, with that number of
// test vectors: what training does not change is as it will be, the values are arbitrary.
// `metadata` is that of the file, `units` are those of a forecaster that takes and gives original
// values, `scalars` is kF32 or kF16.
PackedFile future_file(const Graph& training_graph, std::map<std::string, std::string> metadata,
                       std::int64_t test_vectors, const std::optional<Units>& units = {},
                       DType scalars = DType::kF32);

}  // namespace tbn
