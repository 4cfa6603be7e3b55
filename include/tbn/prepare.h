/// @file
/// Turns pictures, point clouds and rows of tables into inputs of a network, by the rule that its
/// file carries (tbn/rule.h): the same tensors, to the bit, that training and tbn-eval make of
/// them.
///
///     auto network = tbn::Network::load("pets.tbn");
///     std::vector<std::uint8_t> input(tbn::element_count(network->input_shape()));
///     tbn::prepare_image(*network, {.pixels = rgb, .height = 480, .width = 640}, input);
///     tbn::Session(network).run(input, 1, logits);
///
/// All functions throw ConfigError where the file does not say how its inputs are made, where it
/// has a step that this tbn does not know (the error names it), and where what is given does not
/// fit the rule.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tbn/runtime.h"

namespace tbn {

/// A decoded picture. Nothing of it is kept.
struct Picture {
  const std::uint8_t* pixels = nullptr;  ///< [height, width, channels], rows close together
  std::int64_t height = 0;               ///< rows
  std::int64_t width = 0;                ///< columns
  int channels = 3;  ///< as many as the network takes, or 1: repeated where it takes three
  int exif = 1;      ///< EXIF orientation, 1 to 8; used where the rule turns pictures
  /// Resizes a picture of another size, as a whole, where the rule does not resize (digits of 28 x
  /// 28). Without it such a picture is refused.
  bool fit = false;
};

/// Makes the input of the network, `input` [C, H, W] in bytes, from a picture.
void prepare_image(const Network& network, const Picture& picture, std::span<std::uint8_t> input);

/// Makes the input of the network, `input` [N, F], from a point cloud. `cloud` is
/// [n, Network::columns()] for any n of at least 1. `category` is that of the object, from 0, for
/// networks that are told it, and otherwise ignored. Returns the indices of the N points that were
/// chosen, so that labels of points can be assigned to the cloud.
std::vector<std::int64_t> prepare_points(const Network& network, std::span<const float> cloud,
                                         std::int64_t category, std::span<float> input);

/// Makes the input of the network, `input` [T, C], from rows of a table. `rows` is
/// [T, number of columns], the oldest first. `columns` names the columns, in any order and with
/// others among them; empty: they are Network::columns(), in that order.
void prepare_rows(const Network& network, std::span<const double> rows,
                  std::span<const std::string> columns, std::span<float> input);

}  // namespace tbn
