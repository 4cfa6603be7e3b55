// Declares the rooms for the registry; all other code calls trained_room().
#pragma once

#include "train/encodings/trained_weight.h"

namespace tbn {

const TrainedRoom& trained_float();
const TrainedRoom& trained_tiled();
const TrainedRoom& trained_uniform();

}  // namespace tbn
