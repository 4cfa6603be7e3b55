// A start from trained weights: the method's formulas in float64, which files are taken and which
// are refused.
#include "train/state/warm_start.h"

#include <torch/torch.h>

#include <limits>

#include "base/text.h"
#include "config/config.h"
#include "file/safetensors.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "tbn/models.h"
#include "train/executor/tensor_io.h"
#include "train/state/checkpoint.h"
#include "train/state/init.h"

using namespace tbn;
using test::TempDir;
using torch::Tensor;

namespace {

// A ResNet-18 an eighth as wide; its layers but the classifier have these weights.
Graph resnet(const WeightEncoding& encoding, std::int64_t classes = 10) {
  Graph graph = build_model({.type = "resnet18",
                             .options = {{"width", 0.125}},
                             .input = {3, 16, 16},
                             .task = {.output = {classes}}});
  for (Node& node : graph.nodes) {
    WeightEncoding* weights = weights_of(node.op);
    if (weights != nullptr && node.name != "classifier") *weights = encoding;
  }
  return graph;
}

// One layer of `outputs` x `inputs`, "fc".
Graph one_layer(std::int64_t outputs, std::int64_t inputs, const WeightEncoding& encoding) {
  GraphBuilder b("one");
  return b.finish(b.input({inputs}).linear(outputs, {.weights = encoding}).named("fc"));
}

// Initialised, and every buffer and bias moved from its plain start.
GraphModule trained(const Graph& graph, std::uint64_t seed) {
  GraphModule module(graph);
  initialize(module, InitConfig{}, seed);
  const torch::NoGradGuard no_grad;
  torch::manual_seed(static_cast<std::int64_t>(seed));
  for (const NamedTensor& named : module.tensors()) {
    Tensor tensor = named.tensor;
    tensor.add_(torch::rand_like(tensor), 0.01);
  }
  return module;
}

Tensor tensor_of(const GraphModule& module, const std::string& name) {
  for (const NamedTensor& named : module.tensors()) {
    if (named.name == name) return named.tensor.detach().clone();
  }
  FAIL("no tensor " + name);
  return {};
}

double rms(const Tensor& t) { return t.to(torch::kDouble).square().mean().sqrt().item<double>(); }

std::string save(const TempDir& folder, const TensorMap& tensors) {
  const auto path = folder / "float.safetensors";
  write_safetensors(path, tensors, {});
  return path.string();
}

void save_checkpoint(const std::filesystem::path& path, const GraphModule& module,
                     const TensorMap& averages = {}) {
  std::filesystem::create_directories(path.parent_path());
  write_checkpoint(path, {.model = state_of(module), .ema = averages, .graph = module.graph()});
}

bool same(const Tensor& a, const Tensor& b) { return torch::equal(a, b); }

// Largest difference, relative to the largest value.
double difference(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to(torch::kDouble);
  const Tensor y = b.to(torch::kDouble);
  return ((x - y).abs().max() / y.abs().max()).item<double>();
}

}  // namespace

TEST_CASE("a float network started from a float file gives its outputs, bit by bit") {
  const TempDir folder;
  GraphModule teacher = trained(resnet(FloatWeights{}), 1);
  GraphModule student(resnet(FloatWeights{}));
  initialize(student, InitConfig{}, 2);
  const WarmStart start = warm_start(student, save(folder, state_of(teacher)));
  CHECK(start.taken.size() == student.tensors().size());
  CHECK(start.left.empty());
  CHECK(start.unused.empty());
  teacher.eval();
  student.eval();
  const Tensor x = torch::randint(0, 256, {2, 3, 16, 16});
  CHECK(same(student.forward(x), teacher.forward(x)));
}

TEST_CASE("a tiled ResNet starts with the sign of the summed slices and the nearest scalars") {
  const auto latent = GENERATE(LatentForm::kFull, LatentForm::kShared);
  const auto scope = GENERATE(AlphaScope::kTile, AlphaScope::kLayer, AlphaScope::kOutput);
  const auto order = GENERATE(TileOrder::kRepeat, TileOrder::kInterleave);
  const std::int64_t p = GENERATE(1, 4);
  CAPTURE(to_string(latent), to_string(scope), to_string(order), p);
  const TempDir folder;
  const GraphModule teacher = trained(resnet(FloatWeights{}), 3);
  GraphModule student(
      resnet(TiledWeights{.p = p, .alpha = scope, .latent = latent, .order = order}));
  initialize(student, InitConfig{}, 4);
  GraphModule fresh(student.graph());
  initialize(fresh, InitConfig{}, 4);
  const double before = rms(tensor_of(student, "layer2.0.conv1.latent"));
  warm_start(student, save(folder, state_of(teacher)));
  for (const char* layer : {"conv1", "layer1.0.conv2", "layer2.0.conv1", "layer3.0.shortcut"}) {
    const std::string name = layer;
    const Tensor w = tensor_of(teacher, name + ".weight").to(torch::kDouble);
    const bool interleaved = order == TileOrder::kInterleave;
    const auto sliced = [&](const Tensor& t) {  // [p, R, m]
      return interleaved ? t.reshape({t.size(0) / p, p, -1}).transpose(0, 1)
                         : t.reshape({p, t.size(0) / p, -1});
    };
    const Tensor slices = sliced(w).reshape({p, -1});
    const Tensor s = slices.sum(0);
    const Tensor tile = 2 * (s > 0).to(torch::kDouble) - 1;
    Tensor own = tensor_of(student, name + ".latent").to(torch::kDouble);
    own = latent == LatentForm::kFull ? sliced(own).sum(0).reshape({-1}) : own.reshape({-1});
    CHECK(same(2 * (own > 0).to(torch::kDouble) - 1, tile));
    Tensor alpha = torch::matmul(slices, tile) / static_cast<double>(s.numel());
    if (scope == AlphaScope::kLayer) alpha = alpha.mean(0, true);
    if (scope == AlphaScope::kOutput) {
      const Tensor rows = (slices * tile).reshape({p, w.size(0) / p, -1}).mean(2);
      alpha = (interleaved ? rows.t() : rows).reshape({-1});
    }
    CHECK(difference(tensor_of(student, name + ".alpha"), alpha) < 1e-6);
    if (alpha.numel() == 1 && p == 1)
      CHECK(alpha.item<double>() == Approx(w.abs().mean().item<double>()));
  }
  CHECK(rms(tensor_of(student, "layer2.0.conv1.latent")) == Approx(before).epsilon(1e-4));
  // Norms come over with their statistics, but for those that have to part replicas.
  for (const char* part : {"weight", "bias", "running_mean", "running_var"}) {
    const std::string name = "layer3.1.norm2." + std::string(part);
    const Tensor& expected = p == 1 ? tensor_of(teacher, name) : tensor_of(fresh, name);
    CHECK(same(tensor_of(student, name), expected));
  }
  CHECK(same(tensor_of(student, "classifier.weight"), tensor_of(teacher, "classifier.weight")));
}

TEST_CASE("no scalar is nearer to its slice than the one that a warm start gives") {
  const TempDir folder;
  const auto form = GENERATE(std::pair<int, int>{8, 6}, std::pair<int, int>{10, 6});  // rows, flat
  const auto [n, m] = form;
  torch::manual_seed(5);
  const Tensor w = torch::randn({n, m});
  GraphModule student(one_layer(n, m, tiled(4)));
  initialize(student, InitConfig{}, 1);
  warm_start(student, save(folder, {{"fc.weight", to_host(w)}}));
  const Tensor slices = w.to(torch::kDouble).reshape({4, -1});
  const Tensor tile = tensor_of(student, "fc.latent").to(torch::kDouble).flatten().sign();
  const Tensor alpha = tensor_of(student, "fc.alpha").to(torch::kDouble).unsqueeze(1);
  const auto error = [&](const Tensor& a) { return (slices - a * tile).square().sum(1); };
  CHECK((error(alpha) < error(alpha + 1e-3)).all().item<bool>());
  CHECK((error(alpha) < error(alpha - 1e-3)).all().item<bool>());
}

TEST_CASE("a slice that opposes the tile gets a negative scalar") {
  const TempDir folder;
  torch::manual_seed(6);
  const Tensor slice = torch::randn({2, 16});
  const Tensor w = torch::cat({slice, -0.5 * slice});
  GraphModule student(one_layer(4, 16, tiled(2)));
  initialize(student, InitConfig{}, 1);
  warm_start(student, save(folder, {{"fc.weight", to_host(w)}}));
  const double size = slice.abs().mean().item<double>();
  CHECK(tensor_of(student, "fc.alpha")[0].item<double>() == Approx(size));
  CHECK(tensor_of(student, "fc.alpha")[1].item<double>() == Approx(-0.5 * size));
}

TEST_CASE("scalars from a second latent or from the latents keep the magnitudes of the weights") {
  const TempDir folder;
  const std::int64_t p = GENERATE(1, 2);
  torch::manual_seed(7);
  const Tensor w = 3 * torch::randn({8, 5});
  const std::string file = save(folder, {{"fc.weight", to_host(w)}});
  const auto started = [&](AlphaSource source) {
    GraphModule module(
        one_layer(8, 5, TiledWeights{.p = p, .alpha_from = source, .latent = LatentForm::kFull}));
    initialize(module, InitConfig{}, 1);
    const double before = rms(tensor_of(module, "fc.latent"));
    warm_start(module, file);
    return std::pair(module, before);
  };
  const auto [scores, unused] = started(AlphaSource::kScores);
  CHECK(same(tensor_of(scores, "fc.latent"), w));
  const auto [weight, before] = started(AlphaSource::kWeight);
  CHECK(same(tensor_of(weight, "fc.alpha_latent"), w));
  CHECK(rms(tensor_of(weight, "fc.latent")) == Approx(before).epsilon(1e-5));
  CHECK(same(tensor_of(weight, "fc.latent").sign(), w.sign()));
}

TEST_CASE("a run's best checkpoint is taken, its averages first") {
  const TempDir folder;
  const Graph graph = resnet(tiled(4));
  const GraphModule last = trained(graph, 1);
  const GraphModule best = trained(graph, 2);
  const GraphModule averages = trained(graph, 3);
  GraphModule student(graph);
  save_checkpoint(folder / "checkpoints" / "last.safetensors", last);
  CHECK(warm_start(student, folder.path()).taken.size() == student.tensors().size());
  CHECK((state_of(student) == state_of(last)));
  save_checkpoint(folder / "checkpoints" / "best.safetensors", best);
  warm_start(student, folder.path());
  CHECK((state_of(student) == state_of(best)));
  save_checkpoint(folder / "checkpoints" / "best.safetensors", best, state_of(averages));
  warm_start(student, folder.path());
  CHECK((state_of(student) == state_of(averages)));
}

TEST_CASE("a checkpoint of another encoding gives the weights that it computes with") {
  const TempDir folder;
  const auto latent = GENERATE(LatentForm::kFull, LatentForm::kShared);
  const auto file = folder / "tiled.safetensors";
  const TiledWeights encoding{.p = 2, .latent = latent};
  const GraphModule source = trained(one_layer(8, 6, encoding), 1);
  save_checkpoint(file, source);
  GraphModule student(one_layer(8, 6, FloatWeights{}));
  warm_start(student, file);
  Tensor s = tensor_of(source, "fc.latent").reshape({-1, 24}).sum(0);
  const Tensor alpha = tensor_of(source, "fc.alpha").unsqueeze(1);
  const Tensor expected = (alpha * (2 * (s > 0).to(torch::kFloat) - 1)).reshape({8, 6});
  CHECK(same(tensor_of(student, "fc.weight"), expected));

  GraphModule finer(one_layer(8, 6, TiledWeights{.p = 4, .latent = latent}));
  const WarmStart start = warm_start(finer, file);
  CHECK((start.taken == std::vector<std::string>{"fc.latent", "fc.alpha", "fc.bias"}));
  CHECK(start.left.empty());
}

TEST_CASE("latents of the same shape that mean other weights are not copied") {
  const TempDir folder;
  const auto scores = [](std::int64_t p) {
    return TiledWeights{.p = p, .alpha_from = AlphaSource::kScores, .latent = LatentForm::kFull};
  };
  const GraphModule source = trained(one_layer(8, 6, scores(2)), 1);
  save_checkpoint(folder / "tiled.safetensors", source);
  GraphModule student(one_layer(8, 6, scores(4)));
  warm_start(student, folder / "tiled.safetensors");
  const Tensor slices = tensor_of(source, "fc.latent").to(torch::kDouble).reshape({2, 24});
  const Tensor tile = 2 * (slices.sum(0) > 0).to(torch::kDouble) - 1;
  const Tensor expected = (slices.abs().mean(1, true) * tile).reshape({8, 6});
  CHECK(difference(tensor_of(student, "fc.latent"), expected) < 1e-6);
}

TEST_CASE("a classifier of other classes keeps its initialisation, weight and bias") {
  const TempDir folder;
  const GraphModule teacher = trained(resnet(FloatWeights{}, 10), 1);
  GraphModule student(resnet(FloatWeights{}, 7));
  initialize(student, InitConfig{}, 2);
  const Tensor weight = tensor_of(student, "classifier.weight");
  TensorMap tensors = state_of(teacher);
  tensors.erase("layer1.0.norm1.running_var");
  const std::string file = save(folder, tensors);
  const WarmStart start = warm_start(student, file);
  CHECK((start.left == std::vector<std::string>{"layer1.0.norm1.running_var", "classifier.weight",
                                                "classifier.bias"}));
  CHECK((start.unused == std::vector<std::string>{"classifier.bias", "classifier.weight"}));
  CHECK(same(tensor_of(student, "classifier.weight"), weight));
  CHECK(describe(start) ==
        "warm start from " + file + ": " + grouped(static_cast<std::uint64_t>(start.weights)) +
            " of " + grouped(static_cast<std::uint64_t>(start.all_weights)) + " weights, " +
            std::to_string(start.taken.size()) +
            " tensors taken, 3 left as initialised (layer1.0.norm1.running_var, "
            "classifier.weight, classifier.bias), 2 of the file unused (classifier.bias, "
            "classifier.weight)");
}

TEST_CASE(
    "a classifier of the same classes in another order is taken by name, whatever encodes it") {
  const TempDir folder;
  const auto path = folder / "c.safetensors";
  const std::vector<std::string> there = {"ant", "bee", "cow"};
  const std::vector<std::string> here = {"cow", "ant", "bee"};
  for (const WeightEncoding& encoding :
       {WeightEncoding(FloatWeights{}), WeightEncoding(tiled(1))}) {
    const GraphModule source = trained(one_layer(3, 8, encoding), 1);
    Checkpoint checkpoint{.model = state_of(source), .graph = source.graph()};
    checkpoint.rule.output = OutputRule{.kind = "class", .classes = there};
    write_checkpoint(path, checkpoint);
    GraphModule student(source.graph());
    initialize(student, InitConfig{}, 2);
    const WarmStart start = warm_start(student, path, 1, here);
    CHECK(test::says(describe(start), {"; its classes are in another order, and the classifier's "
                                       "rows were matched by name"}));
    const Tensor rows = torch::tensor({2, 0, 1});
    CHECK(same(tensor_of(student, "fc.bias"), tensor_of(source, "fc.bias").index_select(0, rows)));
    const bool is_float = std::holds_alternative<FloatWeights>(encoding);
    const Tensor theirs = tensor_of(source, is_float ? "fc.weight" : "fc.latent");
    const Tensor ours = tensor_of(student, is_float ? "fc.weight" : "fc.latent");
    const Tensor expected = theirs.index_select(0, rows);
    CHECK(same(is_float ? ours : ours.sign(), is_float ? expected : expected.sign()));
    // The order that it was trained in is taken as it is, with nothing to say.
    const WarmStart straight = warm_start(student, path, 1, there);
    CHECK(straight.classes.empty());
    CHECK((state_of(student) == state_of(source)));
  }
}

TEST_CASE("a classifier of as many other classes keeps its initialisation, and the rest is taken") {
  const TempDir folder;
  const auto path = folder / "c.safetensors";
  const GraphModule source = trained(resnet(FloatWeights{}, 3), 1);
  Checkpoint checkpoint{.model = state_of(source), .graph = source.graph()};
  checkpoint.rule.output = OutputRule{.kind = "class", .classes = {"ant", "bee", "cow"}};
  write_checkpoint(path, checkpoint);
  GraphModule student(resnet(FloatWeights{}, 3));
  initialize(student, InitConfig{}, 2);
  const Tensor weight = tensor_of(student, "classifier.weight");
  const WarmStart start = warm_start(student, path, 0, {"ant", "bee", "dog"});
  CHECK((start.left == std::vector<std::string>{"classifier.weight", "classifier.bias"}));
  CHECK(test::says(describe(start), {"; its classes are others ('dog' is none of them)"}));
  CHECK(same(tensor_of(student, "classifier.weight"), weight));
  CHECK(same(tensor_of(student, "conv1.weight"), tensor_of(source, "conv1.weight")));
  // Names that are not known, or do not tell classes apart, are no reason to leave anything.
  CHECK(warm_start(student, path).left.empty());
}

TEST_CASE("a state dict of torchvision starts a network of ours") {
  const TempDir folder;
  GraphModule teacher = trained(resnet(FloatWeights{}), 1);
  TensorMap theirs;
  for (const auto& [name, tensor] : state_of(teacher)) {
    std::string renamed = name;
    const auto replace = [&](std::string_view part, std::string_view by) {
      const auto at = renamed.find(part);
      if (at != std::string::npos) renamed.replace(at, part.size(), by);
    };
    replace("shortcut_norm", "downsample.1");
    replace("shortcut", "downsample.0");
    replace("norm", "bn");
    replace("classifier", "fc");
    theirs.emplace(renamed, tensor);
  }
  theirs.emplace("bn1.num_batches_tracked", HostTensor(DType::kI64, {}));
  theirs.emplace("extra.weight", HostTensor(DType::kF32, {3}));
  GraphModule student(resnet(FloatWeights{}));
  const WarmStart start = warm_start(student, save(folder, theirs));
  CHECK((state_of(student) == state_of(teacher)));
  CHECK((start.unused == std::vector<std::string>{"extra.weight"}));
}

TEST_CASE("a file that holds little of the network is refused with both numbers, unless told") {
  const TempDir folder;
  const Graph graph = resnet(tiled(4));
  TensorMap theirs = state_of(trained(resnet(FloatWeights{}), 3));
  std::erase_if(theirs, [](const auto& entry) {
    return !entry.first.starts_with("conv1.") && !entry.first.starts_with("layer1.0.conv1");
  });
  const std::string file = save(folder, theirs);
  GraphModule student(graph);
  const WarmStart start = warm_start(student, file);
  CHECK(start.weights > 0);
  CHECK(2 * start.weights < start.all_weights);
  const auto refused = [&](double share) {
    return test::message_of<ConfigError>([&] { warm_start(student, file, share); });
  };
  CHECK(
      test::says(refused(0.5), {"init.from: ", "float.safetensors has ", " of the network's layers",
                                "less than the 50 % of init.share", "init.share=0"}));
  const double share = static_cast<double>(start.weights) / static_cast<double>(start.all_weights);
  CHECK_NOTHROW(warm_start(student, file, share));
  CHECK_FALSE(refused(share * 1.001).empty());
  CHECK(test::says(describe(start), {"warm start from ", " weights, "}));
}

TEST_CASE("half-precision files are widened, and whole numbers are no weights") {
  const TempDir folder;
  const Tensor w = torch::tensor({{0.5F, -2.0F}, {1.25F, 0.0F}});
  const auto type = GENERATE(torch::kFloat16, torch::kBFloat16, torch::kFloat64);
  GraphModule module(one_layer(2, 2, FloatWeights{}));
  const WarmStart start =
      warm_start(module, save(folder, {{"fc.weight", to_host(w.to(type))},
                                       {"fc.bias", to_host(torch::ones({2}, torch::kLong))}}));
  CHECK(same(tensor_of(module, "fc.weight"), w));
  CHECK((start.left == std::vector<std::string>{"fc.bias"}));
}

TEST_CASE("a file that cannot start the network is refused with what is wrong and where") {
  const TempDir folder;
  GraphModule module(one_layer(4, 4, tiled(2)));
  const auto refused = [&](const std::string& file) {
    return test::message_of<DataError>([&] { warm_start(module, file); });
  };
  const auto with = [&](float value) {
    const std::string file = save(folder, {{"fc.weight", to_host(torch::full({4, 4}, value))}});
    return test::message_of<NonFiniteError>([&] { warm_start(module, file); });
  };
  CHECK(test::says(with(std::numeric_limits<float>::quiet_NaN()),
                   {"float.safetensors", "'fc.weight'", "not finite"}));
  CHECK(test::says(with(std::numeric_limits<float>::infinity()), {"not finite"}));
  test::write_file(folder / "model.pth", "PK");
  CHECK(test::says(refused((folder / "model.pth").string()), {"convert_pth.py"}));
  CHECK(test::says(refused((folder / "none.safetensors").string()), {"none.safetensors"}));
  CHECK(test::says(refused(folder.path().string()), {"run directory"}));
  write_safetensors(folder / "p.tbn", {{"fc.tile", HostTensor(DType::kU8, {1})}},
                    {{"tbn.format", "1.0"}});
  CHECK(test::says(refused((folder / "p.tbn").string()), {"packed"}));
  const auto mismatch = [&](const TensorMap& tensors) {
    const std::string file = save(folder, tensors);
    return test::message_of<ConfigError>([&] { warm_start(module, file); });
  };
  CHECK(test::says(mismatch({{"other.weight", HostTensor(DType::kF32, {4, 4})}}),
                   {"init.from", "float.safetensors", "network 'one'"}));
  // All zeros have no sign; a bias without its weight means nothing.
  CHECK_FALSE(mismatch({{"fc.weight", HostTensor(DType::kF32, {4, 4})},
                        {"fc.bias", HostTensor(DType::kF32, {4})}})
                  .empty());
  CHECK_FALSE(mismatch({{"fc.weight", HostTensor(DType::kF32, {4, 5})}}).empty());
}

TEST_CASE("a negative running variance is refused") {
  const TempDir folder;
  GraphModule module = trained(resnet(FloatWeights{}), 1);
  TensorMap tensors = state_of(module);
  tensors.at("norm1.running_var").values<float>()[0] = -1;
  const std::string file = save(folder, tensors);
  CHECK(test::says(test::message_of<DataError>([&] { warm_start(module, file); }),
                   {"'norm1.running_var'", "negative"}));
}

TEST_CASE("a file cut short or with a bit flipped in its header starts nothing and never crashes") {
  const TempDir folder;
  const auto whole = serialize_safetensors({{"fc.weight", to_host(torch::ones({4, 4}))}}, {});
  const std::string bytes(reinterpret_cast<const char*>(whole.data()), whole.size());
  GraphModule module(one_layer(4, 4, tiled(2)));
  const auto path = folder / "cut.safetensors";
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    test::write_file(path, bytes.substr(0, size));
    CHECK_THROWS_AS(warm_start(module, path), DataError);
  }
  for (std::size_t at = 0; at < bytes.size() - 64; ++at) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    test::write_file(path, flipped);
    try {
      warm_start(module, path);
    } catch (const DataError&) {
    } catch (const ConfigError&) {
    }
  }
  test::write_file(path, bytes);
  CHECK(warm_start(module, path).taken.size() == 2);
}
