// The text form of each family's graph at its usual size, every layer of 16,000 weights or more
// tiled at p = 4.
#include <set>

#include "support/golden.h"
#include "tbn/models.h"
#include "tbn/policy.h"

using namespace tbn;

namespace {

struct Usual {
  const char* type;
  Shape input;
  TaskSpec task = {};
};

const std::vector<Usual>& usual_sizes() {
  static const std::vector<Usual> sizes = {
      {"mlp", {1, 28, 28}},
      {"vgg_small", {3, 32, 32}},
      {"resnet_small", {1, 28, 28}},
      {"resnet18", {3, 32, 32}},
      {"resnet34", {3, 32, 32}},
      {"resnet50", {3, 32, 32}},
      {"convmixer", {3, 32, 32}},
      {"mlp_mixer", {3, 32, 32}},
      {"vit", {3, 32, 32}},
      {"vit_tiny", {1, 28, 28}},
      {"vit_imagenet", {3, 256, 256}, {.output = {1000}}},
      {"swin_t", {3, 32, 32}},
      {"swin_t_imagenet", {3, 224, 224}, {.output = {1000}}},
      {"pointnet", {1024, 3}, {.output = {40}}},
      {"pointnet_part_seg",
       {2048, 22},
       {.task = Task::kSegmentation, .output = {2048, 50}, .condition = 16}},
      {"pointnet_sem_seg", {4096, 9}, {.task = Task::kSegmentation, .output = {4096, 13}}},
      {"series_transformer", {200, 7}, {.task = Task::kForecasting, .output = {1, 7}}},
      {"itransformer", {336, 7}, {.task = Task::kForecasting, .output = {96, 7}}},
      {"dlinear", {336, 7}, {.task = Task::kForecasting, .output = {96, 7}}},
      {"tsmixer", {336, 7}, {.task = Task::kForecasting, .output = {96, 7}}},
      {"custom", {1, 28, 28}},
  };
  return sizes;
}

}  // namespace

TEST_CASE("the graphs of the zoo have not changed") {
  for (const Usual& usual : usual_sizes()) {
    DYNAMIC_SECTION(usual.type) {
      Graph graph = build_model({.type = usual.type, .input = usual.input, .task = usual.task});
      apply_policy(graph, {.standard = tiled(4), .min_size = 16000});
      test::check_golden(std::string(usual.type) + ".graph.txt", to_text(graph));
    }
  }
}

TEST_CASE("every family of the zoo has a golden text") {
  std::set<std::string> types;
  for (const Usual& usual : usual_sizes()) types.insert(usual.type);
  for (const ModelFamily& family : model_families()) {
    INFO(family.name);
    CHECK(types.count(family.name) == 1);
  }
}
