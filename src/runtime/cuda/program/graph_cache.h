// The graphs of the batch sizes that ran last.
#pragma once

#include <algorithm>
#include <cstdint>
#include <list>
#include <utility>

#include "base/function_ref.h"
#include "runtime/cuda/device/memory.h"

namespace tbn::cuda {

class GraphCache {
 public:
  // The graph of a batch size, captured on the stream where it is not known.
  const LaunchGraph& get(std::int64_t batch, const Stream& stream, FunctionRef<void()> launches) {
    const auto found = std::find_if(graphs_.begin(), graphs_.end(),
                                    [batch](const auto& known) { return known.first == batch; });
    if (found != graphs_.end()) {
      graphs_.splice(graphs_.begin(), graphs_, found);
    } else {
      graphs_.emplace_front(batch, LaunchGraph(stream, launches));
      if (graphs_.size() > kMostGraphs) graphs_.pop_back();
    }
    return graphs_.front().second;
  }
  // Where the memory that they were captured with goes.
  void clear() { graphs_.clear(); }

 private:
  static constexpr std::size_t kMostGraphs = 8;
  std::list<std::pair<std::int64_t, LaunchGraph>> graphs_;  // the last used first
};

}  // namespace tbn::cuda
