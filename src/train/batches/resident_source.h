// Batches of images that stay on the device. An epoch's order and draws are made on the host, by
// the loader's generator, and uploaded at its start: then no step waits for the host's memory.
#pragma once

#include <cstdint>
#include <vector>

#include "data/images/memory_images.h"
#include "data/images/mix.h"
#include "train/batches/batch_source.h"
#include "train/batches/resident_images.h"

namespace tbn {

class ResidentSource final : public BatchSource {
 public:
  // `images` must outlive the source. Throws ConfigError for options that make no batch.
  ResidentSource(const MemoryImages& images, const LoaderOptions& options, c10::Device device);

  void start_epoch(std::int64_t epoch, std::int64_t first_batch) override;
  bool next(TrainBatch& batch) override;

 private:
  void draw_views(std::int64_t epoch);
  void draw_mixes(std::int64_t epoch);
  std::int64_t batch_size_at(std::int64_t number) const;
  void mix(std::int64_t begin, TrainBatch& batch) const;

  const ImageSet& images_;
  const LoaderOptions options_;
  const AugmentOptions augment_;
  c10::Device device_;
  ResidentImages resident_;
  std::int64_t batches_;
  std::int64_t next_ = 0;              // number of a batch
  std::vector<std::int64_t> samples_;  // [N]: sample indices of this epoch
  at::Tensor order_;                   // [N] int64: the same on the device
  at::Tensor draws_;                   // [N, kDraws], in that order
  std::vector<MixChoice> mixes_;       // of each batch; their partners are in
  at::Tensor partners_;                // [N] int64, each within its batch
};

}  // namespace tbn
