// Batches of a data set: seeded shuffle, random views, prefetch. The sequence of batches is a pure
// function of (seed, epoch), so an epoch resumed at batch k continues bit for bit.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "data/images/mix.h"
#include "data/prefetcher.h"
#include "data/source/dataset.h"

namespace tbn {

struct LoaderOptions {
  std::int64_t batch_size = 128;
  bool shuffle = false;
  bool drop_last = false;  // drop a last batch that is not full
  std::uint64_t seed = 0;
  bool augment = false;  // random views of the samples
  MixOptions mix;        // images only
  // Epoch e draws its random views as epoch e mod `views` did, so that each sample has so many; 0:
  // every epoch draws its own. Order and mixing are of the epoch itself.
  std::int64_t views = 0;
  // Most batches of an epoch, the first of its order; 0: every sample once.
  std::int64_t most_batches = 0;
  // A sample that cannot be read gives its place to the next of the epoch that can, so that every
  // batch is as large as it should be. Else a batch is smaller by it, or empty.
  bool refill = false;
  int threads = 1;   // 0: batches are made by next() itself
  int prefetch = 4;  // batches made ahead
};

// Throws ConfigError for options that make no batch of `data`.
void check_loader_options(const Dataset& data, const LoaderOptions& options);

// The order of the samples of an epoch, and how many batches they make.
std::vector<std::int64_t> epoch_order(const LoaderOptions& options, std::int64_t samples,
                                      std::int64_t epoch);
std::int64_t batches_per_epoch(const LoaderOptions& options, std::int64_t samples);

// The epoch whose random views `epoch` has.
std::int64_t view_epoch(const LoaderOptions& options, std::int64_t epoch);

//   BatchLoader loader(images, {.batch_size = 64, .shuffle = true, .seed = 1});
//   for (std::int64_t epoch = 0; epoch < epochs; ++epoch) {
//     loader.start_epoch(epoch);
//     for (Batch batch; loader.next(batch);) train_on(batch);
//   }
class BatchLoader {
 public:
  // `data` must outlive the loader. Throws ConfigError for options that make no batch.
  BatchLoader(const Dataset& data, const LoaderOptions& options);

  // Goes to batch `first_batch` (0 .. batches_per_epoch()) of an epoch, dropping what is under way.
  void start_epoch(std::int64_t epoch, std::int64_t first_batch = 0);

  // The next batch, false at the end of the epoch. Reusing one Batch saves the allocations. Samples
  // that could not be read, where the data skips such, are in Batch::unread, and a batch without
  // LoaderOptions::refill is smaller by them: it may be empty.
  bool next(Batch& batch) { return prefetcher_.next(batch); }

  std::int64_t batches_per_epoch() const { return tbn::batches_per_epoch(options_, data_.size()); }
  std::int64_t samples_per_epoch() const;

 private:
  void make_batch(std::int64_t number, Batch& out) const;
  std::optional<std::int64_t> read(std::int64_t place, SampleOut out) const;
  void mix(std::int64_t number, Batch& out) const;

  const Dataset& data_;
  const LoaderOptions options_;
  std::int64_t epoch_ = 0;
  std::vector<std::int64_t> order_;  // sample indices of this epoch
  Prefetcher prefetcher_;            // last: its threads end before what they read goes
};

}  // namespace tbn
