// From what a user has to what a network takes, by the rule that its file carries (tbn/rule.h): the
// same tensors, to the bit, that training and tbn-eval make of the same picture, cloud or rows.
//
//   auto network = tbn::Network::load("pets.tbn");
//   std::vector<std::uint8_t> input(tbn::element_count(network->input_shape()));
//   tbn::prepare_image(*network, {.pixels = rgb, .height = 480, .width = 640}, input);
//   tbn::Session(network).run(input, 1, logits);
//
// All throw ConfigError where the file says nothing of how its inputs are made, has a step that
// this tbn does not know (by its name), or where what is given does not fit the rule.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tbn/runtime.h"

namespace tbn {

// A decoded picture. Nothing of it is kept.
struct Picture {
  const std::uint8_t* pixels = nullptr;  // [height, width, channels], rows close together
  std::int64_t height = 0;
  std::int64_t width = 0;
  int channels = 3;  // those of the network; 1 also where it takes three equal ones
  int exif = 1;  // the orientation that its file says, 1 to 8; used where the rule turns pictures
  // Where the rule does not bring pictures to the network's size (digits of 28 x 28): resize one of
  // another size, as a whole, instead of refusing it.
  bool fit = false;
};

// `input` is [C, H, W] of the network.
void prepare_image(const Network& network, const Picture& picture, std::span<std::uint8_t> input);

// `cloud` is [n, columns()] for any n of at least 1; `category` is the object's, 0 to the number of
// categories - 1, for networks that are told it, and otherwise ignored. `input` is [N, F] of the
// network. Returns the N points that were chosen, so that labels of points can be brought back.
std::vector<std::int64_t> prepare_points(const Network& network, std::span<const float> cloud,
                                         std::int64_t category, std::span<float> input);

// `rows` is [T, number of columns], the oldest first; `columns` names them, in any order and with
// others among them, or is empty: then they are the network's, in its order. `input` is [T, C] of
// the network.
void prepare_rows(const Network& network, std::span<const double> rows,
                  std::span<const std::string> columns, std::span<float> input);

}  // namespace tbn
