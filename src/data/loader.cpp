// Fills batches from an image set in the epoch's order.
#include "data/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string_view>

#include "data/counter_rng.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr int kMaxThreads = 64;
constexpr int kMaxPrefetch = 1024;

void check_range(std::string_view key, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return;
  throw ConfigError(
      fmt::format("{}: {} is out of range; it must be {} to {}", key, value, low, high));
}

const LoaderOptions& checked(const ImageSet& images, const LoaderOptions& options) {
  TBN_CHECK(static_cast<std::int64_t>(images.pixels.size()) == images.size() * images.image_bytes(),
            "BatchLoader: pixels and labels of the image set do not match");
  if (images.size() == 0) throw ConfigError("the data set holds no images to make batches of");
  check_range("train.batch_size", options.batch_size, 1, std::int64_t{1} << 20);
  if (options.drop_last && options.batch_size > images.size()) {
    throw ConfigError(
        fmt::format("train.batch_size: {} images a batch, but the data set holds {}; "
                    "use smaller batches",
                    options.batch_size, images.size()));
  }
  check_range("data.crop_padding", options.augment.crop_padding, 0,
              std::min(images.height, images.width) - 1);
  check_range("data.threads", options.threads, 0, kMaxThreads);
  check_range("prefetch", options.prefetch, 1, kMaxPrefetch);
  return options;
}

}  // namespace

BatchLoader::BatchLoader(const ImageSet& images, const LoaderOptions& options)
    : images_(images),
      options_(checked(images, options)),
      prefetcher_(options.threads, options.prefetch,
                  [this](std::int64_t number, Batch& out) { make_batch(number, out); }) {}

std::int64_t BatchLoader::batches_per_epoch() const {
  const std::int64_t spare = options_.drop_last ? 0 : options_.batch_size - 1;
  return (images_.size() + spare) / options_.batch_size;
}

std::int64_t BatchLoader::images_per_epoch() const {
  return std::min(images_.size(), batches_per_epoch() * options_.batch_size);
}

void BatchLoader::start_epoch(std::int64_t epoch, std::int64_t first_batch) {
  TBN_CHECK(epoch >= 0 && first_batch >= 0 && first_batch <= batches_per_epoch(),
            "BatchLoader::start_epoch: no such epoch or batch");
  prefetcher_.stop();  // workers read order_ and epoch_
  epoch_ = epoch;
  if (options_.shuffle) {
    order_ = random_permutation(images_.size(), CounterRng(options_.seed, RngUse::kShuffle,
                                                           static_cast<std::uint64_t>(epoch)));
  } else if (order_.empty()) {
    order_.resize(static_cast<std::size_t>(images_.size()));
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
  }
  prefetcher_.start(first_batch, batches_per_epoch());
}

void BatchLoader::make_batch(std::int64_t number, Batch& out) const {
  const std::int64_t begin = number * options_.batch_size;
  const std::int64_t bytes = images_.image_bytes();
  out.size = std::min(options_.batch_size, images_.size() - begin);
  out.pixels.resize(static_cast<std::size_t>(out.size * bytes));
  out.labels.resize(static_cast<std::size_t>(out.size));
  for (std::int64_t i = 0; i < out.size; ++i) {
    const std::int64_t index = order_[static_cast<std::size_t>(begin + i)];
    const std::uint8_t* from = images_.pixels.data() + index * bytes;
    std::uint8_t* to = out.pixels.data() + i * bytes;
    out.labels[static_cast<std::size_t>(i)] = images_.labels[static_cast<std::size_t>(index)];
    if (options_.augment.any()) {
      augment_image(draw_augment(options_.augment, options_.seed, epoch_, index), images_.channels,
                    images_.height, images_.width, from, to);
    } else {
      std::memcpy(to, from, static_cast<std::size_t>(bytes));
    }
  }
}

}  // namespace tbn
