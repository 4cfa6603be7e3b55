// Batches made of images on the device against the loader's, byte for byte (here the device is the
// CPU), and when a set may stay there.
#include <torch/torch.h>

#include <numeric>

#include "base/counter_rng.h"
#include "config/load.h"
#include "data/images/memory_images.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"
#include "train/batches/batch_source.h"
#include "train/batches/resident_source.h"

using namespace tbn;
using namespace tbn::test;

namespace {

const c10::Device kCpu(c10::kCPU);

// 9 x 7 images of three channels; the label is the index.
MemoryImages numbered_images(std::int64_t count, const AugmentOptions& augment) {
  ImageSet set{
      .channels = 3, .height = 9, .width = 7, .pixels = {}, .labels = {}, .class_names = {}};
  CounterRng rng(7);
  for (std::int64_t i = 0; i < count * set.image_bytes(); ++i) {
    set.pixels.push_back(static_cast<std::uint8_t>(rng.below(256)));
  }
  set.labels.resize(static_cast<std::size_t>(count));
  std::iota(set.labels.begin(), set.labels.end(), 0);
  return MemoryImages(std::move(set), augment);
}

at::Tensor bytes_of(const Batch& batch, const SampleSpec& spec) {
  return batch_tensors(batch, spec, kCpu).inputs.clone();
}

// Compares the rest of an epoch, from batch `first`.
void check_same_epoch(const MemoryImages& images, const LoaderOptions& options, std::int64_t epoch,
                      std::int64_t first = 0) {
  BatchLoader loader(images, options);
  ResidentSource resident(images, options, kCpu);
  loader.start_epoch(epoch, first);
  resident.start_epoch(epoch, first);
  std::int64_t batches = 0;
  TrainBatch ours;
  for (Batch wanted; loader.next(wanted); ++batches) {
    REQUIRE(resident.next(ours));
    CHECK(ours.size == wanted.size);
    CHECK(ours.samples == wanted.samples);
    CHECK(at::equal(ours.tensors.inputs, bytes_of(wanted, images.spec())));
    const BatchTensors expected = batch_tensors(wanted, images.spec(), kCpu);
    CHECK(at::equal(ours.tensors.labels, expected.labels));
    REQUIRE(ours.tensors.other_labels.defined() == expected.other_labels.defined());
    if (!expected.other_labels.defined()) continue;
    CHECK(at::equal(ours.tensors.other_labels, expected.other_labels));
    CHECK(at::equal(ours.tensors.weights, expected.weights));
  }
  CHECK_FALSE(resident.next(ours));
  CHECK(batches == batches_per_epoch(options, images.size()) - first);
}

LoaderOptions training(const MixOptions& mix = {}) {
  return {.batch_size = 8, .shuffle = true, .seed = 3, .augment = true, .mix = mix};
}

Config config_with(const std::string& yaml) { return parse_config("{name: a, " + yaml + "}", "t"); }

}  // namespace

TEST_CASE("resident batches are the loader's with every augmentation that the device can do") {
  const auto augment = GENERATE(AugmentOptions{}, AugmentOptions{.crop_padding = 3},
                                AugmentOptions{.flip = true}, AugmentOptions{.cutout = 4},
                                AugmentOptions{.crop_padding = 2, .flip = true, .cutout = 5},
                                AugmentOptions{.crop_padding = 6, .cutout = 40});
  const MemoryImages images = numbered_images(29, augment);
  for (const std::int64_t epoch : {0, 3}) check_same_epoch(images, training(), epoch);
}

TEST_CASE("resident images are mixed as the loader mixes them, batch by batch") {
  const auto mix = GENERATE(MixOptions{.mixup = 0.4}, MixOptions{.cutmix = 1.0},
                            MixOptions{.mixup = 1.5, .cutmix = 0.5});
  const MemoryImages images = numbered_images(61, {.crop_padding = 2, .flip = true});
  for (const std::int64_t epoch : {0, 1}) check_same_epoch(images, training(mix), epoch);
}

TEST_CASE("a resident epoch goes on at any batch, and drops a last one where the loader does") {
  const MemoryImages images = numbered_images(29, {.crop_padding = 2, .flip = true, .cutout = 3});
  LoaderOptions options = training({.cutmix = 1.0});
  for (const std::int64_t first : {1, 3, 4}) check_same_epoch(images, options, 2, first);
  options.drop_last = true;
  check_same_epoch(images, options, 1);
  options.shuffle = false;
  options.augment = false;
  check_same_epoch(images, options, 1);
}

TEST_CASE("resident views come again as the loader's do") {
  const MemoryImages images = numbered_images(29, {.crop_padding = 2, .flip = true, .cutout = 3});
  LoaderOptions options = training({.mixup = 0.4});
  options.views = 2;
  for (const std::int64_t epoch : {1, 2, 5}) check_same_epoch(images, options, epoch);
}

TEST_CASE("a resident set does not borrow the images' memory") {
  MemoryImages images = numbered_images(8, {});
  ResidentImages resident(images.images(), {}, kCpu);
  const at::Tensor indices = torch::arange(8);
  const at::Tensor draws = torch::zeros({8, kDraws}, torch::kInt64);
  const at::Tensor before = resident.views(indices, draws);
  std::fill(const_cast<std::uint8_t*>(images.images().pixels.data()),
            const_cast<std::uint8_t*>(images.images().pixels.data()) + 100, std::uint8_t{0});
  CHECK(at::equal(before, resident.views(indices, draws)));
  CHECK(at::equal(resident.labels(indices), torch::arange(8)));
}

TEST_CASE("a set stays on the device where it is small and the device can augment it") {
  const MemoryImages plain = numbered_images(4, {.crop_padding = 1});
  CHECK(ResidentImages::bytes_of(plain.images(), plain.augment()) == 4 * 3 * 11 * 9);
  CHECK(why_not_resident(plain, 4 * 3 * 11 * 9).empty());
  const MemoryImages large = numbered_images(40'000, {});
  CHECK(why_not_resident(large, 3 << 20) == "the images take 7 MiB, and 3 is the most");
  CHECK(why_not_resident(numbered_images(4, {.randaugment = 2}), 1 << 20) ==
        "data.randaugment runs in the loader alone");
  const Subset part(std::make_shared<MemoryImages>(numbered_images(4, {})), {1, 2});
  CHECK(why_not_resident(part, 1 << 20) == "the data set is not one of images in memory");
}

TEST_CASE("data.resident decides where batches come from, and says so") {
  const MemoryImages images = numbered_images(29, {.flip = true});
  const auto note = [&](const std::string& wish, const Dataset& data) {
    return choose_source(config_with("data: {resident: " + wish + "}"), data, training(), kCpu)
        .note;
  };
  CHECK(note("on", images) == "training images stay on cpu (1 MiB) and are augmented there");
  CHECK(note("auto", images).empty());  // the CPU's loader is no worse
  CHECK(note("off", images).empty());
  const MemoryImages augmented = numbered_images(29, {.randaugment = 1});
  CHECK(note("auto", augmented).empty());
  CHECK(message_of<ConfigError>([&] { note("on", augmented); }) ==
        "data.resident: 'on', but data.randaugment runs in the loader alone; use auto or off");
}
