// What only a GPU can show, in a program of its own: without one it ends before its tests, with the
// code that ctest shows as skipped. The same steps are compared with the CPU's in the other files.
#include <torch/torch.h>

#include <cstdio>
#include <cstdlib>

#include "base/counter_rng.h"
#include "config/load.h"
#include "data/images/memory_images.h"
#include "support/catch.h"
#include "tbn/graph.h"
#include "train/batches/batch_source.h"
#include "train/bench/infer_bench.h"
#include "train/executor/device.h"
#include "train/step/step_runner.h"
#include "train/tiled/tiled_function.h"

using namespace tbn;
using torch::Tensor;

namespace {

const c10::Device kCpu(c10::kCPU);
const c10::Device kGpu(c10::kCUDA, 0);

[[maybe_unused]] const bool kHasGpu = [] {
  constexpr int kSkipped = 77;
  if (torch::cuda::is_available()) return true;
  std::printf("SKIPPED, not run on a GPU: LibTorch finds no CUDA device\n");
  std::exit(kSkipped);
}();

Graph small_net() {
  GraphBuilder b("small");
  const WeightEncoding tiled = TiledWeights{4, AlphaScope::kTile, AlphaSource::kLearned};
  Value x = b.input({3, 8, 8}).normalize({120, 110, 100}, {60, 50, 70});
  x = x.conv(16, {.kernel = 3, .weights = tiled}).batch_norm().relu();
  x = (x + x.conv(16, {.kernel = 3, .weights = tiled}).batch_norm()).relu();
  x = x.conv(32, {.kernel = 3, .stride = 2, .weights = tiled}).batch_norm().relu();
  return b.finish(x.global_avg_pool().linear(4, {.weights = tiled}));
}

Config config_of(const std::string& more) {
  return parse_config(
      "{name: a, model: {type: mlp}, optim: {lr: 0.05, groups: [{match: latents, "
      "type: adam, lr: 0.03}]}, train: {" +
          more + "}}",
      "test");
}

BatchTensors batch_of(int number, c10::Device device) {
  torch::manual_seed(static_cast<std::uint64_t>(number));
  BatchTensors batch;
  batch.inputs = torch::randint(0, 256, {16, 3, 8, 8}).to(torch::kUInt8).to(device);
  batch.labels = torch::randint(0, 4, {16}, torch::kInt64).to(device);
  return batch;
}

// The losses of ten steps with a learning rate that falls.
std::vector<double> losses(const Config& config, c10::Device device, StepMode mode) {
  const SampleSpec spec = image_spec({3, 8, 8}, {"a", "b", "c", "d"});
  TrainState state(config, small_net(), device);
  const TaskLoss loss(config, spec, device);
  StepRunner runner(state, loss, config.train, mode);
  state.model().train();
  std::vector<double> all;
  for (int step = 0; step < 10; ++step) {
    all.push_back(runner.run(batch_of(step, device), 1.0 / (1 + step)).loss.item<double>());
  }
  return all;
}

}  // namespace

TEST_CASE("replayed steps on a GPU have the losses of eager ones there and of the CPU's") {
  const std::string more = GENERATE("fused_optimizer: on", "fused_optimizer: on, precision: bf16");
  const Config config = config_of(more);
  const std::vector<double> replayed = losses(config, kGpu, StepMode::kRecorded);
  const std::vector<double> eager = losses(config, kGpu, StepMode::kEager);
  const std::vector<double> cpu = losses(config, kCpu, StepMode::kEager);
  const bool bf16 = config.train.precision == TrainPrecision::kBf16;
  for (std::size_t step = 0; step < cpu.size(); ++step) {
    INFO("step " << step);
    CHECK(replayed[step] == Approx(eager[step]).epsilon(bf16 ? 2e-2 : 1e-3));
    CHECK(eager[step] == Approx(cpu[step]).epsilon(bf16 ? 1e-1 : 2e-2));
  }
}

TEST_CASE("the fused convolution and norm on a GPU is the CPU's, forward and backward") {
  for (const std::int64_t p : {1, 2, 4, 8, 16}) {
    const bool with_residual = p != 2;
    const TileLayout layout = tile_layout(64, 72, p);
    torch::manual_seed(3);
    const Tensor x = torch::randn({5, 8, 9, 7}), residual = torch::randn({5, 64, 9, 7});
    const Tensor latent = torch::randn({64 / p, 8, 3, 3}), alpha = torch::rand({p}) + 0.5;
    const Tensor gamma = torch::randn({64}), beta = torch::randn({64}),
                 seen = torch::randn({5, 64, 9, 7});
    const auto run = [&](c10::Device device) {
      const auto leaf = [&](const Tensor& t) { return t.to(device).detach().requires_grad_(); };
      std::vector<Tensor> leaves = {leaf(x.contiguous(at::MemoryFormat::ChannelsLast)),
                                    leaf(latent),
                                    leaf(alpha),
                                    leaf(gamma),
                                    leaf(beta),
                                    leaf(residual)};
      const TiledWeight weight{{p, AlphaScope::kTile, AlphaSource::kLearned, LatentForm::kShared},
                               layout,
                               {64, 8, 3, 3},
                               leaves[1],
                               leaves[2]};
      const NormState norm{leaves[3], leaves[4], torch::zeros({64}).to(device),
                           torch::ones({64}).to(device)};
      const Tensor y = tiled_conv2d_norm(leaves[0], weight, {.padding = {1, 1}}, norm, true,
                                         with_residual ? leaves[5] : Tensor(), true);
      (y * seen.to(device)).sum().backward();
      std::vector<Tensor> all = {y.detach(), norm.running_mean, norm.running_var};
      for (const Tensor& t : leaves) {
        if (t.grad().defined()) all.push_back(t.grad());
      }
      for (Tensor& t : all) t = t.cpu();
      return all;
    };
    const std::vector<Tensor> ours = run(kGpu), wanted = run(kCpu);
    REQUIRE(ours.size() == wanted.size());
    for (std::size_t i = 0; i < ours.size(); ++i) {
      INFO("p = " << p << ", tensor " << i);
      CHECK(((ours[i] - wanted[i]).norm() / wanted[i].norm()).item<double>() < 5e-3);
    }
  }
}

TEST_CASE("resident batches on a GPU are the loader's, byte for byte") {
  ImageSet set{
      .channels = 3, .height = 9, .width = 7, .pixels = {}, .labels = {}, .class_names = {}};
  CounterRng rng(7);
  for (std::int64_t i = 0; i < 40 * set.image_bytes(); ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(rng.below(256)));
  }
  set.labels.resize(40);
  const MemoryImages images(std::move(set), {.crop_padding = 2, .flip = true, .cutout = 3});
  const LoaderOptions options{
      .batch_size = 8, .shuffle = true, .augment = true, .mix = {.mixup = 0.5, .cutmix = 1.0}};
  Config on = config_of(""), off = config_of("");
  on.data.resident = Toggle::kOn;
  off.data.resident = Toggle::kOff;
  const ChosenSource resident = choose_source(on, images, options, kGpu);
  const ChosenSource loader = choose_source(off, images, options, kCpu);
  resident.source->start_epoch(1, 0);
  loader.source->start_epoch(1, 0);
  TrainBatch ours, wanted;
  while (loader.source->next(wanted)) {
    REQUIRE(resident.source->next(ours));
    CHECK(at::equal(ours.tensors.inputs.cpu(), wanted.tensors.inputs));
    CHECK(at::equal(ours.tensors.other_labels.cpu(), wanted.tensors.other_labels));
  }
}

TEST_CASE("the float twin on a GPU answers as on the CPU, from a graph") {
  const Config config = parse_config(
      "{name: a, data: {name: cifar10}, model: {type: resnet18, width: 0.25}, train: {device: "
      "cuda, "
      "precision: bf16}}",
      "test");
  const Contender rival = device_rival(config, 4);
  CHECK(rival.name.find("CUDA graph") != std::string::npos);
  rival.run();
}
