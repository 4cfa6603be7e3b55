// A training step of the float ResNet-18 for CIFAR-10 in the graph executor beside the same network
// as straight LibTorch modules under torch::optim::SGD: the executor must not cost anything, or
// the ratios that tbn-bench train prints would flatter tiled networks.
//
//   tbn_executor_beside_modules [configuration=configs/resnet.yaml] [steps=10]
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "base/quartiles.h"
#include "config/data_options.h"
#include "config/load.h"
#include "data/registry.h"
#include "train/bench/bench_network.h"
#include "train/bench/step_contender.h"
#include "train/executor/device.h"
#include "train/run/trainer_graph.h"

namespace {

using torch::Tensor;

struct BlockImpl : torch::nn::Module {
  BlockImpl(std::int64_t in, std::int64_t out, std::int64_t stride)
      : conv1(torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false)),
        conv2(torch::nn::Conv2dOptions(out, out, 3).padding(1).bias(false)),
        norm1(out),
        norm2(out) {
    register_module("conv1", conv1);
    register_module("conv2", conv2);
    register_module("norm1", norm1);
    register_module("norm2", norm2);
    if (in != out || stride != 1) {
      shortcut->push_back(
          torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, 1).stride(stride).bias(false)));
      shortcut->push_back(torch::nn::BatchNorm2d(out));
    }
    register_module("shortcut", shortcut);
  }
  Tensor forward(const Tensor& x) {
    Tensor y = norm1(conv1(x)).relu_();
    y = norm2(conv2(y));
    y += shortcut->is_empty() ? x : shortcut->forward(x);
    return y.relu_();
  }
  torch::nn::Conv2d conv1, conv2;
  torch::nn::BatchNorm2d norm1, norm2;
  torch::nn::Sequential shortcut;
};
TORCH_MODULE(Block);

struct ResNet18Impl : torch::nn::Module {
  ResNet18Impl()
      : stem(torch::nn::Conv2dOptions(3, 64, 3).padding(1).bias(false)),
        norm(64),
        classifier(512, 10) {
    register_module("stem", stem);
    register_module("norm", norm);
    for (std::int64_t stage = 0, in = 64; stage < 4; ++stage) {
      const std::int64_t out = 64 << stage;
      blocks->push_back(Block(in, out, stage == 0 ? 1 : 2));
      blocks->push_back(Block(out, out, 1));
      in = out;
    }
    register_module("blocks", blocks);
    register_module("classifier", classifier);
  }
  Tensor forward(const Tensor& x) {
    const Tensor y = blocks->forward(norm(stem(x)).relu_());
    return classifier(y.mean({2, 3}));
  }
  torch::nn::Conv2d stem;
  torch::nn::BatchNorm2d norm;
  torch::nn::Sequential blocks;
  torch::nn::Linear classifier;
};
TORCH_MODULE(ResNet18);

// The modules in the form in which they are quickest: channels last.
class Modules {
 public:
  Modules() : optimizer_(network_->parameters(), options()) {
    for (const Tensor& parameter : network_->parameters()) {
      if (parameter.dim() != 4) continue;
      parameter.set_data(parameter.detach().contiguous(at::MemoryFormat::ChannelsLast));
    }
    network_->train();
  }
  double step_us(const Tensor& images, const Tensor& labels) {
    const auto start = std::chrono::steady_clock::now();
    optimizer_.zero_grad();
    const Tensor x = images.to(torch::kFloat32).sub_(127.5).div_(73.9);
    const Tensor loss = torch::cross_entropy_loss(
        network_->forward(x.contiguous(at::MemoryFormat::ChannelsLast)), labels);
    loss.backward();
    optimizer_.step();
    if (!std::isfinite(loss.item<double>())) std::abort();
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start)
        .count();
  }

 private:
  static torch::optim::SGDOptions options() {
    return torch::optim::SGDOptions(1e-4).momentum(0.9).nesterov(true).weight_decay(5e-4);
  }
  ResNet18 network_;
  torch::optim::SGD optimizer_;
};

void print(const char* name, const tbn::Quartiles& q) {
  std::printf("| %s | %.1f | %.1f-%.1f |\n", name, q.median / 1e3, q.low / 1e3, q.high / 1e3);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string file =
      argc > 1 ? argv[1] : std::string(TBN_SOURCE_DIR) + "/configs/resnet.yaml";
  const int steps = argc > 2 ? std::max(1, std::stoi(argv[2])) : 10;
  const tbn::Config config = tbn::load_config(file, {});
  const c10::Device cpu(c10::kCPU);
  tbn::configure_torch(config.train, cpu);
  const tbn::SampleSpec spec = tbn::describe_data(tbn::data_options(config.data));
  const tbn::BatchTensors batch = tbn::random_batch(spec, config.train.batch_size, cpu);
  tbn::StepContender executor(tbn::float_twin(config, spec), spec, cpu);
  Modules modules;
  std::vector<double> executor_us, modules_us;
  for (int i = -2; i < steps; ++i) {
    const double ours = executor.step_us(batch),
                 theirs = modules.step_us(batch.inputs, batch.labels);
    if (i < 0) continue;
    executor_us.push_back(ours);
    modules_us.push_back(theirs);
  }
  const tbn::Quartiles ours = tbn::quartiles(executor_us), theirs = tbn::quartiles(modules_us);
  std::printf("float ResNet-18, batch %d, %s\n\n| step | ms, median | quartiles |\n|---|---|---|\n",
              static_cast<int>(config.train.batch_size), tbn::describe_device(cpu).c_str());
  print("graph executor", ours);
  print("LibTorch modules", theirs);
  std::printf("| ratio | %.3f | |\n", ours.median / theirs.median);
}
