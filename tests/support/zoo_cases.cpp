// The table of small networks, see the header.
#include "support/zoo_cases.h"

namespace tbn::test {
namespace {

using List = std::vector<std::int64_t>;

std::int64_t i(std::int64_t value) { return value; }
std::string s(const char* text) { return text; }

ModelSpec on_images(const char* type, OptionMap options) {
  return {.type = type,
          .options = std::move(options),
          .input = {3, 16, 16},
          .task = {.output = {10}},
          .mean = {120, 115, 105},
          .std = {60, 61, 65}};
}

// 12 points, the last columns a category where `condition` is not 0.
ModelSpec on_points(const char* type, std::int64_t columns, TaskSpec task) {
  return {
      .type = type, .options = {{"width", 0.125}}, .input = {12, columns}, .task = std::move(task)};
}

// 12 steps of 7 columns.
ModelSpec on_series(const char* type, OptionMap options, Shape output) {
  return {.type = type,
          .options = std::move(options),
          .input = {12, 7},
          .task = {.task = Task::kForecasting, .output = std::move(output)}};
}

void add_cnns(std::vector<ModelSpec>& cases) {
  cases.push_back(on_images("mlp", {{"hidden", List{16, 12}}, {"norm", true}}));
  cases.push_back(on_images("vgg_small", {{"width", 0.125}}));
  cases.push_back(on_images("resnet_small", {{"width", 0.125}}));
  cases.push_back(on_images("resnet18", {{"width", 0.125}}));
  cases.push_back(on_images("resnet34", {{"width", 0.125}, {"stem", s("imagenet")}}));
  cases.push_back(on_images("resnet50", {{"width", 0.125}}));
  cases.push_back(
      on_images("convmixer", {{"dim", i(16)}, {"depth", i(2)}, {"kernel", i(4)}, {"patch", i(2)}}));
  cases.push_back(
      on_images("convmixer", {{"dim", i(16)}, {"depth", i(1)}, {"kernel", i(5)}, {"patch", i(4)}}));
  cases.push_back(on_images("custom", {}));
}

void add_transformers(std::vector<ModelSpec>& cases) {
  cases.push_back(
      on_images("mlp_mixer",
                {{"dim", i(16)}, {"depth", i(2)}, {"token_dim", i(24)}, {"channel_dim", i(12)}}));
  const OptionMap vit = {
      {"dim", i(24)}, {"depth", i(2)}, {"heads", i(2)}, {"head_dim", i(8)}, {"mlp", i(20)}};
  cases.push_back(on_images("vit", vit));
  cases.push_back(on_images("vit_tiny", vit));
  cases.back().options["pool"] = s("mean");
  cases.back().options["qkv"] = s("separate");
  cases.push_back(on_images("vit_imagenet", vit));
  cases.back().options["patch"] = i(8);
  const OptionMap swin = {
      {"dim", i(16)}, {"depths", List{2, 2}}, {"heads", List{2, 4}}, {"head_dim", i(8)}};
  cases.push_back(on_images("swin_t", swin));
  cases.back().options["downscale"] = List{2, 2};
  cases.push_back(on_images("swin_t_imagenet", swin));
  cases.back().options["downscale"] = List{4, 1};
  cases.back().options["window"] = i(2);
}

void add_pointnets(std::vector<ModelSpec>& cases) {
  cases.push_back(on_points("pointnet", 3, {.output = {8}}));
  cases.push_back(on_points("pointnet", 6, {.output = {8}}));
  cases.push_back(on_points("pointnet_part_seg", 7,
                            {.task = Task::kSegmentation, .output = {12, 5}, .condition = 4}));
  cases.push_back(
      on_points("pointnet_part_seg", 6, {.task = Task::kSegmentation, .output = {12, 5}}));
  cases.push_back(
      on_points("pointnet_sem_seg", 9, {.task = Task::kSegmentation, .output = {12, 13}}));
}

void add_forecasters(std::vector<ModelSpec>& cases) {
  const OptionMap transformer = {{"dim", i(16)}, {"mlp", i(24)}};
  cases.push_back(on_series("series_transformer", transformer, {4, 7}));
  cases.push_back(on_series("series_transformer", transformer, {1, 7}));
  cases.back().options["head"] = s("flatten");
  cases.back().options["positions"] = s("learned");
  cases.push_back(on_series("series_transformer", transformer, {4, 7}));
  cases.back().options["head"] = s("last");
  cases.back().options["normalize"] = s("last");
  cases.push_back(on_series("dlinear", {{"kernel", i(5)}}, {4, 7}));
  cases.push_back(on_series("dlinear", {{"normalize", s("last")}}, {4, 7}));
  cases.push_back(on_series("tsmixer", {{"depth", i(2)}, {"hidden", i(16)}}, {4, 4}));
  cases.push_back(
      on_series("tsmixer", {{"depth", i(1)}, {"hidden", i(16)}, {"normalize", s("last")}}, {4, 7}));
  cases.push_back(on_series("itransformer", transformer, {4, 4}));
  cases.push_back(on_series("itransformer", transformer, {4, 7}));
  cases.back().options["normalize"] = s("last");
}

}  // namespace

std::vector<ModelSpec> zoo_cases() {
  std::vector<ModelSpec> cases;
  add_cnns(cases);
  add_transformers(cases);
  add_pointnets(cases);
  add_forecasters(cases);
  return cases;
}

}  // namespace tbn::test
