// Layers apart or together: whichever was right and quicker on random inputs.
#include "runtime/cuda/choice/chain_runner.h"

#include <algorithm>

#include "runtime/cuda/choice/trial.h"
#include "runtime/cuda/device/memory.h"
#include "runtime/cuda/device/precision.h"
#include "runtime/cuda/device/status.h"
#include "runtime/cuda/kernels/chain.h"
#include "tbn/error.h"

namespace tbn::cuda {
namespace {

constexpr const char* kWhat = "trying layers together";

std::int64_t output_bytes(const LayerShape& shape, Precision precision) {
  return shape.pixels() * shape.outputs * value_bytes(precision);
}

}  // namespace

ChainRunner::ChainRunner(std::vector<const LayerRunner*> layers, const LayerOptions& options,
                         Context& context)
    : layers_(std::move(layers)), options_(options), context_(context) {}

void ChainRunner::prepare(std::int64_t batch) {
  if (!decisions_.contains(batch)) decisions_.emplace(batch, decide(batch));
}

bool ChainRunner::runs(std::int64_t batch) const {
  const auto found = decisions_.find(batch);
  return found != decisions_.end() && found->second.together;
}

double ChainRunner::microseconds(std::int64_t batch) const {
  return runs(batch) ? decisions_.at(batch).microseconds : 0;
}

ChainRunner::Decision ChainRunner::decide(std::int64_t batch) const {
  std::vector<LayerShape> shapes;
  shapes.reserve(layers_.size());
  for (const LayerRunner* layer : layers_) shapes.push_back(layer->link(batch).shape);
  if (!chain_computes(shapes, options_.precision, context_)) return {};
  if (!options_.kernel.empty()) return {.together = options_.kernel == "chain"};
  return options_.tune ? decide_by_time(batch) : Decision{.together = true};
}

ChainRunner::Decision ChainRunner::decide_by_time(std::int64_t batch) const {
  constexpr int kRounds = 3;
  const Stream stream;
  const LayerShape first = layers_.front()->link(batch).shape;
  std::vector<Buffer> buffers;
  buffers.push_back(
      Buffer::on_device(first.pixels() * first.channels * value_bytes(options_.precision), kWhat));
  std::int64_t workspace_bytes = kCounterBytes;
  for (const LayerRunner* layer : layers_) {
    buffers.push_back(
        Buffer::on_device(output_bytes(layer->link(batch).shape, options_.precision), kWhat));
    workspace_bytes = std::max(workspace_bytes, layer->workspace_bytes(batch));
  }
  const Buffer workspace = Buffer::on_device(workspace_bytes, kWhat);
  check(cudaMemsetAsync(workspace.get(), 0, kCounterBytes, stream.get()), kWhat);
  fill_random(buffers.front(), options_.precision, 3, stream);
  std::vector<void*> values;
  values.reserve(buffers.size());
  for (const Buffer& buffer : buffers) values.push_back(buffer.get());

  const auto apart = [&] {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
      const void* input = values[i];
      layers_[i]->run({.inputs = {&input, 1},
                       .output = values[i + 1],
                       .batch = batch,
                       .stream = stream.get(),
                       .workspace = workspace.get()});
    }
  };
  const auto together = [&] { run(values, batch, workspace.get(), stream.get()); };
  const double apart_us = time_launches(stream, kRounds, apart);
  // The same inputs again, into another last value.
  const Buffer last = Buffer::on_device(buffers.back().bytes(), kWhat);
  check(cudaMemsetAsync(last.get(), 0xff, static_cast<std::size_t>(last.bytes()), stream.get()),
        kWhat);
  values.back() = last.get();
  together();
  const double difference = relative_difference(last, buffers.back(), options_.precision, stream);
  if (!(difference <= tolerance(options_.precision))) return {};
  const double together_us = time_launches(stream, kRounds, together);
  return {.together = together_us < apart_us, .microseconds = together_us};
}

void ChainRunner::run(std::span<void* const> values, std::int64_t batch, void* workspace,
                      cudaStream_t stream) const {
  std::vector<ChainLink> links;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    ChainLink link = layers_[i]->link(batch);
    link.data.x = values[i];
    link.data.y = values[i + 1];
    links.push_back(link);
  }
  run_chain({.links = links,
             .precision = options_.precision,
             .counters = static_cast<unsigned*>(workspace),
             .stream = stream},
            context_);
}

}  // namespace tbn::cuda
