// VGG-Small for 32 x 32 images: six 3 x 3 convolutions, pooling before the norm, one classifier.
#include "models/blocks.h"
#include "models/families.h"

namespace tbn {
namespace {

Value build_vgg_small(GraphBuilder&, Value x, const ModelOptions& options, const TaskSpec& task) {
  constexpr std::int64_t kChannels[] = {128, 128, 256, 256, 512, 512};
  for (int layer = 0; layer < 6; ++layer) {
    x = x.conv(scaled_channels(kChannels[layer], options.real("width")), {.kernel = 3});
    if (layer % 2 == 1) x = x.max_pool();
    x = x.batch_norm().relu();
  }
  return x.flatten().linear(task.output.front()).named("classifier");
}

}  // namespace

ModelFamily vgg_small_family() {
  return {.name = "vgg_small",
          .summary = "VGG-Small: 128-128-256-256-512-512",
          .options = {width_option()},
          .build = build_vgg_small};
}

}  // namespace tbn
