// A moving average of a network's tensors (parameters and running statistics), which often predicts
// better than the last step's.
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

namespace tbn {

class Ema {
 public:
  // Starts as a copy of `tensors`, which it follows by reference. 0 < decay < 1.
  Ema(std::vector<std::string> names, std::vector<at::Tensor> tensors, double decay);

  // average += (1 - d) (tensor - average) with d = min(decay, (1 + t) / (10 + t)) at the t-th
  // update, counted from 0: a young average follows quickly.
  void update();

  const std::vector<std::string>& names() const { return names_; }
  const std::vector<at::Tensor>& averages() const { return averages_; }

  std::int64_t updates() const { return updates_; }
  void set_updates(std::int64_t updates) { updates_ = updates; }

  // While it lives, the network holds the averages; afterwards its own values, bit for bit.
  class Applied {
   public:
    explicit Applied(Ema* ema);  // null: does nothing
    ~Applied();
    Applied(const Applied&) = delete;
    Applied& operator=(const Applied&) = delete;

   private:
    Ema* ema_;
    std::vector<at::Tensor> own_;
  };

 private:
  std::vector<std::string> names_;
  std::vector<at::Tensor> tensors_;
  std::vector<at::Tensor> averages_;
  double decay_;
  std::int64_t updates_ = 0;
};

}  // namespace tbn
