// Moving averages with at::_foreach_*.
#include "train/optim/ema.h"

#include <algorithm>

#include <torch/torch.h>

#include "tbn/error.h"

namespace tbn {
namespace {

std::vector<at::Tensor> clones(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> copies;
  copies.reserve(tensors.size());
  for (const at::Tensor& t : tensors) copies.push_back(t.detach().clone());
  return copies;
}

}  // namespace

Ema::Ema(std::vector<std::string> names, std::vector<at::Tensor> tensors, double decay)
    : names_(std::move(names)),
      tensors_(std::move(tensors)),
      averages_(clones(tensors_)),
      decay_(decay) {
  TBN_CHECK(names_.size() == tensors_.size(), "a name for each tensor");
  TBN_CHECK(decay > 0 && decay < 1, "an average needs a decay between 0 and 1");
}

void Ema::update() {
  const torch::NoGradGuard no_grad;
  const auto t = static_cast<double>(updates_++);
  const double decay = std::min(decay_, (1 + t) / (10 + t));
  at::_foreach_lerp_(averages_, tensors_, 1 - decay);
}

Ema::Applied::Applied(Ema* ema) : ema_(ema) {
  if (ema_ == nullptr) return;
  const torch::NoGradGuard no_grad;
  own_ = clones(ema_->tensors_);
  at::_foreach_copy_(ema_->tensors_, ema_->averages_);
}

Ema::Applied::~Applied() {
  if (ema_ == nullptr) return;
  const torch::NoGradGuard no_grad;
  at::_foreach_copy_(ema_->tensors_, own_);
}

}  // namespace tbn
