// The ladder of CUDA kernels: every kernel that computes a layer, checked and timed beside the best
// dense product that cuBLASLt knows for the same layer in bf16. No test: a measurement that
// scripts/gpu_check.sh runs (see docs/gpu.md).
//
//   tbn_cuda_ladder            the layers that the bars are set on, and ResNet-18's convolutions
//   tbn_cuda_ladder --small    layers so small that an emulator runs them: a check of this program
//
// Before it is timed a kernel's outputs, which held no numbers, are compared with sums in double of
// some thousand of them. Then inputs, weights and outputs rotate through more memory than a cache
// holds, in one CUDA graph; the dense product and each kernel have their turns in every round.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/quartiles.h"
#include "runtime/cuda/device/context.h"
#include "runtime/cuda/device/matrix_library.h"
#include "runtime/cuda/device/memory.h"
#include "runtime/cuda/device/status.h"
#include "runtime/cuda/layer/layer.h"
#include "tbn/error.h"

#include <cuda_bf16.h>

namespace {

using namespace tbn;
using namespace tbn::cuda;

constexpr std::int64_t kRotatedBytes = std::int64_t{80} << 20;
constexpr int kMostSets = 64;
constexpr int kRounds = 15;
constexpr std::int64_t kRivalWorkspace = std::int64_t{32} << 20;
constexpr Precision kPrecision = Precision::kBf16;

struct Bench {
  std::string name;
  LayerShape shape;
  double bar = 0;       // of the dense time over ours; 0: none
  double floor_us = 0;  // of an H200, as worked out before any run; 0: none
};

LayerShape linear(int pixels, int inputs, int outputs, int p) {
  LayerShape shape;
  shape.batch = pixels;
  shape.channels = inputs;
  shape.outputs = outputs;
  shape.order = InputOrder::of(1, inputs);
  shape.rows = shape.tile_rows = shape.copy_step = outputs / p;
  return shape;
}

LayerShape conv(int batch, int channels, int size, int outputs, int stride, int p) {
  LayerShape shape = linear(batch, channels, outputs, p);
  shape.in_h = shape.in_w = size;
  shape.kernel_h = shape.kernel_w = 3;
  shape.padding_h = shape.padding_w = 1;
  shape.stride_h = shape.stride_w = stride;
  shape.out_h = shape.out_w = (size - 1) / stride + 1;
  shape.order = InputOrder::of(9, channels);
  shape.activation = 1;  // ReLU
  return shape;
}

// The first layer of a ResNet.
LayerShape stem(int batch, int size) {
  LayerShape shape = conv(batch, 3, size, 64, 2, 1);
  shape.kernel_h = shape.kernel_w = 7;
  shape.padding_h = shape.padding_w = 3;
  shape.order = InputOrder::of(49, 3);
  return shape;
}

std::vector<Bench> benches() {
  return {
      {"(4096,8192,8192) p=4", linear(4096, 8192, 8192, 4), 3.2, 174},
      {"(4096,8192,8192) p=8", linear(4096, 8192, 8192, 8), 6.4, 87},
      {"(512,4096,4096) p=4", linear(512, 4096, 4096, 4), 4, 5.4},
      {"(512,4096,4096) p=8", linear(512, 4096, 4096, 8), 6, 2.7},
      {"(16,8192,8192) p=4", linear(16, 8192, 8192, 4), 8, 0},
      {"(1,8192,28672) p=4", linear(1, 8192, 28672, 4), 28, 1.7},
      {"(1,4096,4096) p=4", linear(1, 4096, 4096, 4), 2.5, 2.5},
      {"conv 64 of 224x224x3 to 64, 7x7, stride 2, p=1", stem(64, 224), 0, 0},
      {"conv 64 of 56x56x64 to 64 p=4", conv(64, 64, 56, 64, 1, 4), 0, 0},
      {"conv 64 of 56x56x64 to 128, stride 2, p=4", conv(64, 64, 56, 128, 2, 4), 0, 0},
      {"conv 64 of 28x28x128 to 128 p=4", conv(64, 128, 28, 128, 1, 4), 0, 0},
      {"conv 64 of 14x14x256 to 256 p=4", conv(64, 256, 14, 256, 1, 4), 0, 0},
      {"conv 64 of 7x7x512 to 512 p=4", conv(64, 512, 7, 512, 1, 4), 0, 0},
  };
}

std::vector<Bench> small_benches() {
  return {{"(20,128,64) p=4", linear(20, 128, 64, 4), 1.5, 0},
          {"(1,256,64) p=4", linear(1, 256, 64, 4), 0, 0},
          {"conv 1 of 9x9x3 to 64, 7x7, stride 2, p=1", stem(1, 9), 0, 0},
          {"conv 1 of 6x6x32 to 32 p=2", conv(1, 32, 6, 32, 1, 2), 0, 0}};
}

std::mt19937 random_bits(1);

std::vector<__nv_bfloat16> random_values(std::int64_t count) {
  std::vector<__nv_bfloat16> values(static_cast<std::size_t>(count));
  std::uniform_real_distribution<float> uniform(-1, 1);
  for (auto& value : values) value = __float2bfloat16(uniform(random_bits));
  return values;
}

std::vector<std::uint32_t> random_words(std::int64_t count) {
  std::vector<std::uint32_t> words(static_cast<std::size_t>(count));
  for (auto& word : words) word = static_cast<std::uint32_t>(random_bits());
  return words;
}

std::vector<float> random_floats(std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count));
  std::uniform_real_distribution<float> uniform(-1.5f, 1.5f);
  for (float& value : values) value = uniform(random_bits);
  return values;
}

template <class T>
Buffer on_device(const std::vector<T>& values) {
  return Buffer::copy_of(std::span<const T>(values), "the ladder");
}

// One layer's data, some times over. The first set is kept on the host too.
struct Sets {
  explicit Sets(const LayerShape& s) : shape(s) {
    x_count = std::int64_t{s.batch} * s.in_h * s.in_w * s.channels;
    word_count = tile_words(s.rows, s.order.blocks());
    const std::int64_t bytes = 2 * x_count + 4 * word_count + 2 * s.pixels() * s.outputs;
    count = static_cast<int>(std::clamp<std::int64_t>(kRotatedBytes / bytes + 1, 1, kMostSets));
    host_x = random_values(x_count);
    host_words = random_words(word_count);
    host_gain = random_floats(s.outputs);
    host_bias = random_floats(s.outputs);
    gain = on_device(host_gain);
    bias = on_device(host_bias);
    for (int i = 0; i < count; ++i) {
      x.push_back(on_device(i == 0 ? host_x : random_values(x_count)));
      words.push_back(on_device(i == 0 ? host_words : random_words(word_count)));
      y.push_back(Buffer::on_device(2 * s.pixels() * s.outputs, "the ladder"));
    }
  }

  LayerData data(int i) const {
    const auto set = static_cast<std::size_t>(i);
    return {.x = x[set].get(),
            .y = y[set].get(),
            .bits = words[set].get<std::uint32_t>(),
            .gain = gain.get<float>(),
            .bias = bias.get<float>()};
  }

  LayerShape shape;
  std::int64_t x_count = 0, word_count = 0;
  int count = 1;
  std::vector<__nv_bfloat16> host_x;
  std::vector<std::uint32_t> host_words;
  std::vector<float> host_gain, host_bias;
  Buffer gain, bias;
  std::vector<Buffer> x, words, y;
};

// Output c of pixel m of the first set, in double.
double exact_output(const Sets& sets, std::int64_t m, int c) {
  const LayerShape& s = sets.shape;
  const int r = c % s.rows;
  const auto x = static_cast<int>(m % s.out_w), y = static_cast<int>(m / s.out_w % s.out_h);
  const auto image = m / s.out_w / s.out_h;
  double sum = 0;
  for (int tap = 0; tap < s.order.taps; ++tap) {
    const int in_y = y * s.stride_h - s.padding_h + tap / s.kernel_w;
    const int in_x = x * s.stride_w - s.padding_w + tap % s.kernel_w;
    if (in_y < 0 || in_x < 0 || in_y >= s.in_h || in_x >= s.in_w) continue;
    const std::int64_t begin = ((image * s.in_h + in_y) * s.in_w + in_x) * s.channels;
    for (int channel = 0; channel < s.channels; ++channel) {
      const BitPlace place = bit_place(r, tap * s.order.tap_inputs + channel, s.order.blocks());
      const bool plus =
          (sets.host_words[static_cast<std::size_t>(place.word)] >> place.bit & 1u) != 0;
      const double value = static_cast<double>(
          __bfloat162float(sets.host_x[static_cast<std::size_t>(begin + channel)]));
      sum += plus ? value : -value;
    }
  }
  const auto at = static_cast<std::size_t>(c);
  const double value =
      static_cast<double>(sets.host_gain[at]) * sum + static_cast<double>(sets.host_bias[at]);
  return s.activation == 1 ? std::max(value, 0.0) : value;
}

// ||y - y'|| / ||y'|| over some outputs of the first set; not a number where any was not written.
double error_of(const Sets& sets) {
  constexpr int kSamples = 2000;
  std::vector<__nv_bfloat16> y(static_cast<std::size_t>(sets.shape.pixels() * sets.shape.outputs));
  check(cudaMemcpy(static_cast<void*>(y.data()), sets.y[0].get(), 2 * y.size(),
                   cudaMemcpyDeviceToHost),
        "the ladder");
  for (const auto value : y) {
    if (std::isnan(__bfloat162float(value))) return std::nan("");
  }
  double difference = 0, size = 0;
  for (int i = 0; i < kSamples; ++i) {
    const std::size_t at =
        (static_cast<std::size_t>(random_bits()) << 16 ^ random_bits()) % y.size();
    const auto outputs = static_cast<std::size_t>(sets.shape.outputs);
    const double wanted =
        exact_output(sets, static_cast<std::int64_t>(at / outputs), static_cast<int>(at % outputs));
    const double d = static_cast<double>(__bfloat162float(y[at])) - wanted;
    difference += d * d;
    size += wanted * wanted;
  }
  return std::sqrt(difference / size);
}

// What is timed: launches on a stream, one a set of data.
struct Contender {
  std::string name;
  std::function<void(int set, cudaStream_t stream)> run;
  double error = 0;
  LaunchGraph graph;
  std::vector<double> us;  // a launch
};

double replay_us(const LaunchGraph& graph, const Stream& stream, int launches) {
  static const Event start, end;
  check(cudaEventRecord(start.get(), stream.get()), "timing");
  graph.replay(stream.get());
  check(cudaEventRecord(end.get(), stream.get()), "timing");
  check(cudaEventSynchronize(end.get()), "timing");
  float milliseconds = 0;
  check(cudaEventElapsedTime(&milliseconds, start.get(), end.get()), "timing");
  return 1000.0 * static_cast<double>(milliseconds) / launches;
}

LaunchGraph capture(const Stream& stream, int sets,
                    const std::function<void(int, cudaStream_t)>& run) {
  return LaunchGraph(stream, [&] {
    for (int i = 0; i < sets; ++i) run(i, stream.get());
  });
}

// The dense layer's matrix product alone, without what follows it, by the quickest of the
// library's first 32 algorithms.
class Dense {
 public:
  Dense(const LayerShape& s, MatrixLibrary& library, const Stream& stream, int sets)
      : library_(library) {
    problem_ = {.rows = s.outputs,
                .pixels = s.pixels(),
                .inputs = s.order.inputs(),
                .w_stride = s.order.inputs(),
                .x_stride = s.order.inputs(),
                .precision = kPrecision,
                .float_sums = false};
    for (int i = 0; i < sets; ++i) {
      w_.push_back(on_device(random_values(problem_.rows * problem_.inputs)));
      x_.push_back(on_device(random_values(problem_.pixels * problem_.inputs)));
      u_.push_back(Buffer::on_device(2 * problem_.rows * problem_.pixels, "the ladder"));
    }
    workspace_ = Buffer::on_device(kRivalWorkspace, "the ladder");
    choose(stream, sets);
  }

  void run(int set, cudaStream_t stream) {
    const auto i = static_cast<std::size_t>(set);
    library_.multiply(problem_,
                      {.w = w_[i].get(),
                       .x = x_[i].get(),
                       .u = u_[i].get(),
                       .workspace = workspace_.get(),
                       .workspace_bytes = kRivalWorkspace},
                      algorithm_, stream);
  }

 private:
  void choose(const Stream& stream, int sets) {
    double least = 1e30;
    for (const auto& algorithm : library_.algorithms(problem_, kRivalWorkspace, 32)) {
      algorithm_ = algorithm;
      const LaunchGraph graph =
          capture(stream, sets, [this](int set, cudaStream_t s) { run(set, s); });
      replay_us(graph, stream, sets);
      double us = 1e30;
      for (int i = 0; i < 3; ++i) us = std::min(us, replay_us(graph, stream, sets));
      if (us >= least) continue;
      least = us;
      best_ = algorithm;
    }
    if (least == 1e30) throw SystemError("cuBLASLt knows no algorithm for the dense product");
    algorithm_ = best_;
  }

  MatrixLibrary& library_;
  MatrixProblem problem_;
  std::vector<Buffer> w_, x_, u_;
  Buffer workspace_;
  cublasLtMatmulAlgo_t algorithm_{}, best_{};
};

std::vector<Contender> contenders(const Sets& sets, const Buffer& workspace, Context& context,
                                  const Stream& stream) {
  std::vector<Contender> all;
  for (const LayerKernel& kernel : layer_kernels()) {
    if (!kernel.computes(sets.shape, kPrecision, context)) continue;
    const auto run = [&sets, &workspace, &context, &kernel](int set, cudaStream_t on) {
      kernel.run({.shape = sets.shape,
                  .data = sets.data(set),
                  .precision = kPrecision,
                  .workspace = workspace.get(),
                  .stream = on},
                 context);
    };
    check(cudaMemsetAsync(sets.y[0].get(), 0xff, static_cast<std::size_t>(sets.y[0].bytes()),
                          stream.get()),
          "the ladder");
    run(0, stream.get());
    stream.wait();
    const double error = error_of(sets);
    // The plain kernel is the oracle of the others, not one to be timed: it takes seconds.
    if (std::string(kernel.name) == "plain" && error < 1e-2) continue;
    all.push_back({kernel.name, run, error, capture(stream, sets.count, run), {}});
  }
  return all;
}

std::int64_t workspace_bytes(const LayerShape& shape, const Context& context) {
  std::int64_t most = 0;
  for (const LayerKernel& kernel : layer_kernels()) {
    if (!kernel.computes(shape, kPrecision, context)) continue;
    most = std::max(most, kernel.workspace_bytes(shape, kPrecision, context));
  }
  return kCounterBytes + most;
}

void print_row(const Bench& bench, const Contender& row, const Quartiles& dense, bool best) {
  const Quartiles us = quartiles(row.us);
  const double ratio = dense.median / us.median;
  const bool right = row.error < 1e-2;
  std::string bar = "";
  if (best && bench.bar > 0) {
    bar = std::to_string(bench.bar).substr(0, 4) + (ratio >= bench.bar ? " met" : " missed");
  }
  if (!right) bar = "WRONG";
  std::printf("| %s | %s%s | %.1e | %.2f | %.2f-%.2f | %s | %.2f | %.2f | %s |\n",
              bench.name.c_str(), row.name.c_str(), best ? " *" : "", row.error, us.median, us.low,
              us.high,
              bench.floor_us > 0 ? std::to_string(bench.floor_us).substr(0, 5).c_str() : "",
              dense.median, ratio, bar.c_str());
}

// Returns whether all kernels were right.
bool run_bench(const Bench& bench, Context& context) {
  if (context.matrices() == nullptr) {
    throw SystemError("cuBLASLt is not installed, and the dense product is timed by it");
  }
  const Stream stream;
  const Sets sets(bench.shape);
  const Buffer workspace = Buffer::on_device(workspace_bytes(bench.shape, context), "the ladder");
  check(cudaMemsetAsync(workspace.get(), 0, kCounterBytes, stream.get()), "the ladder");
  std::vector<Contender> ours = contenders(sets, workspace, context, stream);
  Dense dense(bench.shape, *context.matrices(), stream, sets.count);
  const LaunchGraph dense_graph =
      capture(stream, sets.count, [&](int set, cudaStream_t s) { dense.run(set, s); });
  std::vector<double> dense_us;
  for (int round = -2; round < kRounds; ++round) {
    const double us = replay_us(dense_graph, stream, sets.count);
    if (round >= 0) dense_us.push_back(us);
    for (Contender& own : ours) {
      const double own_us = replay_us(own.graph, stream, sets.count);
      if (round >= 0) own.us.push_back(own_us);
    }
  }
  const Quartiles dense_time = quartiles(dense_us);
  const auto best = std::min_element(ours.begin(), ours.end(), [](const auto& a, const auto& b) {
    return quartiles(a.us).median < quartiles(b.us).median;
  });
  bool right = true;
  for (auto row = ours.begin(); row != ours.end(); ++row) {
    print_row(bench, *row, dense_time, row == best);
    right = right && row->error < 1e-2;
  }
  std::fflush(stdout);
  return right;
}

void print_heading() {
  std::printf(
      "| layer (pixels,inputs,outputs) | kernel (* quickest) | error | us, median | quartiles | "
      "floor, us | dense, us | ratio | bar |\n|---|---|---|---|---|---|---|---|---|\n");
}

// Every layer that would have been timed, and the bar that stands.
int print_not_run(const char* reason) {
  std::printf("%s\n\n", reason);
  print_heading();
  for (const Bench& bench : benches()) {
    const auto number = [](double value) {
      char text[32] = "";
      if (value > 0) std::snprintf(text, sizeof text, "%g", value);
      return std::string(text);
    };
    std::printf("| %s | all | | not run on a GPU | | %s | not run on a GPU | | %s |\n",
                bench.name.c_str(), number(bench.floor_us).c_str(), number(bench.bar).c_str());
  }
  return 77;
}

int run(bool small) {
  Context context(0);
  std::printf("%s, compute capability %d.%d, %d multiprocessors\n\n", context.device().name.c_str(),
              context.device().capability / 10, context.device().capability % 10,
              context.device().multiprocessors);
  print_heading();
  bool right = true;
  for (const Bench& bench : small ? small_benches() : benches()) {
    right = run_bench(bench, context) && right;
  }
  if (!right) std::printf("\nSome kernels are WRONG on this device.\n");
  return right ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const bool small = argc == 2 && std::strcmp(argv[1], "--small") == 0;
  if (argc > 2 || (argc == 2 && !small)) {
    std::fprintf(stderr, "usage: tbn_cuda_ladder [--small]\n");
    return 2;
  }
  try {
    return run(small);
  } catch (const tbn::ConfigError& error) {
    return print_not_run(error.what());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "tbn_cuda_ladder: error: %s\n", error.what());
    return 1;
  }
}
