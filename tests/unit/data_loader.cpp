// Batches: order, content, resume, any number of threads, errors and shutdown at any moment.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <numeric>
#include <stdexcept>
#include <thread>

#include "base/counter_rng.h"
#include "data/images/memory_images.h"
#include "data/loader.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

// 6 x 6 images of two channels; the label is the index, so that a batch tells what it holds.
MemoryImages numbered_images(std::int64_t count, const AugmentOptions& augment = {}) {
  ImageSet set{
      .channels = 2, .height = 6, .width = 6, .pixels = {}, .labels = {}, .class_names = {}};
  CounterRng rng(42);
  for (std::int64_t i = 0; i < count * 72; ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(rng.below(256)));
  }
  set.labels.resize(static_cast<std::size_t>(count));
  std::iota(set.labels.begin(), set.labels.end(), 0);
  return MemoryImages(std::move(set), augment);
}

struct Copy {
  std::vector<std::uint8_t> bytes;
  std::vector<std::int64_t> labels;
  bool operator==(const Copy&) const = default;
};

std::vector<Copy> epoch_of(BatchLoader& loader, std::int64_t epoch, std::int64_t first = 0) {
  std::vector<Copy> out;
  loader.start_epoch(epoch, first);
  for (Batch batch; loader.next(batch);) {
    CHECK(batch.size == static_cast<std::int64_t>(batch.labels.size()));
    CHECK(batch.bytes.size() == batch.labels.size() * 72);
    out.push_back({batch.bytes, batch.labels});
  }
  return out;
}

std::vector<std::int64_t> labels_of(const std::vector<Copy>& batches) {
  std::vector<std::int64_t> out;
  for (const auto& batch : batches) out.insert(out.end(), batch.labels.begin(), batch.labels.end());
  return out;
}

const LoaderOptions kTraining{
    .batch_size = 8, .shuffle = true, .drop_last = true, .seed = 3, .augment = true};
const AugmentOptions kViews{.crop_padding = 2, .flip = true};

}  // namespace

TEST_CASE("without shuffle and augmentation an epoch is the set in order, the last batch short") {
  const MemoryImages images = numbered_images(21);
  BatchLoader loader(images, {.batch_size = 8});
  CHECK(loader.batches_per_epoch() == 3);
  CHECK(loader.samples_per_epoch() == 21);
  for (std::int64_t epoch = 0; epoch < 2; ++epoch) {
    const auto batches = epoch_of(loader, epoch);
    REQUIRE(batches.size() == 3);
    CHECK(batches[2].labels == std::vector<std::int64_t>{16, 17, 18, 19, 20});
    std::vector<std::uint8_t> pixels;
    for (const auto& batch : batches) {
      pixels.insert(pixels.end(), batch.bytes.begin(), batch.bytes.end());
    }
    CHECK(pixels == images.images().pixels);
  }
}

TEST_CASE("a shuffled epoch has each image once, in the order of the seeded permutation") {
  const MemoryImages images = numbered_images(50);
  BatchLoader loader(images, {.batch_size = 8, .shuffle = true, .seed = 3});
  const auto order = random_permutation(50, CounterRng(3, RngUse::kShuffle, 6));
  CHECK(labels_of(epoch_of(loader, 6)) == order);
  auto sorted = labels_of(epoch_of(loader, 7));
  CHECK(sorted != order);
  std::sort(sorted.begin(), sorted.end());
  for (std::int64_t i = 0; i < 50; ++i) CHECK(sorted[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("an epoch of few batches has the first of its order, and others in the next") {
  const MemoryImages images = numbered_images(50);
  BatchLoader loader(images, {.batch_size = 8, .shuffle = true, .seed = 3, .most_batches = 4});
  CHECK(loader.batches_per_epoch() == 4);
  CHECK(loader.samples_per_epoch() == 32);
  for (const std::int64_t epoch : {5, 6}) {
    auto order =
        random_permutation(50, CounterRng(3, RngUse::kShuffle, static_cast<std::uint64_t>(epoch)));
    order.resize(32);
    CHECK(labels_of(epoch_of(loader, epoch)) == order);
  }
  BatchLoader all(images, {.batch_size = 8, .most_batches = 99});
  CHECK(all.batches_per_epoch() == 7);
}

TEST_CASE("drop_last drops a batch that is not full and keeps full ones") {
  const MemoryImages images = numbered_images(24);
  for (const std::int64_t batch_size : {7, 8, 9, 24}) {
    BatchLoader loader(images, {.batch_size = batch_size, .drop_last = true});
    const auto batches = epoch_of(loader, 0);
    CHECK(static_cast<std::int64_t>(batches.size()) == 24 / batch_size);
    CHECK(loader.batches_per_epoch() == 24 / batch_size);
    CHECK(loader.samples_per_epoch() == 24 / batch_size * batch_size);
    for (const auto& batch : batches) {
      CHECK(static_cast<std::int64_t>(batch.labels.size()) == batch_size);
    }
  }
}

TEST_CASE("augmented batches hold each image as drawn for seed, epoch and index") {
  const MemoryImages images = numbered_images(20, kViews);
  BatchLoader loader(images, kTraining);
  const auto batches = epoch_of(loader, 4);
  std::vector<std::uint8_t> expected(72);
  for (const auto& batch : batches) {
    for (std::size_t i = 0; i < batch.labels.size(); ++i) {
      const std::int64_t index = batch.labels[i];
      augment_image(draw_augment(kViews, 3, 4, index), 2, 6, 6,
                    images.images().pixels.data() + index * 72, expected.data());
      CHECK(std::equal(expected.begin(), expected.end(), batch.bytes.data() + i * 72));
    }
  }
}

TEST_CASE(
    "with so many views an epoch repeats the views of an earlier one, in an order of its own") {
  const MemoryImages images = numbered_images(20, kViews);
  LoaderOptions options = kTraining;
  options.views = 3;
  BatchLoader loader(images, options);
  const auto by_label = [&](std::int64_t epoch) {
    std::map<std::int64_t, std::vector<std::uint8_t>> views;
    for (const Copy& batch : epoch_of(loader, epoch)) {
      for (std::size_t i = 0; i < batch.labels.size(); ++i) {
        const auto begin = batch.bytes.begin() + static_cast<std::ptrdiff_t>(72 * i);
        views[batch.labels[i]] = {begin, begin + 72};
      }
    }
    return views;
  };
  const auto first = by_label(1);
  std::int64_t both = 0;
  for (const auto& [label, view] : by_label(7)) {
    if (!first.contains(label)) continue;  // dropped with the last batch
    ++both;
    CHECK(view == first.at(label));
  }
  CHECK(both >= 12);
  for (const auto& [label, view] : by_label(2)) {
    if (first.contains(label)) CHECK(view != first.at(label));
  }
  CHECK(labels_of(epoch_of(loader, 1)) != labels_of(epoch_of(loader, 4)));
  BatchLoader endless(images, kTraining);
  CHECK(epoch_of(endless, 1) == epoch_of(loader, 1));
  CHECK(epoch_of(endless, 4) != epoch_of(loader, 4));
}

TEST_CASE("a batch says which samples it holds") {
  const MemoryImages images = numbered_images(20, kViews);
  BatchLoader loader(images, kTraining);
  loader.start_epoch(3);
  for (Batch batch; loader.next(batch);) CHECK(batch.samples == batch.labels);
}

TEST_CASE("batches are bit for bit the same for any number of threads and any prefetch") {
  const MemoryImages images = numbered_images(100, kViews);
  LoaderOptions options = kTraining;
  options.threads = 0;
  BatchLoader plain(images, options);
  const auto expected = epoch_of(plain, 5);
  REQUIRE(expected.size() == 12);
  for (const int threads : {1, 2, 7}) {
    for (const int prefetch : {1, 3, 50}) {
      options.threads = threads;
      options.prefetch = prefetch;
      BatchLoader loader(images, options);
      CHECK(epoch_of(loader, 2) != expected);
      CHECK(epoch_of(loader, 5) == expected);
    }
  }
}

TEST_CASE("an epoch resumed at any batch is the tail of the uninterrupted one") {
  const MemoryImages images = numbered_images(61, kViews);
  LoaderOptions options = kTraining;
  options.drop_last = false;
  options.threads = 2;
  BatchLoader first(images, options);
  const auto whole = epoch_of(first, 9);
  for (std::int64_t batch = 0; batch <= first.batches_per_epoch(); ++batch) {
    BatchLoader resumed(images, options);
    CHECK(epoch_of(resumed, 9, batch) == std::vector<Copy>(whole.begin() + batch, whole.end()));
  }
}

TEST_CASE("an epoch may be left or begun anew at any batch") {
  const MemoryImages images = numbered_images(64, kViews);
  for (const int threads : {0, 1, 3}) {
    LoaderOptions options = kTraining;
    options.threads = threads;
    BatchLoader loader(images, options);
    const auto expected = epoch_of(loader, 1);
    for (int taken = 0; taken <= 8; ++taken) {
      Batch batch;
      loader.start_epoch(0);
      for (int i = 0; i < taken; ++i) REQUIRE(loader.next(batch));
      CHECK(epoch_of(loader, 1) == expected);
      BatchLoader abandoned(images, options);
      abandoned.start_epoch(0);
      for (int i = 0; i < taken; ++i) REQUIRE(abandoned.next(batch));
    }
    Batch batch;
    CHECK_FALSE(loader.next(batch));
  }
}

TEST_CASE("a loader gives nothing before its first epoch") {
  const MemoryImages images = numbered_images(8);
  BatchLoader loader(images, {.batch_size = 4});
  Batch batch;
  CHECK_FALSE(loader.next(batch));
}

TEST_CASE("loader options that make no batch are refused with the limit") {
  const MemoryImages images = numbered_images(10);
  const auto error = [&](LoaderOptions options) {
    return message_of<ConfigError>([&] { BatchLoader(images, options); });
  };
  CHECK(error({.batch_size = 0}) == "train.batch_size: 0 is out of range; it must be 1 to 1048576");
  CHECK(error({.batch_size = 11, .drop_last = true}) ==
        "train.batch_size: 11 samples per batch, but the data set holds 10; use smaller batches");
  for (const int padding : {6, -1}) {
    CHECK(message_of<ConfigError>([&] { numbered_images(10, {.crop_padding = padding}); }) ==
          "data.crop_padding: " + std::to_string(padding) + " is out of range; it must be 0 to 5");
  }
  CHECK(error({.threads = 65}) == "data.threads: 65 is out of range; it must be 0 to 64");
  const MemoryImages none = numbered_images(0);
  CHECK(message_of<ConfigError>([&] { BatchLoader(none, {}); }) ==
        "the data set holds no samples to make batches of");
}

namespace {

// Every third sample cannot be read.
class HoledSet final : public Dataset {
 public:
  explicit HoledSet(std::int64_t count) : whole_(numbered_images(count)) {}
  const SampleSpec& spec() const override { return whole_.spec(); }
  std::int64_t size() const override { return whole_.size(); }
  bool read(std::int64_t index, const ReadContext& context, SampleOut out) const override {
    return index % 3 != 0 && whole_.read(index, context, out);
  }

 private:
  MemoryImages whole_;
};

}  // namespace

TEST_CASE("samples that cannot be read leave a batch smaller or empty, and are named") {
  const HoledSet holed(8);
  BatchLoader loader(holed, {.batch_size = 4});
  const auto batches = epoch_of(loader, 0);
  REQUIRE(batches.size() == 2);
  CHECK(batches[0].labels == std::vector<std::int64_t>{1, 2});
  CHECK(batches[1].labels == std::vector<std::int64_t>{4, 5, 7});
  for (const int threads : {0, 3}) {
    BatchLoader single(holed, {.batch_size = 1, .threads = threads});
    single.start_epoch(0);
    std::vector<std::int64_t> unread;
    std::vector<std::int64_t> read;
    for (Batch batch; single.next(batch);) {
      CHECK(batch.size + static_cast<std::int64_t>(batch.unread.size()) == 1);
      unread.insert(unread.end(), batch.unread.begin(), batch.unread.end());
      read.insert(read.end(), batch.labels.begin(), batch.labels.end());
    }
    CHECK(unread == std::vector<std::int64_t>{0, 3, 6});
    CHECK(read == std::vector<std::int64_t>{1, 2, 4, 5, 7});
  }
}

TEST_CASE("with refill the next sample of the epoch takes the place of one that cannot be read") {
  const HoledSet holed(8);
  for (const std::int64_t batch_size : {1, 3, 8}) {
    BatchLoader loader(holed, {.batch_size = batch_size, .refill = true, .threads = 2});
    CHECK(labels_of(epoch_of(loader, 0)) == std::vector<std::int64_t>{1, 1, 2, 4, 4, 5, 7, 7});
    BatchLoader shuffled(holed, {.batch_size = batch_size, .shuffle = true, .refill = true});
    const auto order = random_permutation(8, CounterRng(0, RngUse::kShuffle, 5));
    std::vector<std::int64_t> expected;
    for (std::size_t i = 0; i < 8; ++i) {
      std::size_t next = i;
      while (order[next % 8] % 3 == 0) ++next;
      expected.push_back(order[next % 8]);
    }
    CHECK(labels_of(epoch_of(shuffled, 5)) == expected);
  }
  const HoledSet nothing(1);
  BatchLoader loader(nothing, {.batch_size = 1, .refill = true, .threads = 0});
  loader.start_epoch(0);
  Batch batch;
  CHECK(message_of<DataError>([&] { loader.next(batch); }) == "none of 1 sample could be read");
}

TEST_CASE("mixed batches carry the labels of their partners and the weight of their own") {
  const MemoryImages images = numbered_images(16);
  BatchLoader loader(images, {.batch_size = 8, .seed = 5, .mix = {.mixup = 1}});
  loader.start_epoch(0);
  Batch batch;
  REQUIRE(loader.next(batch));
  REQUIRE(batch.other_labels.size() == 8);
  CHECK(batch.weight >= 0);
  CHECK(batch.weight <= 1);
  for (std::size_t i = 0; i < 8; ++i) {
    const std::uint8_t* own = images.images().pixels.data() + batch.labels[i] * 72;
    const std::uint8_t* other = images.images().pixels.data() + batch.other_labels[i] * 72;
    for (std::size_t k = 0; k < 72; ++k) {
      const double wanted = batch.weight * own[k] + (1 - batch.weight) * other[k];
      CHECK(std::abs(batch.bytes[i * 72 + k] - wanted) <= 0.51);
    }
  }
}

TEST_CASE("an exception in a worker comes out at its batch and the next start works again") {
  for (const int threads : {0, 1, 4}) {
    std::atomic<bool> broken = true;
    Prefetcher prefetcher(threads, 3, [&](std::int64_t item, Batch& out) {
      if (broken && item == 5) throw std::runtime_error("item 5 is broken");
      out.size = item;
    });
    prefetcher.start(0, 20);
    Batch batch;
    for (std::int64_t item = 0; item < 5; ++item) {
      REQUIRE(prefetcher.next(batch));
      CHECK(batch.size == item);
    }
    CHECK(message_of<std::runtime_error>([&] { prefetcher.next(batch); }) == "item 5 is broken");
    CHECK_FALSE(prefetcher.next(batch));
    broken = false;
    prefetcher.start(4, 7);
    for (std::int64_t item = 4; item < 7; ++item) {
      REQUIRE(prefetcher.next(batch));
      CHECK(batch.size == item);
    }
    CHECK_FALSE(prefetcher.next(batch));
  }
}

TEST_CASE("workers run ahead by the prefetch depth and no further") {
  std::atomic<std::int64_t> made = 0;
  Prefetcher prefetcher(2, 4, [&](std::int64_t, Batch&) { ++made; });
  prefetcher.start(0, 100);
  const auto wait_for = [&](std::int64_t count) {
    for (int i = 0; i < 5000 && made < count; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(30));
    return made.load();
  };
  CHECK(wait_for(4) == 4);
  Batch batch;
  REQUIRE(prefetcher.next(batch));
  CHECK(wait_for(5) == 5);
}

TEST_CASE("workers that finish out of order are handed out in order") {
  Prefetcher prefetcher(4, 8, [](std::int64_t item, Batch& out) {
    std::this_thread::sleep_for(std::chrono::microseconds(item % 4 == 0 ? 3000 : 10));
    out.size = item;
  });
  prefetcher.start(0, 40);
  std::int64_t expected = 0;
  for (Batch batch; prefetcher.next(batch);) CHECK(batch.size == expected++);
  CHECK(expected == 40);
}
