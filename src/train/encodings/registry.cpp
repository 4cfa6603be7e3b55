// Finds the room in which an encoding is trained. A new alternative of WeightEncoding does not
// compile without one.
#include "train/encodings/rooms.h"

namespace tbn {
namespace {

const TrainedRoom& room_of(const FloatWeights&) { return trained_float(); }
const TrainedRoom& room_of(const TiledWeights&) { return trained_tiled(); }
const TrainedRoom& room_of(const UniformWeights&) { return trained_uniform(); }

}  // namespace

const TrainedRoom& trained_room(const WeightEncoding& encoding) {
  return std::visit([](const auto& own) -> const TrainedRoom& { return room_of(own); }, encoding);
}

}  // namespace tbn
