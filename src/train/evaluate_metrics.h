// Accuracy and loss of predictions, counted on the host in double: one counting for checkpoints and
// packed files. No LibTorch.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tbn {

struct EvalMetrics {
  double top1 = 0;  // per cent
  double top5 = 0;  // per cent; 100 with five classes or fewer
  double loss = 0;  // mean cross entropy in nats
  std::int64_t images = 0;
};

class MetricSums {
 public:
  // logits [n, classes], labels [n] in 0 .. classes - 1. Among equal logits the first counts.
  void add(std::span<const float> logits, std::int64_t classes,
           std::span<const std::int64_t> labels);

  EvalMetrics result() const;
  // The predicted class of each image, in order.
  const std::vector<std::int32_t>& predictions() const { return predictions_; }

 private:
  std::vector<std::int32_t> predictions_;
  std::int64_t correct_ = 0;
  std::int64_t among_five_ = 0;
  double loss_ = 0;
};

}  // namespace tbn
