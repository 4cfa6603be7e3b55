// What a network takes on the device, without running it.
#include "runtime/cuda/program/program.h"

#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/random_model.h"
#include "tbn/models.h"
#include "tbn/policy.h"

using namespace tbn;
using namespace tbn::cuda;

TEST_CASE("the ViT of ImageNet's size at p = 4 takes less than 12 MiB beside its activations") {
  Graph graph =
      build_model({.type = "vit_imagenet", .input = {3, 256, 256}, .task = {.output = {1000}}});
  apply_policy(graph, {.standard = tiled(4), .min_size = 64'000});
  const Model packed = pack_model(tbn::test::random_trained(std::move(graph), 1));
  const LayerOptions options = {.precision = Precision::kBf16, .tune = false};
  Context context(0);
  DeviceProgram program(packed.graph, packed.tensors, options, context);
  CHECK(program.weight_bytes() < std::int64_t{3} << 20);
  for (const std::int64_t batch : {1, 64}) {
    program.prepare(batch);
    CAPTURE(batch, program.weight_bytes(), program.workspace_bytes(batch),
            program.arena_bytes(batch));
    CHECK(program.weight_bytes() + program.workspace_bytes(batch) < std::int64_t{12} << 20);
  }
}
