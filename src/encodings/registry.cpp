// Which room an encoding lives in. A new alternative of WeightEncoding does not compile without
// one.
#include <array>

#include "encodings/rooms.h"

namespace tbn {
namespace {

const Encoding& room_of(const FloatWeights&) { return float_encoding(); }
const Encoding& room_of(const TiledWeights&) { return tiled_encoding(); }

template <std::size_t... I>
const auto& all_rooms(std::index_sequence<I...>) {
  static const std::array<const Encoding*, sizeof...(I)> rooms = {
      &room_of(std::variant_alternative_t<I, WeightEncoding>{})...};
  return rooms;
}

}  // namespace

const Encoding& encoding_of(const WeightEncoding& encoding) {
  return std::visit([](const auto& own) -> const Encoding& { return room_of(own); }, encoding);
}

std::span<const Encoding* const> encodings() {
  return all_rooms(std::make_index_sequence<std::variant_size_v<WeightEncoding>>());
}

std::string to_string(const WeightEncoding& encoding) {
  return encoding_of(encoding).name(encoding);
}

}  // namespace tbn
