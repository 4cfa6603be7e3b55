// The C interface to what a file's rule says: names, and inputs made by it.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "base/counted.h"
#include "runtime/c_handles.h"
#include "tbn/prepare.h"

namespace tbn::c {
namespace {

// The next name at `index`; null past the end.
tbn_status give_name(const tbn_network* network,
                     const std::vector<std::string>& (Network::*names)() const, std::size_t index,
                     const char** name) {
  return guarded([&] {
    require(name, "name");
    *name = nullptr;
    require(network, "network");
    const std::vector<std::string>& all = ((*network->shared).*names)();
    if (index < all.size()) *name = all[index].c_str();
  });
}

template <class T>
std::span<T> values(T* first, std::size_t count, const char* name) {
  if (count > 0) require(first, name);
  return {first, count};
}

std::vector<std::string> names_of(const char* const* columns, std::size_t count) {
  std::vector<std::string> names;
  if (columns == nullptr) return names;
  for (std::size_t i = 0; i < count; ++i) {
    require(columns[i], "a column's name");
    names.emplace_back(columns[i]);
  }
  return names;
}

}  // namespace
}  // namespace tbn::c

using tbn::Network;
using tbn::c::guarded;
using tbn::c::require;
using tbn::c::values;

extern "C" {

tbn_status tbn_network_class_name(const tbn_network* network, size_t index, const char** name) {
  return tbn::c::give_name(network, &Network::classes, index, name);
}

tbn_status tbn_network_column_name(const tbn_network* network, size_t index, const char** name) {
  return tbn::c::give_name(network, &Network::columns, index, name);
}

tbn_status tbn_prepare_image(const tbn_network* network, const uint8_t* pixels, size_t size,
                             int64_t height, int64_t width, int channels, int exif, int fit,
                             uint8_t* input, size_t input_count) {
  return guarded([&] {
    require(network, "network");
    require(pixels, "pixels");
    const bool counted = height > 0 && width > 0 && channels > 0 && channels <= 4 &&
                         static_cast<std::size_t>(height) <= size &&
                         static_cast<std::size_t>(width) <= size;
    // No product that could wrap around: both sides are at most `size`.
    const auto row = static_cast<std::size_t>(counted ? width * channels : 0);
    if (!counted || size % row != 0 || size / row != static_cast<std::size_t>(height)) {
      throw tbn::ConfigError("size is " + std::to_string(size) + ", which is not " +
                             std::to_string(height) + " x " + std::to_string(width) +
                             " pixels of " + tbn::counted(channels, "channel"));
    }
    tbn::prepare_image(*network->shared,
                       {.pixels = pixels,
                        .height = height,
                        .width = width,
                        .channels = channels,
                        .exif = exif,
                        .fit = fit != 0},
                       values(input, input_count, "input"));
  });
}

tbn_status tbn_prepare_points(const tbn_network* network, const float* cloud, size_t cloud_count,
                              int64_t category, float* input, size_t input_count, int64_t* chosen,
                              size_t chosen_count) {
  return guarded([&] {
    require(network, "network");
    const auto points = static_cast<std::size_t>(
        network->shared->input_shape().empty() ? 0 : network->shared->input_shape().front());
    if (chosen != nullptr && chosen_count != points) {
      throw tbn::ConfigError("chosen_count is " + std::to_string(chosen_count) +
                             ", and the network takes " +
                             tbn::counted(static_cast<std::int64_t>(points), "point"));
    }
    const std::vector<std::int64_t> made =
        tbn::prepare_points(*network->shared, values(cloud, cloud_count, "cloud"), category,
                            values(input, input_count, "input"));
    if (chosen != nullptr) std::copy(made.begin(), made.end(), chosen);
  });
}

tbn_status tbn_prepare_rows(const tbn_network* network, const double* rows, size_t rows_count,
                            const char* const* columns, size_t column_count, float* input,
                            size_t input_count) {
  return guarded([&] {
    require(network, "network");
    tbn::prepare_rows(*network->shared, values(rows, rows_count, "rows"),
                      tbn::c::names_of(columns, column_count), values(input, input_count, "input"));
  });
}

}  // extern "C"
