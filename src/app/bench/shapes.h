// The layers that `tbn-bench layers` is asked for, from the texts of its options to graphs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tbn/graph.h"

namespace tbn::app {

std::vector<std::string> split(std::string_view text, char separator);

// "1,16,512": whole numbers from 1 to 2^31 - 1. Throws ConfigError beginning with `option`.
std::vector<std::int64_t> parse_numbers(const std::string& option, const std::string& text);

// A linear layer of "4096x4096", inputs x outputs, on `rows` rows; or a convolution of
// "64x32x32x64k3s1": C x H x W x outputs, kernel, stride. Tiled with p, or binary for p = 1. Throws
// ConfigError for other texts, p that divides nothing, and tensors of more than 2^28 values.
Graph linear_layer(std::int64_t rows, const std::string& size, std::int64_t p);
Graph conv_layer(const std::string& shape, std::int64_t p);

}  // namespace tbn::app
