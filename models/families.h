// The families of the zoo, one builder file each; models/registry.cpp lists them.
#pragma once

#include <vector>

#include "tbn/models.h"

namespace tbn {

ModelFamily custom_family();  // layers named in YAML
ModelFamily mlp_family();
ModelFamily vgg_small_family();
ModelFamily resnet_small_family();
std::vector<ModelFamily> resnet_families();  // resnet18, resnet34, resnet50
ModelFamily convmixer_family();
ModelFamily mlp_mixer_family();
std::vector<ModelFamily> vit_families();       // vit, vit_tiny, vit_imagenet
std::vector<ModelFamily> swin_families();      // swin_t, swin_t_imagenet
std::vector<ModelFamily> pointnet_families();  // pointnet, pointnet_part_seg, pointnet_sem_seg
ModelFamily series_transformer_family();
ModelFamily itransformer_family();
ModelFamily dlinear_family();
ModelFamily tsmixer_family();

// `channels` times `width`; unless width is 1, rounded to a multiple of 8 (8 at least), so that
// p = 2, 4 and 8 divide it.
std::int64_t scaled_channels(std::int64_t channels, double width);

}  // namespace tbn
