// A packed network made ready for a device: steps in order, a memory plan and the weights.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "runtime/cuda/choice/chain_runner.h"
#include "runtime/cuda/program/make_step.h"
#include "runtime/plan/plan.h"

namespace tbn::cuda {

// Device memory that one batch runs in.
struct RunMemory {
  std::byte* arena = nullptr;
  std::byte* workspace = nullptr;  // zero in its first kCounterBytes, which every run leaves so
};

class DeviceProgram {
 public:
  // `graph` and `tensors` must be a checked packed network.
  DeviceProgram(const Graph& graph, const TensorMap& tensors, const LayerOptions& options,
                Context& device);

  // Chooses the kernels for a batch size; before the other functions, and not while a graph is
  // captured.
  void prepare(std::int64_t batch);
  bool is_prepared(std::int64_t batch) const { return prepared_.contains(batch); }
  std::vector<CudaKernelChoice> choices(std::int64_t batch) const;

  std::int64_t weight_bytes() const;
  std::int64_t arena_bytes(std::int64_t batch) const;
  std::int64_t workspace_bytes(std::int64_t batch) const;

  // The three parts of a run. Only the first and the last see the caller's values on the device, so
  // that what lies between can be captured once for all callers.
  template <class T>
  void take_input(const T* input, std::int64_t batch, const RunMemory& memory,
                  cudaStream_t stream) const {
    run_import(input_, precision_, input, value(kImport, batch, memory), batch, stream);
  }
  void run(std::int64_t batch, const RunMemory& memory, cudaStream_t stream) const;
  void give_output(float* output, std::int64_t batch, const RunMemory& memory,
                   cudaStream_t stream) const {
    run_export(output_, precision_, value(graph_.output, batch, memory), output, batch, stream);
  }

 private:
  static constexpr NodeId kImport = 1;  // the node whose value is the imported input

  // An input of a node in the other order, made right before it runs.
  struct Reorder {
    std::size_t input;
    std::int64_t values;
    DeviceStep step;
  };
  struct Planned {
    Made made;
    std::vector<Reorder> reorders;
    bool reorders_only = false;  // its step does nothing else
  };

  void plan_import(Tables& tables);
  void plan_node(NodeId id, const NetworkContext& context);
  void plan_values();
  void plan_chains(const LayerOptions& options, Context& device);
  bool continues_chain(NodeId id) const;
  std::byte* value(NodeId id, std::int64_t batch, const RunMemory& memory) const;
  std::int64_t reordered_bytes(const Reorder& reorder, std::int64_t batch) const;
  std::int64_t step_bytes(std::int64_t batch) const;
  const ChainRunner* chain_at(NodeId id, std::int64_t batch) const;
  void run_node(NodeId id, std::int64_t batch, const RunMemory& memory, std::byte* reordered,
                cudaStream_t stream) const;

  Graph graph_;  // as it is run
  Precision precision_;
  MemoryPlan plan_;
  Tables tables_;
  std::vector<Planned> nodes_;            // without steps up to the import
  std::map<NodeId, ChainRunner> chains_;  // by their first node
  std::vector<bool> last_;                // of each node: the first dimension lies last
  Border input_, output_;
  std::set<std::int64_t> prepared_;
};

}  // namespace tbn::cuda
