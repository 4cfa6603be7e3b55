// The families of the zoo, one builder file each; models/registry.cpp lists them.
#pragma once

#include <vector>

#include "tbn/models.h"

namespace tbn {

ModelFamily mlp_family();
ModelFamily vgg_small_family();
ModelFamily resnet_small_family();
std::vector<ModelFamily> resnet_families();  // resnet18, resnet34, resnet50

// `channels` times `width`; unless width is 1, rounded to a multiple of 8 (8 at least), so that
// p = 2, 4 and 8 divide it.
std::int64_t scaled_channels(std::int64_t channels, double width);

}  // namespace tbn
