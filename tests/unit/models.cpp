// The zoo against published weight counts, and what layers cost.
#include "tbn/models.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"
#include "tbn/model.h"
#include "tbn/policy.h"

using namespace tbn;
using tbn::test::message_of;
using tbn::test::says;

namespace {

std::int64_t weights_of_model(const std::string& type, const Shape& input, std::int64_t classes,
                              OptionMap options = {}) {
  const ModelSpec spec{
      .type = type, .options = std::move(options), .input = input, .task = {.output = {classes}}};
  return summarize(build_model(spec)).totals.weights;
}

}  // namespace

TEST_CASE("the zoo has the weight counts of the paper's networks") {
  CHECK(weights_of_model("resnet18", {3, 32, 32}, 10) == 11'164'352);
  CHECK(weights_of_model("resnet50", {3, 32, 32}, 10) == 23'467'712);
  CHECK(weights_of_model("vgg_small", {3, 32, 32}, 10) == 4'656'512);
  CHECK(weights_of_model("resnet34", {3, 224, 224}, 1000, {{"stem", std::string("imagenet")}}) ==
        21'779'648);
  CHECK(weights_of_model("mlp", {1, 28, 28}, 10) == 101'632);
  CHECK(weights_of_model("convmixer", {3, 32, 32}, 10) == 1'314'048);
  CHECK(weights_of_model("mlp_mixer", {3, 32, 32}, 10) == 1'799'168);
  CHECK(weights_of_model("vit", {3, 32, 32}, 10) == 9'466'880);
  CHECK(weights_of_model("vit_imagenet", {3, 256, 256}, 1000) == 54'501'376);
  CHECK(weights_of_model("swin_t", {3, 32, 32}, 10) == 26'550'912);
  CHECK(weights_of_model("pointnet", {1024, 3}, 40) == 3'449'472);
}

TEST_CASE("the ImageNet Swin-T has the published network's weights") {
  // Blocks 12 C^2 each, C = 96, 192, 384, 768 and 2, 2, 6, 2 of them; embedding 3 * 4 * 4 * 96;
  // merging 4 C * 2 C for C = 96, 192, 384; classifier 768 * 1000. The first 28.3 million of its
  // parameters; the rest are norms, biases and relative positions.
  CHECK(weights_of_model("swin_t_imagenet", {3, 224, 224}, 1000) ==
        12 * 96 * 96 * (2 + 4 * 2 + 16 * 6 + 64 * 2) + 48 * 96 + 8 * 96 * 96 * (1 + 4 + 16) +
            768'000);
}

TEST_CASE("queries, keys and values from three layers have the weights of one") {
  CHECK(weights_of_model("vit", {3, 32, 32}, 10, {{"qkv", std::string("separate")}}) == 9'466'880);
}

TEST_CASE("the segmenting PointNets have the reference's weights") {
  // A transform of k x k from F columns: 64 F + 64*128 + 128*1024 + 1024*512 + 512*256 + 256 k^2.
  const auto transform = [](std::int64_t columns, std::int64_t k) {
    return 64 * columns + 8'192 + 131'072 + 524'288 + 131'072 + 256 * k * k;
  };
  // Trunk 3-64-128-128-512-2048; per point 2048 + 16 + 64 + 128 + 128 + 512 + 2048 = 4944 features;
  // 256-256-128-50.
  const ModelSpec parts{
      .type = "pointnet_part_seg",
      .input = {2048, 3 + 16},
      .task = {.task = Task::kSegmentation, .output = {2048, 50}, .condition = 16}};
  CHECK(summarize(build_model(parts)).totals.weights ==
        transform(3, 3) + transform(128, 128) + 3 * 64 + 64 * 128 + 128 * 128 + 128 * 512 +
            512 * 2048 + 4944 * 256 + 256 * 256 + 256 * 128 + 128 * 50);
  CHECK(summarize(build_model(parts)).totals.weights == 8'303'488);
  // Trunk 9-64-128-1024; per point 1024 + 64 features; 512-256-128-13.
  const ModelSpec scenes{.type = "pointnet_sem_seg",
                         .input = {4096, 9},
                         .task = {.task = Task::kSegmentation, .output = {4096, 13}}};
  CHECK(summarize(build_model(scenes)).totals.weights ==
        transform(9, 3) + transform(64, 64) + 9 * 64 + 64 * 128 + 128 * 1024 + 1088 * 512 +
            512 * 256 + 256 * 128 + 128 * 13);
}

TEST_CASE("the forecasters have the weights of their formulas") {
  const auto weights = [](const char* type, Shape input, Shape output, OptionMap options = {}) {
    return summarize(build_model({.type = type,
                                  .options = std::move(options),
                                  .input = std::move(input),
                                  .task = {.task = Task::kForecasting, .output = output}}))
        .totals.weights;
  };
  CHECK(weights("dlinear", {336, 7}, {96, 7}) == 2 * 336 * 96);
  // Each block 336^2 over time, 2 * 7 * 64 over columns.
  CHECK(weights("tsmixer", {336, 7}, {96, 7}) == 4 * (336 * 336 + 2 * 7 * 64) + 336 * 96);
  // Tokens are columns: 4 F^2 of attention and 2 * 256 F of MLP in each layer.
  CHECK(weights("itransformer", {336, 7}, {96, 7}) ==
        336 * 128 + 2 * (4 * 128 * 128 + 2 * 256 * 128) + 128 * 96);
  CHECK(weights("itransformer", {336, 7}, {96, 1}, {{"dim", std::int64_t{64}}}) ==
        336 * 64 + 2 * (4 * 64 * 64 + 2 * 256 * 64) + 64 * 96 + 7);
  // Each layer 4 F^2 of attention and 2 * 512 F of MLP.
  const std::int64_t encoder = 21 * 128 + 2 * (4 * 128 * 128 + 2 * 512 * 128);
  CHECK(weights("series_transformer", {200, 21}, {720, 21}) == encoder + 200 * 720 + 128 * 21);
  CHECK(weights("series_transformer", {200, 21}, {1, 21}, {{"head", std::string("last")}}) ==
        encoder + 128 * 21);
  CHECK(weights("series_transformer", {200, 21}, {2, 21}, {{"head", std::string("flatten")}}) ==
        encoder + 200 * 128 * 2 * 21);
}

TEST_CASE("channels are taken as they are, and width scales them") {
  using List = std::vector<std::int64_t>;
  const auto resnet18 = [](OptionMap options) {
    return weights_of_model("resnet18", {3, 32, 32}, 10, std::move(options));
  };
  CHECK(resnet18({{"channels", List{64, 128, 256, 512}}}) == resnet18({}));
  CHECK(resnet18({{"channels", List{128, 256, 512, 1024}}, {"width", 0.5}}) == resnet18({}));
  // A stage of c channels behind one of b: 9 c (b + 3 c), and c b of the shortcut.
  const auto weights = [](std::int64_t a) {
    return 27 * a + 36 * a * a + (9 * 2 * a * (a + 6 * a) + 2 * a * a) +
           (9 * 4 * a * (2 * a + 12 * a) + 8 * a * a) +
           (9 * 8 * a * (4 * a + 24 * a) + 32 * a * a) + 80 * a;
  };
  for (const std::int64_t a : {64, 33, 24, 18}) {
    CHECK(resnet18({{"channels", List{a, 2 * a, 4 * a, 8 * a}}}) == weights(a));
  }
  CHECK(weights_of_model("resnet50", {3, 32, 32}, 10, {{"channels", List{64, 128, 256, 512}}}) ==
        23'467'712);
  CHECK(weights_of_model("vgg_small", {3, 32, 32}, 10, {{"channels", List{5, 7, 9, 11, 13, 15}}}) ==
        9 * (3 * 5 + 5 * 7 + 7 * 9 + 9 * 11 + 11 * 13 + 13 * 15) + 16 * 15 * 10);
  CHECK(weights_of_model("resnet_small", {1, 28, 28}, 10,
                         {{"channels", List{33, 66}}, {"strides", List{1, 2}}}) ==
        9 * 33 + 18 * 33 * 33 + 9 * 66 * (33 + 66) + 33 * 66 + 660);
  CHECK(message_of<ConfigError>([&] {
          resnet18({{"channels", List{64, 128, 256}}});
        }) == "model.channels: resnet18 needs one entry for each of its 4 stages, has 3");
  CHECK(message_of<ConfigError>([&] {
          weights_of_model("vgg_small", {3, 32, 32}, 10, {{"channels", List{64}}});
        }) == "model.channels: vgg_small needs one entry for each of its 6 layers, has 1");
  CHECK(message_of<ConfigError>([&] {
          resnet18({{"channels", List{0, 1, 1, 1}}});
        }).find("model.channels: ") == 0);
}

TEST_CASE("a width factor scales every layer but input and classes") {
  // conv1 3*9*16, and so on: channels 16, 32, 64, 128.
  CHECK(weights_of_model("resnet18", {3, 32, 32}, 10, {{"width", 0.25}}) ==
        (11'164'352 - 1728 - 5120) / 16 + 27 * 16 + 128 * 10);
}

TEST_CASE("networks take one channel as well as three") {
  CHECK(weights_of_model("resnet18", {1, 28, 28}, 10) == 11'164'352 - 2 * 9 * 64);
}

TEST_CASE("the paper's MLP with p = 4 on its first layer takes 3,316 bytes") {
  Graph graph = build_model({.type = "mlp", .input = {1, 28, 28}});
  apply_policy(graph, {.standard = tiled(4), .min_size = 64000});
  const Summary summary = summarize(graph);
  REQUIRE(summary.layers.size() == 2);
  CHECK(summary.layers[0].bits == 25088 + 4 * 32);
  CHECK(summary.layers[0].macs * 4 == summary.layers[0].dense_macs);
  CHECK(summary.totals.scalars == 5);
  CHECK(summary.totals.bytes == 3316);
}

TEST_CASE("ResNet-18 with the paper's list of p = 4 layers takes 0.2586 bits per weight") {
  Graph graph = build_model({.type = "resnet18", .input = {3, 32, 32}});
  apply_policy(graph, {.standard = tiled(4),
                       .rules = {{.match = {"conv1", "layer1.0.*", "layer1.1.conv1",
                                            "layer2.0.shortcut", "classifier"},
                                  .encoding = binary()}}});
  const LayerSummary totals = summarize(graph).totals;
  CHECK(totals.bits == 2'885'312 + 66 * 32);
  CHECK(totals.bits_per_weight == Approx(0.2586).epsilon(0.001));
}

TEST_CASE("a flat tile saves bits but no multiply-adds") {
  GraphBuilder b("flat");
  Graph graph = b.finish(b.input({9}).linear(6, {.weights = tiled(27)}));
  const LayerSummary layer = summarize(graph).layers[0];
  CHECK(layer.form == "flat");
  CHECK(layer.tile_length == 2);
  CHECK(layer.macs == 54);
}

TEST_CASE("unknown models and options are errors that say what there is") {
  const std::string unknown = message_of<ConfigError>([] {
    weights_of_model("resnet19", {3, 32, 32}, 10);
  });
  CHECK(says(unknown, {"model.type: 'resnet19' is no model; there are mlp, "}));
  for (const ModelFamily& family : model_families()) CHECK(says(unknown, {family.name}));
  CHECK(message_of<ConfigError>([] {
          weights_of_model("mlp", {784}, 10, {{"depth", std::int64_t{3}}});
        }) == "model.depth: mlp has no such option");
  CHECK(message_of<ConfigError>([] {
          weights_of_model("resnet18", {3, 32, 32}, 10, {{"width", 40.0}});
        }) == "model.width: must be between 0.05 and 16, is 40");
  CHECK(message_of<ConfigError>([] {
          weights_of_model("resnet18", {3, 32, 32}, 10, {{"stem", std::string("cifr")}});
        }) == "model.stem: must be one of cifar, imagenet, is 'cifr'");
}

TEST_CASE("sizes that do not fit together are errors that name the option") {
  const auto message = [](const char* type, Shape input, OptionMap options, TaskSpec task = {}) {
    return message_of<ConfigError>(
        [&] { build_model({.type = type, .options = options, .input = input, .task = task}); });
  };
  using List = std::vector<std::int64_t>;
  CHECK(message("vit", {3, 30, 32}, {}) ==
        "model.patch: patches of 4 x 4 do not fill an image of 30 x 32");
  CHECK(message("swin_t", {1, 28, 28}, {}) ==
        "model.window: windows of 4 do not fill the grid of 14 x 14 in stage 0");
  CHECK(message("swin_t_imagenet", {1, 28, 28}, {{"downscale", List{2, 2, 2, 1}}}) ==
        "model.downscale: patches of 2 x 2 do not fill an image of 7 x 7");
  CHECK(message("swin_t", {3, 32, 32}, {{"heads", List{3, 6}}}) ==
        "model.heads: needs one entry for each of the 4 entries of model.depths, has 2");
  CHECK(says(message("swin_t", {3, 32, 32}, {{"depths", List{}}}), {"model.depths: 1 to 8"}));
  CHECK(says(message("pointnet", {64, 2}, {}), {"pointnet takes points", "[64, 2]"}));
  CHECK(says(message("pointnet", {64, 7}, {}, {.condition = 4}),
             {"pointnet takes no category columns", "pointnet_part_seg"}));
  CHECK(says(
      message("pointnet_sem_seg", {64, 9}, {}, {.task = Task::kSegmentation, .output = {32, 13}}),
      {"each of the 64 points", "32 labels"}));
  const TaskSpec forecast{.task = Task::kForecasting, .output = {8, 2}};
  CHECK(says(message("dlinear", {24, 7}, {}, forecast), {"dlinear forecasts all 7 columns", "2"}));
  CHECK(says(message("tsmixer", {24, 7}, {{"normalize", std::string("last")}}, forecast),
             {"tsmixer with normalize: last", "7 columns"}));
  CHECK(says(message("series_transformer", {24, 7}, {{"heads", std::int64_t{3}}}, forecast),
             {"model.heads: 3 heads do not divide 128 features"}));
  CHECK(says(message("dlinear", {3, 8, 8}, {}, forecast), {"takes a series [T, C]", "[3, 8, 8]"}));
  CHECK(says(message("vit", {3, 32, 32}, {}, forecast), {"vit is for classification"}));
}
