// VGG-Small for 32 x 32 images: six 3 x 3 convolutions, pooling before the norm, one classifier.
#include "models/blocks.h"
#include "models/families.h"

namespace tbn {
namespace {

Value build_vgg_small(GraphBuilder&, Value x, const ModelOptions& options, const TaskSpec& task) {
  const std::vector<std::int64_t> channels = channels_of(options, 6, "vgg_small", "layer");
  for (std::size_t layer = 0; layer < channels.size(); ++layer) {
    x = x.conv(channels[layer], {.kernel = 3});
    if (layer % 2 == 1) x = x.max_pool();
    x = x.batch_norm().relu();
  }
  return x.flatten().linear(task.output.front()).named("classifier");
}

}  // namespace

ModelFamily vgg_small_family() {
  return {.name = "vgg_small",
          .summary = "VGG-Small: 128-128-256-256-512-512",
          .options = {channels_option({128, 128, 256, 256, 512, 512}, "of each convolution"),
                      width_option()},
          .build = build_vgg_small};
}

}  // namespace tbn
