// How large the packed file of a configuration will be, before anything is trained.
#pragma once

#include <exception>
#include <map>
#include <optional>
#include <string>

#include "config/config.h"
#include "data/source/dataset.h"
#include "data/source/image_set.h"
#include "export/packed_size.h"
#include "file/json.h"

namespace tbn {

// What is known of the file to come, and of the network in it, besides its layers.
struct FutureFrame {
  std::map<std::string, std::string> metadata;
  std::int64_t test_vectors = 1;  // of tbn-export, unless it is told otherwise
  std::optional<Units> units;
  std::optional<ChannelStatistics> statistics;  // by which the network normalises its inputs
  std::string without_rule;                     // as FutureSize has it, and:
  std::exception_ptr broken_data;
};

// Reads the data where it is there, for its rule and statistics.
FutureFrame future_frame(const Config& config, const SampleSpec& samples);

// Why a network is too large to be packed before it is trained, from shapes alone; empty where it
// is not.
std::string too_large_to_pack(const Graph& training_graph);

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
