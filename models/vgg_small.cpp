// VGG-Small for 32 x 32 images: six 3 x 3 convolutions, pooling before the norm, one classifier.
#include "models/families.h"

namespace tbn {
namespace {

Value build_vgg_small(GraphBuilder&, Value x, const ModelOptions& options, std::int64_t classes) {
  constexpr std::int64_t kChannels[] = {128, 128, 256, 256, 512, 512};
  for (int layer = 0; layer < 6; ++layer) {
    x = x.conv(scaled_channels(kChannels[layer], options.real("width")), {.kernel = 3});
    if (layer % 2 == 1) x = x.max_pool();
    x = x.batch_norm().relu();
  }
  return x.flatten().linear(classes).named("classifier");
}

}  // namespace

ModelFamily vgg_small_family() {
  return {.name = "vgg_small",
          .summary = "VGG-Small: 128-128-256-256-512-512",
          .options = {{.key = "width",
                       .value = 1.0,
                       .min = 0.05,
                       .max = 16,
                       .help = "factor on the channels, rounded to multiples of 8"}},
          .build = build_vgg_small};
}

}  // namespace tbn
