// ConvMixer (Trockman and Kolter 2022): patches, then depthwise convolutions over space and 1 x 1
// convolutions over channels, at one resolution throughout.
#include "models/blocks.h"
#include "models/families.h"

namespace tbn {
namespace {

// A depthwise convolution whose output is as large as its input; an even kernel, as in LibTorch's
// "same" padding, has its longer side at the right and at the bottom.
Value depthwise(Value x, std::int64_t kernel) {
  const std::int64_t before = (kernel - 1) / 2;
  const std::int64_t after = kernel - 1 - before;
  const std::int64_t channels = x.channels();
  if (before == after) {
    return x.conv(channels, {.kernel = kernel, .groups = channels, .bias = true})
        .named("depthwise");
  }
  return x.pad({.top = before, .bottom = after, .left = before, .right = after})
      .conv(channels, {.kernel = kernel, .padding = 0, .groups = channels, .bias = true})
      .named("depthwise");
}

Value build_convmixer(GraphBuilder& b, Value x, const ModelOptions& options, const TaskSpec& task) {
  const std::int64_t dim = options.integer("dim");
  x = patches(x, dim, options.integer("patch"), "patch").named("patch_embedding");
  x = x.gelu().batch_norm();
  for (std::int64_t i = 0; i < options.integer("depth"); ++i) {
    const auto scope = b.scope("blocks." + std::to_string(i));
    x = x + depthwise(x, options.integer("kernel")).gelu().batch_norm();
    x = x.conv(dim, {.kernel = 1, .bias = true}).named("pointwise").gelu().batch_norm();
  }
  return x.global_avg_pool().linear(task.output.front()).named("classifier");
}

}  // namespace

ModelFamily convmixer_family() {
  return {.name = "convmixer",
          .summary = "ConvMixer-256/16, kernel 8, patch 1",
          .options = {count_option("dim", 256, 16384, "channels"),
                      count_option("depth", 16, 256, "blocks"),
                      count_option("kernel", 8, 63, "height and width of the depthwise kernels"),
                      count_option("patch", 1, 64, "height and width of a patch")},
          .build = build_convmixer};
}

}  // namespace tbn
