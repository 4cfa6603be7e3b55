// A start from trained weights: which files are taken, which are refused, and what is said of it.
#include "train/state/warm_start.h"

#include <limits>

#include "support/errors.h"
#include "support/warm_starts_torch.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;
using torch::Tensor;

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
    } catch (const DataError&) {    // NOLINT(bugprone-empty-catch): refused as damaged,
    } catch (const ConfigError&) {  // NOLINT(bugprone-empty-catch): or as another network's.
    }
  }
  test::write_file(path, bytes);
  CHECK(warm_start(module, path).taken.size() == 2);
}
