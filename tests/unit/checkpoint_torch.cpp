// Checkpoints to disk and back, and what is refused.
#include "train/state/checkpoint.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include <unistd.h>

#include "config/load.h"
#include "export/checkpoint_reader.h"
#include "file/safetensors.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"
#include "tbn/model.h"

namespace fs = std::filesystem;

namespace {

// A path in a folder of its own that goes with it.
struct TemporaryFile {
  fs::path folder = fs::temp_directory_path() / ("tbn-checkpoint-" + std::to_string(::getpid()));
  fs::path path = folder / "c.safetensors";
  TemporaryFile() { fs::create_directories(folder); }
  ~TemporaryFile() { fs::remove_all(folder); }
};

tbn::Checkpoint example() {
  tbn::GraphBuilder b("tiny");
  tbn::Value x = b.input({4});
  x = x.linear(2, {.weights = tbn::tiled(2)}).named("fc");
  tbn::Checkpoint checkpoint;
  checkpoint.graph = b.finish(x);
  float value = 1;
  for (const tbn::Node& node : checkpoint.graph.nodes) {
    for (const tbn::TensorSpec& spec : tbn::training_tensors(checkpoint.graph, node)) {
      tbn::HostTensor tensor(spec.dtype, spec.shape);
      for (float& v : tensor.values<float>()) v = value++;
      checkpoint.model.emplace(spec.name, tensor);
      checkpoint.ema.emplace(spec.name, tensor);
      checkpoint.optimizer.emplace(spec.name + "/momentum", tensor);
    }
  }
  checkpoint.rng.emplace("cpu", tbn::HostTensor(tbn::DType::kU8, {16}));
  checkpoint.config_yaml = "name: tiny\n";
  checkpoint.progress = {.epoch = 3,
                         .step_in_epoch = 7,
                         .global_step = 127,
                         .loss_sum = 0.1 + 0.2,
                         .correct = 11,
                         .labels = 40,
                         .samples = 35,
                         .best_score = 91.25,
                         .best_loss = 0.1 + 0.7,
                         .best_epoch = 2};
  checkpoint.metrics.val = 91.25;
  checkpoint.rule.output = tbn::OutputRule{.kind = "class", .classes = {"cat", "d\xc3\xb6g"}};
  return checkpoint;
}

// What reading says after `change` was done to a good file.
std::string error_after(const std::function<void(tbn::SafetensorsFile&)>& change) {
  const TemporaryFile file;
  tbn::write_checkpoint(file.path, example());
  tbn::SafetensorsFile contents = tbn::read_safetensors(file.path);
  change(contents);
  tbn::write_safetensors(file.path, contents.tensors, contents.metadata);
  try {
    tbn::read_checkpoint(file.path);
  } catch (const tbn::DataError& error) {
    const std::string text = error.what();
    return text.starts_with(file.path.string() + ": ") ? text.substr(file.path.string().size() + 2)
                                                       : "elsewhere: " + text;
  }
  return "";
}

}  // namespace

TEST_CASE("a checkpoint comes back as it was written, sums to the last bit") {
  const TemporaryFile file;
  const tbn::Checkpoint written = example();
  tbn::write_checkpoint(file.path, written);
  const tbn::Checkpoint read = tbn::read_checkpoint(file.path);
  CHECK((read.graph == written.graph));
  CHECK((read.model == written.model));
  CHECK((read.ema == written.ema));
  CHECK((read.optimizer == written.optimizer));
  CHECK((read.rng == written.rng));
  CHECK(read.config_yaml == written.config_yaml);
  CHECK((read.progress == written.progress));
  CHECK((read.rule == written.rule));
  CHECK(read.metrics.val == written.metrics.val);
  CHECK_FALSE(read.metrics.test.has_value());
  CHECK(&read.weights() == &read.ema);
}

TEST_CASE("a checkpoint's tensors carry the names of the contract") {
  const TemporaryFile file;
  tbn::write_checkpoint(file.path, example());
  const tbn::SafetensorsFile contents = tbn::read_safetensors(file.path);
  for (const char* name : {"model/fc.latent", "model/fc.alpha", "model/fc.bias", "ema/fc.latent",
                           "optim/fc.bias/momentum", "rng/cpu"}) {
    CHECK(contents.tensors.count(name) == 1);
  }
  CHECK(contents.metadata.at("tbn.checkpoint") == "1");
}

TEST_CASE("both readers of checkpoints refuse a flipped bit wherever it is") {
  const TemporaryFile file;
  tbn::write_checkpoint(file.path, example());
  std::ifstream in(file.path, std::ios::binary);
  const std::string good{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const auto refuses = [&](const auto& read) {
    try {
      read(file.path);
    } catch (const tbn::DataError&) {
      return true;
    }
    return false;
  };
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    std::ofstream(file.path, std::ios::binary) << bad;
    INFO("byte " << at << " of " << good.size());
    REQUIRE(refuses(tbn::read_checkpoint));
    REQUIRE(refuses(tbn::read_trained));
  }
}

TEST_CASE("a checkpoint of before there were checksums is read by both readers") {
  const TemporaryFile file;
  tbn::write_checkpoint(file.path, example());
  tbn::SafetensorsFile contents = tbn::read_safetensors(file.path);
  CHECK_FALSE(contents.metadata.contains("tbn.crc32c"));
  tbn::write_safetensors(file.path, contents.tensors, contents.metadata);
  CHECK((tbn::read_checkpoint(file.path).optimizer == example().optimizer));
  CHECK((tbn::read_trained(file.path).model.tensors == example().ema));
}

TEST_CASE("a good checkpoint passes the checks that the next cases fail") {
  CHECK(error_after([](tbn::SafetensorsFile&) {}).empty());
}

TEST_CASE("a plain safetensors file is no checkpoint") {
  CHECK(error_after([](tbn::SafetensorsFile& f) { f.metadata.clear(); }) ==
        "its metadata lacks 'tbn.checkpoint'; it is no checkpoint of tbn-train");
}

TEST_CASE("a checkpoint of a newer version is refused") {
  CHECK(error_after([](tbn::SafetensorsFile& f) { f.metadata["tbn.checkpoint"] = "2"; }) ==
        "its checkpoint version is '2', and this tbn reads 1; use the tbn that wrote it or a newer "
        "one");
}

TEST_CASE("a checkpoint with a missing, foreign or misshapen tensor is refused by name") {
  CHECK(error_after([](tbn::SafetensorsFile& f) {
          f.tensors.erase("model/fc.bias");
        }).find("fc.bias") != std::string::npos);
  CHECK(error_after([](tbn::SafetensorsFile& f) {
          f.tensors["other/x"] = tbn::HostTensor(tbn::DType::kF32, {1});
        }) == "unknown tensor 'other/x'");
  CHECK(error_after([](tbn::SafetensorsFile& f) {
          f.tensors["ema/fc.bias"] = tbn::HostTensor(tbn::DType::kF32, {3});
        }).find("fc.bias") != std::string::npos);
}

TEST_CASE("metadata that is broken is refused by both readers, with file and key named once") {
  const std::string progress =
      R"({"epoch":3,"step_in_epoch":7,"global_step":127,"loss_sum":0.5,"correct":11,"labels":40,)"
      R"("samples":35,"best_score":91.25,"best_epoch":2})";
  const auto with = [&](const std::string& part, const std::string& other) {
    std::string text = progress;
    return text.replace(text.find(part), part.size(), other);
  };
  struct Row {
    const char* key;
    std::vector<std::string> values;
    bool packs_without = false;  // the exporter does not look at it
  };
  const Row rows[] = {
      {"tbn.checkpoint", {"", "2", "one"}},
      {"tbn.graph", {"", "{", "[]", "{}", R"({"name": 3})", std::string(5000, '[')}},
      {"tbn.progress",
       {"", "{", "[]", "null", "{}", with("3", "-1"), with("3", "\"3\""), with("3", "1e400"),
        with("0.5", "nan"), with("127", "6"), with("\"samples\":35", "\"samples\":0"),
        with("\"best_epoch\":2", "\"best_epoch\":4"), with("127", "9999999999999999")},
       true},
      {"tbn.metrics", {"", "{", "[]", "3", R"({"val_accuracy":"high"})", R"({"test_mse":null})"}},
      {"tbn.output", {"", "{", "[]", R"({"kind":7})"}},
  };
  for (const Row& row : rows) {
    for (const std::string& value : row.values) {
      INFO(row.key << " = " << value.substr(0, 100));
      const TemporaryFile file;
      tbn::write_checkpoint(file.path, example());
      tbn::SafetensorsFile contents = tbn::read_safetensors(file.path);
      REQUIRE(contents.metadata.contains(row.key));
      contents.metadata[row.key] = value;
      tbn::write_safetensors(file.path, contents.tensors, contents.metadata);
      const std::string name = file.path.string();
      const auto check = [&](const auto& read) {
        std::string text = tbn::test::message_of<tbn::DataError>([&] { read(file.path); });
        CHECK(text.starts_with(name + ": "));
        CHECK(text.find(name, 1) == std::string::npos);
        CHECK(text.find('\n') == std::string::npos);
        return text;
      };
      check(tbn::read_checkpoint);
      if (!row.packs_without) check(tbn::read_trained);
    }
  }
  const auto lacks = [](const char* key) {
    return error_after([&](tbn::SafetensorsFile& f) { f.metadata.erase(key); });
  };
  for (const char* key : {"tbn.graph", "tbn.config", "tbn.progress", "tbn.metrics"}) {
    CHECK(lacks(key) ==
          std::string("its metadata lacks '") + key + "'; it is no checkpoint of tbn-train");
  }
}

TEST_CASE(
    "what is wrong with a recorded configuration is a damaged file, and with a setting is not") {
  const std::string good = tbn::print_config(tbn::parse_config("{name: r}", "test"));
  const auto error = [](const std::string& yaml) {
    return tbn::test::message_of<tbn::DataError>(
        [&] { tbn::parse_recorded_config(yaml, "c.safetensors"); });
  };
  CHECK(tbn::parse_recorded_config(good, "c", {"optim.lr=0.5"}).optim.fields.lr == 0.5);
  for (const std::string bad : {"[]", "{", "name: [", "nom: r", "train: {epochs: many}",
                                "base: other.yaml", "weights: {p: 0}"}) {
    INFO(bad);
    const std::string text = error(bad);
    CHECK(text.starts_with("c.safetensors: configuration:"));
    CHECK(text.find("c.safetensors", 1) == std::string::npos);
    CHECK(text.find('\n') == std::string::npos);
  }
  CHECK_THROWS_AS(tbn::parse_recorded_config(good, "c", {"optim.lrr=1"}), tbn::ConfigError);
}
