// Steps of a supernet on a small data set: losses and weights that are not finite, and damaged
// states.
#include <torch/torch.h>

#include <cmath>

#include "config/load.h"
#include "file/safetensors.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/idx_writer.h"
#include "support/temp_dir.h"
#include "tbn/error.h"
#include "train/search/supernet.h"

using namespace tbn;
using tbn::test::message_of;

namespace {

Config config_of(const std::filesystem::path& data) {
  test::write_idx_dataset(data, 40, 10);
  return parse_config(
      "{name: a, model: {type: mlp, hidden: [16], norm: true}, weights: {encoding: "
      "binary}, optim: {lr: 0.01}, train: {epochs: 1, batch_size: 8, device: cpu, "
      "threads: 1}, data: {name: fashion_mnist, validation: 8, root: " +
          data.string() + "}}",
      "test");
}

struct Begun {
  test::TempDir folder;
  Config config = config_of(folder.path());
  TrainerSetup setup{config, nullptr};
  SearchSpace space = search_space(setup.state.model().graph(), {});
  CostMeter meter{space, {}, false};
  Supernet supernet{config, setup, meter,
                    Limit{CostKind::kBits, meter.exact(space.level(1))[CostKind::kBits]}, 0.15};
  TrainBatch batch;

  Begun() {
    setup.source.source->start_epoch(0, 0);
    REQUIRE(setup.source.source->next(batch));
  }
  void poison(const std::string& end_of_key) const {
    const torch::NoGradGuard no_grad;
    for (const SharedWeights::Parameter& parameter : supernet.weights().parameters()) {
      at::Tensor value = parameter.value;
      if (parameter.key.ends_with(end_of_key)) value.fill_(NAN);
    }
  }
};

}  // namespace

TEST_CASE("a step tells of a loss that is not finite, whichever of its networks has it") {
  Begun begun;
  CHECK(std::isfinite(begun.supernet.step(begun.batch, 1)));
  CHECK(begun.supernet.is_finite());
  begun.poison(".alpha@4");  // of the cheapest network, not of the dearest
  CHECK(!begun.supernet.is_finite());
  CHECK(!std::isfinite(begun.supernet.step(begun.batch, 1)));
}

TEST_CASE("a shared weight that is not finite is seen, whichever it is") {
  Begun begun;
  for (const SharedWeights::Parameter& parameter : begun.supernet.weights().parameters()) {
    CAPTURE(parameter.key);
    const torch::NoGradGuard no_grad;
    const at::Tensor before = parameter.value.clone();
    at::Tensor value = parameter.value;
    for (const double none : {static_cast<double>(NAN), static_cast<double>(INFINITY)}) {
      value.flatten()[0].fill_(none);
      CHECK(!begun.supernet.is_finite());
      value.copy_(before);
      CHECK(begun.supernet.is_finite());
    }
  }
}

TEST_CASE("a state of a supernet that says no progress is refused with its path") {
  Begun begun;
  const std::filesystem::path path = begun.folder / "supernet.safetensors";
  TensorMap tensors;
  tensors.emplace("model/x", HostTensor(DType::kF32, {1}));
  for (const std::string text :
       {"{}", "5", "{", R"({"epoch": -1, "step_in_epoch": 0, "steps": 0})"}) {
    CAPTURE(text);
    write_checked_safetensors(path, tensors, {{"tbn.supernet", text}});
    CHECK(message_of<DataError>([&] { begun.supernet.restore(path); }).starts_with(path.string()));
  }
}
