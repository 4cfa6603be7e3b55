// The loader's batches as tensors, or a resident set's.
#include "train/batches/batch_source.h"

#include <limits>

#include <fmt/format.h>

#include "data/images/memory_images.h"
#include "tbn/error.h"
#include "train/batches/resident_source.h"

namespace tbn {
namespace {

constexpr std::int64_t kMebibyte = 1 << 20;
constexpr std::int64_t kMostResident = 2048 * kMebibyte;  // by itself; `on` takes any

class LoaderSource final : public BatchSource {
 public:
  LoaderSource(const Dataset& data, const LoaderOptions& options, c10::Device device)
      : spec_(data.spec()), device_(device), loader_(data, options) {}

  void start_epoch(std::int64_t epoch, std::int64_t first_batch) override {
    loader_.start_epoch(epoch, first_batch);
  }

  bool next(TrainBatch& batch) override {
    if (!loader_.next(batch_)) return false;
    batch = {batch_tensors(batch_, spec_, device_), batch_.size,
             static_cast<std::int64_t>(batch_.labels.size()), batch_.samples};
    return true;
  }

 private:
  const SampleSpec& spec_;
  c10::Device device_;
  BatchLoader loader_;
  Batch batch_;  // on the CPU the tensors borrow its memory
};

}  // namespace

std::string why_not_resident(const Dataset& data, std::int64_t most_bytes) {
  const auto* images = dynamic_cast<const MemoryImages*>(&data);
  if (images == nullptr) return "the data set is not one of images in memory";
  if (images->augment().randaugment > 0) return "data.randaugment runs in the loader alone";
  const std::int64_t bytes = ResidentImages::bytes_of(images->images(), images->augment());
  if (bytes <= most_bytes) return "";
  return fmt::format("the images take {} MiB, and {} is the most", bytes / kMebibyte,
                     most_bytes / kMebibyte);
}

ChosenSource choose_source(const Config& config, const Dataset& data, const LoaderOptions& options,
                           c10::Device device) {
  const Toggle wish = config.data.resident;
  ChosenSource chosen;
  if (wish == Toggle::kOn || (wish == Toggle::kAuto && device.is_cuda())) {
    const bool demanded = wish == Toggle::kOn;
    const std::string reason =
        why_not_resident(data, demanded ? std::numeric_limits<std::int64_t>::max() : kMostResident);
    if (reason.empty()) {
      const auto& images = dynamic_cast<const MemoryImages&>(data);
      chosen.source = std::make_unique<ResidentSource>(images, options, device);
      const std::int64_t bytes = ResidentImages::bytes_of(images.images(), images.augment());
      chosen.note = fmt::format("training images stay on {} ({} MiB) and are augmented there",
                                device.str(), bytes / kMebibyte + 1);
      return chosen;
    }
    if (demanded) {
      throw ConfigError(fmt::format("data.resident: 'on', but {}; use auto or off", reason));
    }
    chosen.note = fmt::format("batches are made by the loader: {}", reason);
  }
  chosen.source = std::make_unique<LoaderSource>(data, options, device);
  return chosen;
}

}  // namespace tbn
