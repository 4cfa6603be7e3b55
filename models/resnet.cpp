// Residual networks: ResNet-18/34/50 (He et al. 2015) with a CIFAR or an ImageNet stem, and a small
// one with one block per stage for 28 x 28 images.
#include <array>

#include "models/blocks.h"
#include "models/families.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// The input itself, or a 1 x 1 convolution where the shape changes.
Value shortcut(Value x, std::int64_t channels, std::int64_t stride) {
  if (stride == 1 && x.channels() == channels) return x;
  return x.conv(channels, {.kernel = 1, .stride = stride})
      .named("shortcut")
      .batch_norm()
      .named("shortcut_norm");
}

Value basic_block(Value x, std::int64_t channels, std::int64_t stride) {
  Value y = x.conv(channels, {.kernel = 3, .stride = stride}).batch_norm().relu();
  y = y.conv(channels, {.kernel = 3}).batch_norm();
  return (y + shortcut(x, channels, stride)).relu();
}

// 1 x 1, 3 x 3 (which takes the stride) and 1 x 1 to four times the channels.
Value bottleneck_block(Value x, std::int64_t channels, std::int64_t stride) {
  Value y = x.conv(channels, {.kernel = 1}).batch_norm().relu();
  y = y.conv(channels, {.kernel = 3, .stride = stride}).batch_norm().relu();
  y = y.conv(4 * channels, {.kernel = 1}).batch_norm();
  return (y + shortcut(x, 4 * channels, stride)).relu();
}

Value stem(Value x, const std::string& kind, std::int64_t channels) {
  if (kind == "cifar") return x.conv(channels, {.kernel = 3}).batch_norm().relu();
  x = x.conv(channels, {.kernel = 7, .stride = 2}).batch_norm().relu();
  return x.max_pool({.kernel = 3, .stride = 2, .padding = 1});
}

using Block = Value (*)(Value, std::int64_t, std::int64_t);

Value stages(GraphBuilder& b, Value x, const ModelOptions& options, Block block,
             const std::array<int, 4>& blocks, const TaskSpec& task, const std::string& family) {
  const std::vector<std::int64_t> channels = channels_of(options, blocks.size(), family, "stage");
  x = stem(x, options.text("stem"), channels.front());
  for (std::size_t stage = 0; stage < blocks.size(); ++stage) {
    for (int i = 0; i < blocks[stage]; ++i) {
      const auto scope = b.scope("layer" + std::to_string(stage + 1) + "." + std::to_string(i));
      x = block(x, channels[stage], stage > 0 && i == 0 ? 2 : 1);
    }
  }
  return x.global_avg_pool().linear(task.output.front()).named("classifier");
}

Value build_resnet18(GraphBuilder& b, Value x, const ModelOptions& o, const TaskSpec& task) {
  return stages(b, x, o, basic_block, {2, 2, 2, 2}, task, "resnet18");
}
Value build_resnet34(GraphBuilder& b, Value x, const ModelOptions& o, const TaskSpec& task) {
  return stages(b, x, o, basic_block, {3, 4, 6, 3}, task, "resnet34");
}
Value build_resnet50(GraphBuilder& b, Value x, const ModelOptions& o, const TaskSpec& task) {
  return stages(b, x, o, bottleneck_block, {3, 4, 6, 3}, task, "resnet50");
}

Value build_resnet_small(GraphBuilder& b, Value x, const ModelOptions& options,
                         const TaskSpec& task) {
  const auto& strides = options.list("strides");
  const std::size_t blocks = options.list("channels").size();
  if (blocks == 0 || blocks != strides.size()) {
    throw ConfigError("model.strides: resnet_small needs one stride for each of the " +
                      std::to_string(blocks) + " entries of model.channels, has " +
                      std::to_string(strides.size()));
  }
  const std::vector<std::int64_t> channels = channels_of(options, blocks, "resnet_small", "block");
  x = x.conv(channels.front(), {.kernel = 3, .stride = options.integer("stem_stride")})
          .batch_norm()
          .relu();
  for (std::size_t i = 0; i < blocks; ++i) {
    const auto scope = b.scope("block" + std::to_string(i + 1));
    x = basic_block(x, channels[i], strides[i]);
  }
  return x.global_avg_pool().linear(task.output.front()).named("classifier");
}

ModelFamily resnet_family(const char* name, const char* summary,
                          Value (*build)(GraphBuilder&, Value, const ModelOptions&,
                                         const TaskSpec&)) {
  return {
      .name = name,
      .summary = summary,
      .options = {channels_option({64, 128, 256, 512}, "of each stage, the first also of the stem"),
                  width_option(),
                  {.key = "stem",
                   .value = std::string("cifar"),
                   .choices = {"cifar", "imagenet"},
                   .help = "3 x 3 convolution, or 7 x 7 of stride 2 and a max pool"}},
      .build = build};
}

}  // namespace

std::vector<ModelFamily> resnet_families() {
  return {resnet_family("resnet18", "ResNet-18, basic blocks 2-2-2-2", build_resnet18),
          resnet_family("resnet34", "ResNet-34, basic blocks 3-4-6-3", build_resnet34),
          resnet_family("resnet50", "ResNet-50, bottleneck blocks 3-4-6-3", build_resnet50)};
}

ModelFamily resnet_small_family() {
  using List = std::vector<std::int64_t>;
  return {.name = "resnet_small",
          .summary = "a residual network with one basic block per stage",
          .options = {channels_option({64, 64, 64}, "channels of each block"),
                      {.key = "strides",
                       .value = List{1, 2, 2},
                       .min = 1,
                       .max = 16,
                       .help = "stride of each block"},
                      {.key = "stem_stride",
                       .value = std::int64_t{1},
                       .min = 1,
                       .max = 16,
                       .help = "stride of the first convolution"},
                      width_option()},
          .build = build_resnet_small};
}

}  // namespace tbn
