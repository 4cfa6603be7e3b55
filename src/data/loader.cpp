// Fills batches from a data set in the epoch's order.
#include "data/loader.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <string_view>

#include "base/counted.h"
#include "base/counter_rng.h"
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

LoaderOptions checked(const Dataset& data, LoaderOptions options) {
  check_loader_options(data, options);
  return options;
}

// Pointers to the places of sample `slot` of a batch.
SampleOut place(Batch& batch, const SampleSpec& spec, std::int64_t slot) {
  const std::int64_t input = element_count(spec.input);
  SampleOut out;
  if (spec.bytes) {
    out.bytes = batch.bytes.data() + slot * input;
  } else {
    out.values = batch.values.data() + slot * input;
  }
  if (spec.labels() > 0) out.labels = batch.labels.data() + slot * spec.labels();
  if (spec.targets() > 0) out.targets = batch.targets.data() + slot * spec.targets();
  return out;
}

void resize(Batch& batch, const SampleSpec& spec, std::int64_t size) {
  const auto count = [&](std::int64_t each) { return static_cast<std::size_t>(size * each); };
  const std::int64_t input = element_count(spec.input);
  batch.size = size;
  batch.bytes.resize(spec.bytes ? count(input) : 0);
  batch.values.resize(spec.bytes ? 0 : count(input));
  batch.labels.resize(count(spec.labels()));
  batch.targets.resize(count(spec.targets()));
}

}  // namespace

void check_loader_options(const Dataset& data, const LoaderOptions& options) {
  if (data.size() == 0) throw ConfigError("the data set holds no samples to make batches of");
  check_range("train.batch_size", options.batch_size, 1, std::int64_t{1} << 20);
  if (options.drop_last && options.batch_size > data.size()) {
    throw ConfigError(
        fmt::format("train.batch_size: {} per batch, but the data set holds {}; "
                    "use smaller batches",
                    counted(options.batch_size, "sample"), data.size()));
  }
  if (options.mix.any() && !data.spec().bytes) {
    throw ConfigError("data.mixup and data.cutmix mix images, and the data set has none");
  }
  check_range("data.threads", options.threads, 0, kMaxThreads);
  check_range("prefetch", options.prefetch, 1, kMaxPrefetch);
}

std::vector<std::int64_t> epoch_order(const LoaderOptions& options, std::int64_t samples,
                                      std::int64_t epoch) {
  if (options.shuffle) {
    return random_permutation(
        samples, CounterRng(options.seed, RngUse::kShuffle, static_cast<std::uint64_t>(epoch)));
  }
  std::vector<std::int64_t> order(static_cast<std::size_t>(samples));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  return order;
}

std::int64_t batches_per_epoch(const LoaderOptions& options, std::int64_t samples) {
  const std::int64_t spare = options.drop_last ? 0 : options.batch_size - 1;
  const std::int64_t all = (samples + spare) / options.batch_size;
  return options.most_batches > 0 ? std::min(all, options.most_batches) : all;
}

std::int64_t view_epoch(const LoaderOptions& options, std::int64_t epoch) {
  return options.views > 0 ? epoch % options.views : epoch;
}

BatchLoader::BatchLoader(const Dataset& data, const LoaderOptions& options)
    : data_(data),
      options_(checked(data, options)),
      prefetcher_(options.threads, options.prefetch,
                  [this](std::int64_t number, Batch& out) { make_batch(number, out); }) {}

std::int64_t BatchLoader::samples_per_epoch() const {
  return std::min(data_.size(), batches_per_epoch() * options_.batch_size);
}

void BatchLoader::start_epoch(std::int64_t epoch, std::int64_t first_batch) {
  TBN_CHECK(epoch >= 0 && first_batch >= 0 && first_batch <= batches_per_epoch(),
            "BatchLoader::start_epoch: no such epoch or batch");
  prefetcher_.stop();  // workers read order_ and epoch_
  epoch_ = epoch;
  if (options_.shuffle || order_.empty()) order_ = epoch_order(options_, data_.size(), epoch);
  prefetcher_.start(first_batch, batches_per_epoch());
}

void BatchLoader::make_batch(std::int64_t number, Batch& out) const {
  const SampleSpec& spec = data_.spec();
  const std::int64_t begin = number * options_.batch_size;
  const std::int64_t wanted = std::min(options_.batch_size, data_.size() - begin);
  resize(out, spec, wanted);
  out.unread.clear();
  out.samples.clear();
  std::int64_t taken = 0;
  for (std::int64_t i = begin; i < begin + wanted; ++i) {
    if (const auto sample = read(i, place(out, spec, taken))) {
      out.samples.push_back(*sample);
      ++taken;
    } else {
      out.unread.push_back(order_[static_cast<std::size_t>(i)]);
    }
  }
  resize(out, spec, taken);
  mix(number, out);
}

// Reads the sample at a place of the epoch's order, or with refill the next that can be read: which
// one that is depends on the order and the files alone. Returns its number.
std::optional<std::int64_t> BatchLoader::read(std::int64_t place, SampleOut out) const {
  const ReadContext context{options_.augment, options_.seed, view_epoch(options_, epoch_)};
  const std::int64_t tries = options_.refill ? data_.size() : 1;
  for (std::int64_t i = 0; i < tries; ++i) {
    const std::int64_t next = order_[static_cast<std::size_t>((place + i) % data_.size())];
    if (data_.read(next, context, out)) return next;
  }
  if (options_.refill) {
    throw DataError("none of " + counted(data_.size(), "sample") + " could be read");
  }
  return std::nullopt;
}

void BatchLoader::mix(std::int64_t number, Batch& out) const {
  out.other_labels.clear();
  out.weight = 1;
  if (!options_.mix.any() || out.size == 0) return;
  const Shape& image = data_.spec().input;
  const MixChoice choice =
      draw_mix(options_.mix, out.size, image[1], image[2], options_.seed, epoch_, number);
  mix_batch(choice, out.size, image[0], image[1], image[2], out.bytes.data());
  out.weight = choice.weight;
  for (const std::int64_t partner : choice.partner) {
    out.other_labels.push_back(out.labels[static_cast<std::size_t>(partner)]);
  }
}

}  // namespace tbn
