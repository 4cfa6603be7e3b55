// Draws everything of an epoch that is random, as the loader does.
#include "train/batches/resident_source.h"

#include <algorithm>

#include <torch/torch.h>

#include "tbn/error.h"

namespace tbn {
namespace {

LoaderOptions checked(const Dataset& data, LoaderOptions options) {
  check_loader_options(data, options);
  return options;
}

at::Tensor uploaded(const std::vector<std::int64_t>& values, c10::Device device) {
  return torch::tensor(at::ArrayRef<std::int64_t>(values), at::kLong).to(device);
}

}  // namespace

ResidentSource::ResidentSource(const MemoryImages& images, const LoaderOptions& options,
                               c10::Device device)
    : images_(images.images()),
      options_(checked(images, options)),
      augment_(options.augment ? images.augment() : AugmentOptions{}),
      device_(device),
      resident_(images_, augment_, device),
      batches_(batches_per_epoch(options, images.size())) {}

std::int64_t ResidentSource::batch_size_at(std::int64_t number) const {
  return std::min(options_.batch_size, images_.size() - number * options_.batch_size);
}

void ResidentSource::start_epoch(std::int64_t epoch, std::int64_t first_batch) {
  TBN_CHECK(epoch >= 0 && first_batch >= 0 && first_batch <= batches_, "no such epoch or batch");
  samples_ = epoch_order(options_, images_.size(), epoch);
  order_ = uploaded(samples_, device_);
  draw_views(view_epoch(options_, epoch));
  draw_mixes(epoch);
  next_ = first_batch;
}

void ResidentSource::draw_views(std::int64_t epoch) {
  std::vector<std::int64_t> draws;
  draws.reserve(samples_.size() * kDraws);
  for (const std::int64_t index : samples_) {
    const ViewChoice view =
        draw_view(augment_, options_.seed, epoch, index, images_.height, images_.width);
    draws.insert(draws.end(), {view.crop.shift_y, view.crop.shift_x, view.crop.flip ? 1 : 0,
                               view.cutout_top, view.cutout_left});
  }
  draws_ = uploaded(draws, device_).view({-1, kDraws});
}

void ResidentSource::draw_mixes(std::int64_t epoch) {
  mixes_.clear();
  if (!options_.mix.any()) return;
  std::vector<std::int64_t> partners;
  for (std::int64_t number = 0; number < batches_; ++number) {
    mixes_.push_back(draw_mix(options_.mix, batch_size_at(number), images_.height, images_.width,
                              options_.seed, epoch, number));
    const std::vector<std::int64_t>& partner = mixes_.back().partner;
    partners.insert(partners.end(), partner.begin(), partner.end());
  }
  partners_ = uploaded(partners, device_);
}

bool ResidentSource::next(TrainBatch& batch) {
  if (next_ >= batches_) return false;
  const torch::NoGradGuard no_grad;
  const std::int64_t begin = next_ * options_.batch_size;
  const std::int64_t size = batch_size_at(next_);
  const at::Tensor indices = order_.narrow(0, begin, size);
  const auto first = samples_.begin() + begin;
  batch = {.tensors = {}, .size = size, .labels = size, .samples = {first, first + size}};
  batch.tensors.inputs = resident_.views(indices, draws_.narrow(0, begin, size));
  batch.tensors.labels = resident_.labels(indices);
  if (!mixes_.empty()) mix(begin, batch);
  ++next_;
  return true;
}

void ResidentSource::mix(std::int64_t begin, TrainBatch& batch) const {
  const MixChoice& choice = mixes_[static_cast<std::size_t>(next_)];
  const at::Tensor partner = partners_.narrow(0, begin, batch.size);
  mix_on_device(choice, partner, batch.tensors.inputs);
  batch.tensors.other_labels = batch.tensors.labels.index_select(0, partner);
  batch.tensors.weights = mix_weights(choice.weight, device_);
}

}  // namespace tbn
