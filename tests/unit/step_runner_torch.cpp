// Steps that are recorded and replayed against steps run one by one: the same parameters. On a CPU
// a replay calls what was recorded, so that all but CUDA's own part is tested here.
#include "train/step/step_runner.h"

#include <algorithm>

#include <torch/torch.h>

#include "config/load.h"
#include "data/images/memory_images.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"
#include "tbn/graph.h"

using namespace tbn;
using namespace tbn::test;

namespace {

const c10::Device kCpu(c10::kCPU);
const c10::Device kGpu(c10::kCUDA, 0);  // only named here

Graph small_net() {
  GraphBuilder b("small");
  const WeightEncoding tiled = TiledWeights{4, AlphaScope::kTile, AlphaSource::kLearned};
  Value x = b.input({3, 6, 6}).normalize({120, 110, 100}, {60, 50, 70});
  x = x.conv(8, {.kernel = 3, .weights = tiled}).named("stem").batch_norm().relu();
  x = (x + x.conv(8, {.kernel = 3, .weights = tiled}).batch_norm()).relu();
  return b.finish(x.global_avg_pool().linear(4).named("classifier"));
}

Config config_of(const std::string& more) {
  return parse_config(
      "{name: a, model: {type: mlp}, optim: {lr: 0.05, nesterov: true, groups: "
      "[{match: latents, type: adam, lr: 0.03}]}, train: {" +
          more + "}}",
      "test");
}

// Batches of images [size, 3, 6, 6], the same for the same number.
BatchTensors batch_of(int number, std::int64_t size, bool mixed) {
  torch::manual_seed(static_cast<std::uint64_t>(number));
  BatchTensors batch;
  batch.inputs = torch::randint(0, 256, {size, 3, 6, 6}).to(torch::kUInt8);
  batch.labels = torch::randint(0, 4, {size}, torch::kInt64);
  if (!mixed) return batch;
  batch.other_labels = torch::randint(0, 4, {size}, torch::kInt64);
  batch.weights = mix_weights(0.25 + 0.05 * number, kCpu);
  return batch;
}

// Steps of Bop need to know which latents are bits.
Config bop_config() {
  return parse_config(
      "{name: a, model: {type: mlp}, optim: {lr: 0.05, groups: [{match: latents, type: bop, lr: "
      "1e-3, threshold: 1e-8}]}, train: {fused_optimizer: on}}",
      "test");
}

struct Run {
  std::vector<at::Tensor> tensors;  // of the network, then its averages
  std::vector<double> losses;
  std::vector<std::int64_t> correct;
  int recordings = 0;
  std::int64_t misfits = 0;
};

// Ten steps with a learning rate that falls; in the seventh the momentum of the norms changes.
Run run(const Config& config, StepMode mode, bool mixed = false, int odd_batch = -1) {
  const SampleSpec spec = image_spec({3, 6, 6}, {"a", "b", "c", "d"});
  TrainState state(config, small_net(), kCpu);
  const TaskLoss loss(config, spec, kCpu);
  StepRunner runner(state, loss, config.train, mode);
  state.model().train();
  Run all;
  for (int step = 0; step < 10; ++step) {
    if (step == 6) state.model().set_norm_momentum_factor(0.5);
    const StepResult result =
        runner.run(batch_of(step, step == odd_batch ? 5 : 8, mixed), 1.0 / (1 + step));
    all.losses.push_back(result.loss.item<double>());
    all.correct.push_back(result.correct.item<std::int64_t>());
  }
  for (const NamedTensor& named : state.model().tensors()) all.tensors.push_back(named.tensor);
  if (state.ema() != nullptr) {
    for (const at::Tensor& average : state.ema()->averages()) all.tensors.push_back(average);
  }
  all.recordings = runner.recordings();
  all.misfits = runner.misfits();
  return all;
}

void check_equal(const Run& ours, const Run& wanted) {
  CHECK(ours.losses == wanted.losses);
  CHECK(ours.correct == wanted.correct);
  REQUIRE(ours.tensors.size() == wanted.tensors.size());
  for (std::size_t i = 0; i < ours.tensors.size(); ++i) {
    CHECK(at::equal(ours.tensors[i], wanted.tensors[i]));
  }
}

}  // namespace

TEST_CASE("recorded steps give the bits of steps one by one, with all that a step can have") {
  const std::string more = GENERATE("fused_optimizer: on", "fused_optimizer: on, clip_norm: 0.5",
                                    "fused_optimizer: on, ema: 0.9, label_smoothing: 0.1",
                                    "fused_optimizer: on, precision: bf16");
  const bool mixed = GENERATE(false, true);
  const Config config = config_of(more);
  const Run recorded = run(config, StepMode::kRecorded, mixed);
  check_equal(recorded, run(config, StepMode::kEager, mixed));
  CHECK(recorded.losses.back() < recorded.losses.front());
  // Once, and again for the other momentum.
  CHECK(recorded.recordings == 2);
  CHECK(recorded.misfits == 0);
}

TEST_CASE("latents whose signs Bop turns are trained, and their means are in the checkpoint") {
  TrainState state(bop_config(), small_net(), kCpu);
  const Checkpoint checkpoint = state.capture("");
  CHECK(std::ranges::any_of(checkpoint.optimizer, [](const auto& entry) {
    return entry.first.ends_with("stem.latent/mean");
  }));
  const Run recorded = run(bop_config(), StepMode::kRecorded);
  check_equal(recorded, run(bop_config(), StepMode::kEager));
}

TEST_CASE("a batch of another size runs by itself among recorded steps") {
  const Config config = config_of("fused_optimizer: on, ema: 0.9");
  for (const int odd : {2, 5, 9}) {
    const Run recorded = run(config, StepMode::kRecorded, false, odd);
    check_equal(recorded, run(config, StepMode::kEager, false, odd));
    CHECK(recorded.misfits == 1);
  }
}

TEST_CASE("recorded steps with rates as tensors stay close to plain steps with rates as numbers") {
  const Run recorded = run(config_of("fused_optimizer: on"), StepMode::kRecorded);
  const Run plain = run(config_of("fused_optimizer: off"), StepMode::kEager);
  for (std::size_t step = 0; step < plain.losses.size(); ++step) {
    CHECK(recorded.losses[step] == Approx(plain.losses[step]).epsilon(2e-3));
  }
  CHECK(plain.recordings == 0);
}

TEST_CASE("a step is recorded on a GPU whose optimiser is fused, else it says why not") {
  TrainConfig train;
  CHECK(choose_step_mode(train, kCpu).mode == StepMode::kEager);
  CHECK(choose_step_mode(train, kGpu).mode == StepMode::kRecorded);
  CHECK(choose_update_form(train, kCpu) == UpdateForm::kForeach);
  CHECK(choose_update_form(train, kGpu) == UpdateForm::kFused);
  train.fused_optimizer = Toggle::kOff;
  CHECK(choose_step_mode(train, kGpu).mode == StepMode::kEager);
  CHECK(
      choose_step_mode(train, kGpu).note ==
      "steps are not recorded as a CUDA graph: train.fused_optimizer is off, whose learning rates "
      "cannot change in a graph");
  train.cuda_graph = Toggle::kOn;
  CHECK(message_of<ConfigError>([&] { choose_step_mode(train, kGpu); }).ends_with("in a graph"));
  CHECK(message_of<ConfigError>([&] { choose_step_mode(train, kCpu); }) ==
        "train.cuda_graph: 'on' needs a GPU, and the device is cpu; use auto or off, or another "
        "train.device");
  train.cuda_graph = Toggle::kOff;
  CHECK(choose_step_mode(train, kGpu).mode == StepMode::kEager);
}

TEST_CASE("a recorded call computes nothing until it is replayed, and then each time") {
  RecordedCall call(kCpu);
  const at::Tensor x = torch::zeros({2});
  CHECK_THROWS_AS(call.replay(), InternalError);
  call.record([&] { x.add_(1); });
  CHECK(x[0].item<double>() == 0);
  call.replay();
  call.replay();
  CHECK(x[0].item<double>() == 2);
}
