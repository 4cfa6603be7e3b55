// What the exporter takes out of a run, and what it says to a path that is none.
#include "export/checkpoint_reader.h"
#include "export/packed_model.h"
#include "file/safetensors.h"
#include "graph/passes/passes.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/naive_eval.h"
#include "support/random_model.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "tbn/runtime.h"

using namespace tbn;

namespace {

const Model& trained() {
  static const Model model = test::random_trained(test::odd_network(), 1);
  return model;
}

struct Written {
  TensorMap tensors;
  std::map<std::string, std::string> metadata;
};

Written checkpoint() {
  Written file;
  for (const auto& [name, tensor] : trained().tensors) file.tensors["model/" + name] = tensor;
  file.tensors["optim/stem.latent/momentum"] = HostTensor(DType::kF32, {2});
  file.metadata = {{"tbn.checkpoint", "1"},
                   {"tbn.graph", to_json(trained().graph)},
                   {"tbn.config", "name: odd\n"},
                   {"tbn.metrics", R"({"val_accuracy":90.25,"test_accuracy":89.5})"}};
  return file;
}

void write(const std::filesystem::path& path, const Written& file) {
  std::filesystem::create_directories(path.parent_path());
  write_safetensors(path, file.tensors, file.metadata);
}

std::string refusal(const std::filesystem::path& path) {
  return test::message_of<DataError>([&] { read_trained(path); });
}

}  // namespace

TEST_CASE("a checkpoint gives its graph, tensors and metrics") {
  const test::TempDir folder;
  write(folder / "c.safetensors", checkpoint());
  const TrainedModel read = read_trained(folder / "c.safetensors");
  CHECK(read.model.graph == trained().graph);
  CHECK(read.model.tensors == trained().tensors);
  CHECK_FALSE(read.averaged);
  CHECK(read.config_yaml == "name: odd\n");
  CHECK(read.test == 89.5);
  CHECK(read.val == 90.25);
}

TEST_CASE("averaged tensors are taken where there are any") {
  const test::TempDir folder;
  Written file = checkpoint();
  const Model other = test::random_trained(test::odd_network(), 77);
  for (const auto& [name, tensor] : other.tensors) file.tensors["ema/" + name] = tensor;
  write(folder / "c.safetensors", file);
  const TrainedModel read = read_trained(folder / "c.safetensors");
  CHECK(read.averaged);
  CHECK(read.model.tensors == other.tensors);
}

TEST_CASE("a run directory means its best checkpoint, else its last") {
  const test::TempDir run;
  CHECK(refusal(run.path()) ==
        run.path().string() +
            ": has no checkpoints/best.safetensors or checkpoints/last.safetensors yet; train it "
            "first with tbn-train, or name a run directory");
  write(run / "checkpoints/last.safetensors", checkpoint());
  CHECK(read_trained(run.path()).path.filename() == "last.safetensors");
  write(run / "checkpoints/best.safetensors", checkpoint());
  CHECK(read_trained(run.path()).path.filename() == "best.safetensors");
}

TEST_CASE(
    "something else in the place of a run's best checkpoint is not passed over for its last") {
  const test::TempDir run;
  write(run / "checkpoints/last.safetensors", checkpoint());
  std::filesystem::create_symlink("absent", run / "checkpoints/best.safetensors");
  CHECK(
      test::says(refusal(run.path()), {"best.safetensors' is a symbolic link that leads nowhere"}));
}

TEST_CASE("files that are no checkpoint are refused for what they are") {
  const test::TempDir folder;
  CHECK(test::says(refusal(folder / "none.safetensors"), {"none.safetensors"}));

  const Model packed = pack_model(trained());
  write_packed(folder / "m.tbn", make_packed_file(packed, {}));
  CHECK(refusal(folder / "m.tbn") ==
        (folder / "m.tbn").string() +
            ": is packed already; tbn-inspect shows it and tbn-eval runs it");

  write(folder / "plain.safetensors", {.tensors = trained().tensors, .metadata = {}});
  CHECK(test::says(refusal(folder / "plain.safetensors"), {"no checkpoint of tbn-train"}));

  Written newer = checkpoint();
  newer.metadata["tbn.checkpoint"] = "2";
  write(folder / "newer.safetensors", newer);
  CHECK(
      refusal(folder / "newer.safetensors") ==
      (folder / "newer.safetensors").string() +
          ": written by another version of tbn-train (checkpoint format '2', this tbn-export reads "
          "1); export it with the tbn that trained it, or upgrade");
}

TEST_CASE("a checkpoint whose parts do not fit together is refused with its name") {
  const test::TempDir folder;
  Written file = checkpoint();
  file.tensors.erase("model/stem.alpha");
  write(folder / "a.safetensors", file);
  CHECK(test::says(refusal(folder / "a.safetensors"), {"a.safetensors: ", "'stem.alpha'"}));
  file = checkpoint();
  file.metadata["tbn.graph"] = "{";
  write(folder / "b.safetensors", file);
  CHECK(test::says(refusal(folder / "b.safetensors"), {"b.safetensors"}));
  file = checkpoint();
  file.metadata["tbn.metrics"] = R"({"test_accuracy":"high"})";
  write(folder / "c.safetensors", file);
  CHECK(test::says(refusal(folder / "c.safetensors"),
                   {"c.safetensors: tbn.metrics: 'test_accuracy' is no number"}));
}

TEST_CASE("what the trainer could not go on from is not exported either") {
  const test::TempDir folder;
  const std::string good =
      R"({"epoch":1,"step_in_epoch":0,"global_step":9,"loss_sum":0.5,"correct":0,"labels":0,)"
      R"("samples":0,"best_epoch":0})";
  const auto with_progress = [&](const std::string& text) {
    Written file = checkpoint();
    file.metadata["tbn.progress"] = text;
    write(folder / "p.safetensors", file);
  };
  with_progress(good);
  CHECK(read_trained(folder / "p.safetensors").test == 89.5);
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& bad :
       {std::string("{"), std::string("[]"), std::string("{}"), changed("9", "-9"),
        changed("9", "\"9\""), changed("\"best_epoch\":0", "\"best_epoch\":7"),
        changed("\"step_in_epoch\":0", "\"step_in_epoch\":10"),
        changed("\"samples\":0", "\"samples\":5")}) {
    INFO(bad);
    with_progress(bad);
    CHECK(test::says(refusal(folder / "p.safetensors"), {"p.safetensors: tbn.progress: "}));
  }
  Written file = checkpoint();
  file.tensors["mdel/stem.bias"] = HostTensor(DType::kF32, {2});
  write(folder / "u.safetensors", file);
  CHECK(test::says(refusal(folder / "u.safetensors"), {"unknown tensor 'mdel/stem.bias'"}));
}
