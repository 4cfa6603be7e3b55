// How large the packed file of a configuration will be, before anything is trained.
#pragma once

#include <string>

#include "config/config.h"
#include "data/dataset.h"
#include "export/packed_size.h"
#include "file/json.h"

namespace tbn {

// Of the file that tbn-export writes of such a run, without options, and without the rule of inputs
// and outputs (class names, sizes: some hundred bytes), which only the data can tell. The figures
// that training and the data's statistics put into its header are of the usual length: where theirs
// are shorter or longer the file may be a multiple of 64 bytes smaller or larger.
PackedSize future_size(const Config& config, const SampleSpec& samples);

// "163,456 bytes: 98,304 of tiles, ...", without the parts that are nothing.
std::string size_text(const PackedSize& size);

// {"bytes", "tiles", "scalars", "norms", "floats", "graph", "header", "test_vectors", "padding"}
Json size_json(const PackedSize& size);

}  // namespace tbn
