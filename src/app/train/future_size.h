// How large the packed file of a configuration will be, before anything is trained.
#pragma once

#include <exception>
#include <optional>
#include <string>

#include "config/config.h"
#include "data/source/dataset.h"
#include "export/packed_size.h"
#include "file/json.h"

namespace tbn {

struct FutureSize {
  std::optional<PackedSize> file;
  // Why there is none; else empty.
  std::string unknown;
  // Why the data could not be asked for its rule (class names, sizes, columns: some hundred bytes),
  // which the file of a run has besides; empty where it is in.
  std::string without_rule;
  // The error where the data are there and cannot be read; null else.
  std::exception_ptr broken_data;
};

// The size of the file that tbn-export writes of such a run, without options. The data is read
// where it is there, for its rule and statistics; else the statistics are of the usual length. So
// are the figures of training: where they are shorter or longer the file may be a multiple of 64
// bytes smaller or larger. The file is made in memory, so that there is none of networks whose
// weights take more than 1 GiB in training, nor of those that no file may hold.
FutureSize future_size(const Config& config, const SampleSpec& samples);

// "163,456 bytes: 98,304 of tiles, ...", without the parts that are nothing.
std::string size_text(const PackedSize& size);

// {"bytes", "tiles", "scalars", "norms", "floats", "graph", "header", "test_vectors", "padding"}
Json size_json(const PackedSize& size);

}  // namespace tbn
