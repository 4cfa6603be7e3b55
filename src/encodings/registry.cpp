// Finds the room of an encoding. A new alternative of WeightEncoding does not compile without one.
#include <algorithm>
#include <array>

#include "encodings/rooms.h"
#include "tbn/error.h"

namespace tbn {
namespace {

const Encoding& room_of(const FloatWeights&) { return float_encoding(); }
const Encoding& room_of(const TiledWeights&) { return tiled_encoding(); }
const Encoding& room_of(const UniformWeights&) { return uniform_encoding(); }

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

const Encoding* find_encoding(std::string_view word) {
  for (const Encoding* room : encodings()) {
    if (room->word() == word) return room;
  }
  return nullptr;
}

const Encoding& encoding_named(std::string_view word) {
  for (const Encoding* room : encodings()) {
    const std::vector<std::string_view> words = room->words();
    if (std::ranges::find(words, word) != words.end()) return *room;
  }
  TBN_CHECK(false, "no encoding '" + std::string(word) + "'");
}

WeightEncoding make_encoding(std::string_view word,
                             const std::function<FieldValue(const Field&)>& setting) {
  const Encoding& room = encoding_named(word);
  WeightEncoding encoding = room.standard();
  for (const Field& field : room.fields()) {
    const FieldValue value = setting(field);
    const bool is_open = !field.open.empty() && value == FieldValue(field.open);
    if (!is_open) field.set(encoding, value);
  }
  room.settle(encoding, word);
  return encoding;
}

std::span<const Encoding* const> encodings() {
  return all_rooms(std::make_index_sequence<std::variant_size_v<WeightEncoding>>());
}

std::string to_string(const WeightEncoding& encoding) {
  return encoding_of(encoding).name(encoding);
}

}  // namespace tbn
