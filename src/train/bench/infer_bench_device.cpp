// The float twin on a device: weights in the precision of the products, one launch per batch.
#include <torch/torch.h>

#include <fmt/format.h>

#include <memory>

#include "config/data_options.h"
#include "data/registry.h"
#include "tbn/error.h"
#include "train/bench/bench_network.h"
#include "train/bench/dense_network.h"
#include "train/bench/infer_bench.h"
#include "train/executor/device.h"
#include "train/executor/tensor_io.h"
#include "train/step/cuda_graph.h"

namespace tbn {
namespace {

using torch::Tensor;

class DeviceTwin {
 public:
  DeviceTwin(const Model& folded, const Tensor& x, const TrainConfig& train, c10::Device device)
      : device_(device),
        module_(folded.graph,
                train.precision == TrainPrecision::kBf16 ? torch::kBFloat16 : torch::kFloat32),
        x_(x.to(device, module_.dtype())),
        call_(device) {
    GraphModule wide(folded.graph);
    load_state(wide, folded.tensors, folded.graph.name);
    for (std::size_t i = 0; i < wide.tensors().size(); ++i) {
      Tensor to = module_.tensors()[i].tensor;
      to.copy_(wide.tensors()[i].tensor);
    }
    module_.to(device);
    module_.set_channels_last(train.channels_last);
    if (train.channels_last) module_.lay_out_weights();
    module_.eval();
    const auto forward = [this] { y_ = module_.forward(x_); };
    for (int i = 0; i < kWarmUps; ++i) call_.warm_up(forward);
    call_.record(forward);
  }

  Tensor run() {
    const c10::InferenceMode inference;
    call_.replay();
    wait_for(device_);
    return y_;
  }

 private:
  static constexpr int kWarmUps = 3;

  c10::Device device_;
  GraphModule module_;
  Tensor x_, y_;
  RecordedCall call_;
};

void check_answer(const Tensor& given, const Tensor& wanted, bool bf16) {
  const double error = (given.to(torch::kCPU, torch::kFloat32) - wanted).norm().item<double>();
  TBN_CHECK(error <= (bf16 ? 5e-2 : 1e-3) * wanted.norm().item<double>(),
            "the float twin on the device differs from the one on the CPU");
}

}  // namespace

Contender device_rival(const Config& config, std::int64_t batch) {
  const c10::Device device = resolve_device(config.train.device);
  configure_torch(config.train, device);
  const c10::InferenceMode inference;
  const SampleSpec spec = describe_data(data_options(config.data));
  GraphModule twin(bench_graph(float_twin(config, spec), spec));
  randomize(twin);
  twin.eval();
  const Tensor x = random_inputs(spec, batch).to(torch::kFloat32);
  const Tensor wanted = twin.forward(x);
  const Model folded = fold_dense({twin.graph(), state_of(twin)});
  const auto form = std::make_shared<DeviceTwin>(folded, x, config.train, device);
  const bool bf16 = config.train.precision == TrainPrecision::kBf16;
  check_answer(form->run(), wanted, bf16);
  return {fmt::format("float twin in LibTorch {}{}{}, {}", word_of(config.train.precision),
                      config.train.channels_last ? ", channels last" : "",
                      device.is_cuda() ? ", CUDA graph" : "", describe_device(device)),
          [form] { form->run(); }};
}

}  // namespace tbn
