// Networks: what is loaded, and what is refused with which words.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "graph/passes/features.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/random_model.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "tbn/file.h"
#include "tbn/prepare.h"
#include "tbn/runtime.h"

using namespace tbn;

namespace {

std::string refusal(const Model& model) {
  return test::message_of<DataError>([&] { Network::from(model, {}, "m.tbn"); });
}

Model tiny(Graph graph) { return test::random_packed(std::move(graph), 4); }

PackedFile packed_file(const Model& model) {
  return {.graph_json = to_json(model.graph),
          .tensors = model.tensors,
          .features = features_of(model.graph, model.tensors)};
}

// A tensor as halves, after its values were rounded to such (towards 0, the smallest to 0).
HostTensor halved(HostTensor& tensor) {
  std::vector<std::byte> bytes;
  for (float& value : tensor.values<float>()) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    const bool normal = std::abs(value) >= 0x1p-14f;
    value = normal ? std::bit_cast<float>(bits & ~0x1fffu) : 0.0f;
    const std::uint32_t half =
        normal ? (bits >> 31 << 15) | ((bits >> 13 & 0x3ffffu) - (112u << 10)) : 0;
    bytes.push_back(static_cast<std::byte>(half & 255));
    bytes.push_back(static_cast<std::byte>(half >> 8));
  }
  return {DType::kF16, tensor.shape(), std::move(bytes)};
}

// Layers in rows and in flat form, with and without folded norms, an affine and a layer norm.
Model scalars_of_every_kind() {
  GraphBuilder b("scalars");
  Value x = b.input({3, 6, 5}).conv(8, {.kernel = 3, .bias = true, .weights = tiled(4)});
  x = x.relu().conv(6, {.kernel = 3, .weights = tiled(9)}).batch_norm();
  x = x.max_pool({.kernel = 2}).batch_norm();
  x = x.flatten().linear(9, {.bias = false, .weights = binary()}).batch_norm().relu();
  return pack_model(test::random_trained(b.finish(x.layer_norm().linear(4)), 3));
}

}  // namespace

TEST_CASE("scalars and numbers of norms may lie in half precision") {
  Model model = scalars_of_every_kind();
  PackedFile file = packed_file(model);
  std::size_t halves = 0;
  for (auto& [name, tensor] : model.tensors) {
    if (name.ends_with(".tile") || name == "linear2.weight") continue;
    file.tensors[name] = halved(tensor);
    ++halves;
  }
  CHECK(halves == 12);
  CHECK(test::message_of<DataError>([&] {
          Network::parse(serialize_packed(file), "m.tbn");
        }).find("is F16, but the file does not name the feature 'f16'; export it again") !=
        std::string::npos);
  file.features.emplace_back("f16");
  const auto network = Network::parse(serialize_packed(file), "m.tbn");
  CHECK(network->tensors() == model.tensors);
  const std::vector<float> input = test::random_values(3 * 6 * 5, 5, 0, 255);
  std::vector<float> expected(4), found(4);
  Session(Network::from(model)).run(input, 1, expected);
  Session(network).run(input, 1, found);
  CHECK(found == expected);
}

TEST_CASE("what is no scalar is refused in half precision, and a half that is infinite") {
  Model model = scalars_of_every_kind();
  PackedFile file = packed_file(model);
  file.features.emplace_back("f16");
  const HostTensor weight = file.tensors.at("linear2.weight");
  file.tensors["linear2.weight"] = HostTensor(DType::kF16, weight.shape());
  const auto parse = [&] { Network::parse(serialize_packed(file), "m.tbn"); };
  CHECK(test::message_of<DataError>(parse) ==
        "m.tbn: tensor 'linear2.weight' is F16 [4, 9], but the graph needs F32 [4, 9]");
  file.tensors["linear2.weight"] = weight;
  file.tensors["linear2.bias"] =
      HostTensor(DType::kF16, {4}, std::vector<std::byte>(8, std::byte{0x7c}));
  CHECK(test::says(test::message_of<NonFiniteError>(parse), {"'linear2.bias' holds nan"}));
}

TEST_CASE("scalars of any other type are refused with both types that they may have") {
  const Model model = scalars_of_every_kind();
  std::size_t scalars = 0;
  for (const auto& [name, tensor] : model.tensors) {
    if (name.ends_with(".tile") || name == "linear2.weight") continue;
    ++scalars;
    for (const DType type : {DType::kBF16, DType::kF64, DType::kI8}) {
      INFO(name);
      PackedFile file = packed_file(model);
      file.tensors[name] = HostTensor(type, tensor.shape());
      CHECK(test::message_of<DataError>([&] { Network::parse(serialize_packed(file), "m.tbn"); }) ==
            "m.tbn: tensor '" + name + "' is " + std::string(to_string(type)) +
                "; scalars, biases and the numbers of layer norms are F32 or F16");
    }
  }
  CHECK(scalars == 12);
}

TEST_CASE("ops of training are refused by name") {
  GraphBuilder a("net");
  CHECK(refusal(tiny(a.finish(a.input({3}).batch_norm().named("x")))) ==
        "m.tbn: batch_norm 'x': not in a packed network; run the export passes");
  GraphBuilder b("net");
  CHECK(refusal(tiny(b.finish(b.input({3}).dropout(0.5).named("d")))) ==
        "m.tbn: dropout 'd': not in a packed network; run the export passes");
}

TEST_CASE("tensors that are missing, left over or no numbers are refused") {
  GraphBuilder b("net");
  Model model = tiny(b.finish(b.input({3}).linear(2).named("l")));
  Model broken = model;
  broken.tensors.erase("l.bias");
  CHECK(test::says(refusal(broken), {"m.tbn: ", "'l.bias'", "missing"}));
  broken = model;
  broken.tensors["other"] = HostTensor(DType::kF32, {1});
  CHECK(test::says(refusal(broken), {"m.tbn: ", "'other'"}));
  broken = model;
  broken.tensors.at("l.weight").values<float>()[1] = std::numeric_limits<float>::infinity();
  const std::string message =
      test::message_of<NonFiniteError>([&] { Network::from(broken, {}, "m.tbn"); });
  CHECK(message ==
        "m.tbn: tensor 'l.weight' holds inf; only finite numbers may be in a packed network");
}

TEST_CASE("a graph whose shapes do not hold is a data error of the file") {
  GraphBuilder b("net");
  Model model = tiny(b.finish(b.input({3}).linear(2).named("l")));
  model.graph.nodes[1].shape = {9};
  CHECK(test::says(refusal(model), {"m.tbn: linear 'l'", "[2]", "[9]"}));
}

TEST_CASE("networks that would take absurd memory are refused before any is taken") {
  GraphBuilder a("net");
  const Value wide = a.input({1, 1, 1}).conv(
      1, {.kernel = 40'000, .stride = 40'000, .padding = 40'000, .weights = tiled(40'000)});
  CHECK(test::says(refusal({.graph = a.finish(wide), .tensors = {}}),
                   {"m.tbn: conv2d 'conv1': its padded input is more than 2,147,483,648 values"}));
  GraphBuilder b("net");
  Value x = b.input({40'000});
  for (int i = 0; i < 3; ++i) x = x.linear(40'000, {.weights = tiled(40'000)});
  CHECK(test::says(refusal({.graph = b.finish(x), .tensors = {}}),
                   {"m.tbn: linear 'linear2': the weights up to here are more than"}));
}

TEST_CASE("a network loads from a file with its metadata and test vectors") {
  const test::TempDir folder;
  const Model model = pack_model(test::random_trained(test::odd_network(), 2));
  PackedFile file = packed_file(model);
  file.metadata["tbn.accuracy"] = "91.5";
  const std::vector<float> input = test::random_values(2 * 13 * 9 * 3, 5, 0, 255);
  file.test_vectors =
      TestVectors{HostTensor::of<float>({3, 2, 13, 9}, input), HostTensor(DType::kF32, {3, 5})};
  Session(Network::from(model)).run(input, 3, file.test_vectors->output.values<float>());
  write_packed(folder / "odd.tbn", file);

  const auto network = Network::load(folder / "odd.tbn");
  CHECK(network->graph() == model.graph);
  CHECK(network->tensors() == model.tensors);
  CHECK(network->metadata().at("tbn.accuracy") == "91.5");
  CHECK(network->verify_input() == file.test_vectors->input);
  std::vector<float> output(15, std::numeric_limits<float>::quiet_NaN());
  Session(network).run(network->verify_input().values<float>(), 3, output);
  CHECK(HostTensor::of<float>({3, 5}, output) == network->verify_output());
}

TEST_CASE("a file without test vectors has none") {
  const test::TempDir folder;
  write_packed(folder / "odd.tbn",
               packed_file(pack_model(test::random_trained(test::odd_network(), 2))));
  const auto network = Network::load(folder / "odd.tbn");
  CHECK(network->verify_input().count() == 0);
  CHECK(network->verify_output().count() == 0);
}

TEST_CASE("test vectors of other shapes than the network's are refused") {
  const test::TempDir folder;
  PackedFile file = packed_file(pack_model(test::random_trained(test::odd_network(), 2)));
  file.test_vectors =
      TestVectors{HostTensor(DType::kF32, {1, 2, 13, 9}), HostTensor(DType::kF32, {1, 6})};
  write_packed(folder / "odd.tbn", file);
  const std::string message =
      test::message_of<DataError>([&] { Network::load(folder / "odd.tbn"); });
  CHECK(test::says(message, {"odd.tbn: ", "'verify.output'", "[1, 6]", "[5]"}));
}

TEST_CASE("a packed file whose graph is none is refused with the file's name") {
  const test::TempDir folder;
  PackedFile file = packed_file(pack_model(test::random_trained(test::odd_network(), 2)));
  file.graph_json = R"({"nodes":[]})";
  write_packed(folder / "odd.tbn", file);
  CHECK_THROWS_AS(Network::load(folder / "odd.tbn"), DataError);
}

TEST_CASE(
    "a network parsed from memory is the one that is loaded, and keeps nothing of the bytes") {
  const test::TempDir folder;
  PackedFile file = packed_file(pack_model(test::random_trained(test::odd_network(), 2)));
  file.metadata["tbn.accuracy"] = "91.5";
  file.test_vectors =
      TestVectors{HostTensor(DType::kF32, {1, 2, 13, 9}), HostTensor(DType::kF32, {1, 5})};
  write_packed(folder / "odd.tbn", file);
  const auto loaded = Network::load(folder / "odd.tbn");
  // At an odd address, as an array in a program may be.
  std::vector<std::byte> bytes = serialize_packed(file);
  bytes.insert(bytes.begin(), std::byte{0});
  const auto parsed = Network::parse(std::span<const std::byte>(bytes).subspan(1));
  std::ranges::fill(bytes, std::byte{0xff});

  CHECK(parsed->graph() == loaded->graph());
  CHECK(parsed->tensors() == loaded->tensors());
  CHECK(parsed->metadata() == loaded->metadata());
  CHECK(parsed->verify_input() == loaded->verify_input());
  const std::vector<float> input = test::random_values(2 * 13 * 9, 5, 0, 255);
  std::vector<float> one(5), other(5);
  Session(parsed).run(input, 1, one);
  Session(loaded).run(input, 1, other);
  CHECK(one == other);
}

TEST_CASE("a network parsed from bytes that are no packed file is refused as a file would be") {
  const std::vector<std::byte> bytes =
      serialize_packed(packed_file(pack_model(test::random_trained(test::odd_network(), 2))));
  const auto refused = [](std::span<const std::byte> hostile) {
    return test::message_of<DataError>([&] { Network::parse(hostile, "rom"); });
  };
  CHECK(test::says(refused({}), {"rom: truncated"}));
  for (std::size_t length = 1; length < bytes.size(); length += 97) {
    CHECK(test::says(refused(std::span(bytes).first(length)), {"rom: "}));
  }
  std::vector<std::byte> damaged = bytes;
  damaged.back() ^= std::byte{1};
  CHECK(test::says(refused(damaged), {"rom: damaged"}));
  PackedFile wrong = packed_file(pack_model(test::random_trained(test::odd_network(), 2)));
  wrong.tensors.erase(wrong.tensors.begin());
  CHECK(test::says(refused(serialize_packed(wrong)), {"rom: ", "missing"}));
}

TEST_CASE("a network runs on after its file is deleted") {
  const test::TempDir folder;
  write_packed(folder / "odd.tbn",
               packed_file(pack_model(test::random_trained(test::odd_network(), 2))));
  const auto network = Network::load(folder / "odd.tbn");
  const std::vector<float> input = test::random_values(2 * 13 * 9, 5, 0, 255);
  std::vector<float> before(5), after(5);
  Session(network).run(input, 1, before);
  std::filesystem::remove(folder / "odd.tbn");
  Session(network).run(input, 1, after);
  CHECK(before == after);
  for (const auto& [name, tensor] : network->tensors()) {
    INFO(name);
    CHECK(tensor.is_borrowed());
  }
}

TEST_CASE("a network says what its file's rule says, and refuses the rule of another") {
  GraphBuilder b("net");
  const Model model = tiny(b.finish(b.input({3, 8, 8}).flatten().linear(2).named("l")));
  std::map<std::string, std::string> metadata =
      metadata_of({.input = InputRule{.kind = "image", .steps = {ResizeStep{9}, CropStep{}}},
                   .output = OutputRule{.kind = "class", .classes = {"cat", "dog"}}});
  const auto network = Network::from(model, metadata, "m.tbn");
  CHECK(network->classes() == std::vector<std::string>{"cat", "dog"});
  CHECK(network->columns().empty());
  CHECK(network->rule().input->steps.size() == 2);
  // Whoever does not know a step runs the network, but does not prepare its inputs.
  metadata["tbn.input"] = R"({"kind":"image","steps":[{"do":"blur"}]})";
  const auto later = Network::from(model, metadata, "m.tbn");
  std::vector<std::uint8_t> input(3 * 8 * 8);
  CHECK(test::says(test::message_of<ConfigError>([&] {
                     prepare_image(*later, {.pixels = input.data(), .height = 8, .width = 8},
                                   input);
                   }),
                   {"'blur'"}));
  metadata["tbn.output"] = R"({"kind":"class","classes":["cat"]})";
  CHECK(test::says(test::message_of<DataError>([&] { Network::from(model, metadata, "m.tbn"); }),
                   {"m.tbn: tbn.output", "1 class,"}));
  metadata["tbn.output"] = "free text";
  CHECK(test::says(test::message_of<DataError>([&] { Network::from(model, metadata, "m.tbn"); }),
                   {"m.tbn: tbn.output"}));
  CHECK(Network::from(model, {}, "m.tbn")->classes().empty());
}
