// Linear layers of a network that follow each other, in one launch where that is quicker.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "runtime/cuda/choice/layer_runner.h"

namespace tbn::cuda {

class ChainRunner {
 public:
  // The layers in order, each of which reads what the one before it makes and nothing else; they
  // and the context outlive the chain.
  ChainRunner(std::vector<const LayerRunner*> layers, const LayerOptions& options,
              Context& context);

  std::size_t size() const { return layers_.size(); }
  // Decides for a batch size whether the layers run together, once each of them is prepared for it.
  void prepare(std::int64_t batch);
  bool runs(std::int64_t batch) const;
  // Where runs(batch): `values` is the first layer's input and then each one's output. The
  // workspace is that of layers.
  void run(std::span<void* const> values, std::int64_t batch, void* workspace,
           cudaStream_t stream) const;
  // Microseconds of all layers, as timed, or 0.
  double microseconds(std::int64_t batch) const;

 private:
  struct Decision {
    bool together = false;
    double microseconds = 0;
  };
  Decision decide(std::int64_t batch) const;
  Decision decide_by_time(std::int64_t batch) const;

  std::vector<const LayerRunner*> layers_;
  LayerOptions options_;
  Context& context_;
  std::map<std::int64_t, Decision> decisions_;
};

}  // namespace tbn::cuda
