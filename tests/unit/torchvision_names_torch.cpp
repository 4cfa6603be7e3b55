// The tables of torchvision's names, against lists written out here and torchvision's published
// numbers of tensors and parameters.
#include "train/state/torchvision_names.h"

#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "support/catch.h"
#include "tbn/models.h"

using namespace tbn;

namespace {

using Names = std::set<std::string>;

ModelSpec imagenet(const char* type, OptionMap options) {
  return {.type = type,
          .options = std::move(options),
          .input = {3, 224, 224},
          .task = {.output = {1000}}};
}

void add_norm(Names& names, const std::string& norm) {
  for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"}) {
    names.insert(norm + part);
  }
}

void add_both(Names& names, const std::string& layer) {
  names.insert(layer + ".weight");
  names.insert(layer + ".bias");
}

// The floating entries of torchvision.models.resnet*().state_dict().
Names resnet_names(const std::vector<int>& blocks, int convs, bool first_shortcut) {
  Names names = {"conv1.weight", "fc.weight", "fc.bias"};
  add_norm(names, "bn1");
  for (int layer = 1; layer <= 4; ++layer) {
    for (int i = 0; i < blocks[static_cast<std::size_t>(layer - 1)]; ++i) {
      const std::string block = "layer" + std::to_string(layer) + "." + std::to_string(i) + ".";
      for (int c = 1; c <= convs; ++c) {
        names.insert(block + "conv" + std::to_string(c) + ".weight");
        add_norm(names, block + "bn" + std::to_string(c));
      }
      if (i == 0 && (layer > 1 || first_shortcut)) {
        names.insert(block + "downsample.0.weight");
        add_norm(names, block + "downsample.1");
      }
    }
  }
  return names;
}

struct Mapped {
  Names names;               // torchvision's
  Names nameless;            // ours that have none
  std::size_t count = 0;     // of our tensors that have one
  std::int64_t trained = 0;  // values in those, running statistics apart
};

Mapped map_all(TorchvisionFamily family, const Graph& graph) {
  Mapped mapped;
  for (const Node& node : graph.nodes) {
    for (const TensorSpec& spec : float_tensors(graph, node)) {
      const auto names = torchvision_names(family, spec.name);
      if (names.empty()) {
        mapped.nameless.insert(spec.name);
        continue;
      }
      mapped.names.insert(names.front().name);
      ++mapped.count;
      if (!is_buffer(spec.role)) mapped.trained += element_count(spec.shape);
    }
  }
  return mapped;
}

HostTensor counted(Shape shape) {
  HostTensor tensor(DType::kF32, std::move(shape));
  std::iota(tensor.values<float>().begin(), tensor.values<float>().end(), 0.0F);
  return tensor;
}

}  // namespace

TEST_CASE("every tensor of ResNet-18, 34 and 50 has one torchvision name, and no two the same") {
  struct Case {
    const char* type;
    std::vector<int> blocks;
    int convs;
    std::size_t tensors;      // of the state dict, without num_batches_tracked
    std::int64_t parameters;  // as torchvision documents them
  };
  const auto c = GENERATE(Case{"resnet18", {2, 2, 2, 2}, 2, 102, 11'689'512},
                          Case{"resnet34", {3, 4, 6, 3}, 2, 182, 21'797'672},
                          Case{"resnet50", {3, 4, 6, 3}, 3, 267, 25'557'032});
  INFO(c.type);
  const Graph graph = build_model(imagenet(c.type, {{"stem", std::string("imagenet")}}));
  const Mapped mapped = map_all(TorchvisionFamily::kResNet, graph);
  CHECK((mapped.nameless == Names{}));
  CHECK((mapped.names == resnet_names(c.blocks, c.convs, c.convs == 3)));
  CHECK(mapped.names.size() == mapped.count);
  CHECK(mapped.count == c.tensors);
  CHECK(mapped.trained == c.parameters);
}

TEST_CASE("a tiled ResNet asks for the same names as a float one") {
  Graph graph = build_model(imagenet("resnet18", {{"stem", std::string("imagenet")}}));
  for (Node& node : graph.nodes) {
    if (WeightEncoding* weights = weights_of(node.op)) *weights = tiled(4);
  }
  CHECK(map_all(TorchvisionFamily::kResNet, graph).trained == 11'689'512);
}

TEST_CASE("ViT-B/16 takes all of torchvision's vit_b_16 but the projections' biases") {
  const Graph graph = build_model(imagenet("vit_imagenet", {{"patch", std::int64_t{16}},
                                                            {"dim", std::int64_t{768}},
                                                            {"depth", std::int64_t{12}},
                                                            {"heads", std::int64_t{12}},
                                                            {"mlp", std::int64_t{3072}}}));
  const Mapped mapped = map_all(TorchvisionFamily::kViT, graph);
  Names expected = {"class_token", "encoder.pos_embedding"};
  for (const char* layer : {"conv_proj", "encoder.ln", "heads.head"}) add_both(expected, layer);
  for (int i = 0; i < 12; ++i) {
    const std::string layer = "encoder.layers.encoder_layer_" + std::to_string(i) + ".";
    for (const char* part : {"ln_1", "self_attention.out_proj", "ln_2", "mlp.0", "mlp.3"}) {
      add_both(expected, layer + part);
    }
    expected.insert(layer + "self_attention.in_proj_weight");
  }
  CHECK((mapped.nameless == Names{}));
  CHECK((mapped.names == expected));
  CHECK(mapped.count == 152 - 12);
  CHECK(mapped.trained == 86'567'656 - 12 * 3 * 768);
}

TEST_CASE("Swin-T takes all of torchvision's swin_t but what its graph computes otherwise") {
  const Graph graph = build_model(imagenet("swin_t_imagenet", {}));
  const Mapped mapped = map_all(TorchvisionFamily::kSwin, graph);
  Names expected;
  for (const char* layer : {"features.0.0", "norm", "head"}) add_both(expected, layer);
  const std::vector<int> depths = {2, 2, 6, 2};
  for (std::size_t stage = 0; stage < depths.size(); ++stage) {
    for (int i = 0; i < depths[stage]; ++i) {
      const std::string block =
          "features." + std::to_string(2 * stage + 1) + "." + std::to_string(i) + ".";
      for (const char* part : {"norm1", "attn.proj", "norm2", "mlp.0", "mlp.3"}) {
        add_both(expected, block + part);
      }
      expected.insert(block + "attn.qkv.weight");
      expected.insert(block + "attn.relative_position_bias_table");
    }
  }
  CHECK((mapped.names == expected));
  Names merging;
  for (int stage = 1; stage < 4; ++stage) {
    add_both(merging, "stages." + std::to_string(stage) + ".patch_merging");
  }
  CHECK((mapped.nameless == merging));
}

TEST_CASE("the family is told by its names, and ours are none of torchvision's") {
  const HostTensor t = counted({1});
  using F = TorchvisionFamily;
  CHECK((torchvision_family({{"bn1.weight", t}, {"layer1.0.bn1.weight", t}}) == F::kResNet));
  CHECK((torchvision_family({{"conv_proj.weight", t}, {"encoder.pos_embedding", t}}) == F::kViT));
  CHECK((torchvision_family({{"features.0.0.weight", t}, {"features.1.0.attn.qkv.weight", t}}) ==
         F::kSwin));
  CHECK_FALSE(torchvision_family({{"conv1.weight", t}, {"norm1.weight", t}}).has_value());
  CHECK_FALSE(torchvision_family({}).has_value());
}

TEST_CASE("a fused projection gives separate layers a third each, and leading ones are dropped") {
  const Graph graph = build_model({.type = "vit",
                                   .options = {{"dim", std::int64_t{4}},
                                               {"depth", std::int64_t{1}},
                                               {"heads", std::int64_t{2}},
                                               {"head_dim", std::int64_t{2}},
                                               {"mlp", std::int64_t{6}},
                                               {"patch", std::int64_t{4}},
                                               {"qkv", std::string("separate")}},
                                   .input = {3, 8, 8}});
  const std::string layer = "encoder.layers.encoder_layer_0.";
  const TensorMap state = {{layer + "self_attention.in_proj_weight", counted({12, 4})},
                           {layer + "self_attention.in_proj_bias", counted({12})},
                           {layer + "mlp.linear_1.weight", counted({6, 4})},
                           {"class_token", counted({1, 1, 4})},
                           {"encoder.pos_embedding", counted({1, 5, 4})},
                           {"steps", HostTensor(DType::kI64, {})}};
  const RenamedTensors renamed = from_torchvision(TorchvisionFamily::kViT, graph, state);
  CHECK(renamed.tensors.size() == 6);
  float first = 0;
  for (const char* part : {"q", "k", "v"}) {
    const HostTensor& tensor =
        renamed.tensors.at("blocks.0.attention." + std::string(part) + ".weight");
    CHECK((tensor.shape() == Shape{4, 4}));
    CHECK(tensor.values<float>().front() == first);
    CHECK(tensor.values<float>().back() == first + 15);
    first += 16;
  }
  CHECK((renamed.tensors.at("class_token.token").shape() == Shape{4}));
  CHECK((renamed.tensors.at("positions.table").shape() == Shape{5, 4}));
  CHECK((renamed.tensors.at("blocks.0.mlp.fc1.weight") == counted({6, 4})));
  CHECK((renamed.unused == std::vector<std::string>{layer + "self_attention.in_proj_bias"}));
}

TEST_CASE("a fused projection that has no thirds, or no rows, stays what it is") {
  const Graph graph = build_model(
      {.type = "vit_tiny", .options = {{"qkv", std::string("separate")}}, .input = {3, 32, 32}});
  const std::string name = "encoder.layers.encoder_layer_0.self_attention.in_proj_weight";
  for (const Shape& shape : {Shape{}, Shape{0}, Shape{7, 4}, Shape{3}}) {
    const auto renamed =
        from_torchvision(TorchvisionFamily::kViT, graph, {{name, HostTensor(DType::kF32, shape)}});
    const Shape& got = renamed.tensors.at("blocks.0.attention.k.weight").shape();
    CHECK((got == (shape == Shape{3} ? Shape{1} : shape)));
  }
}
