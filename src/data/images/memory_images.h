// Images in memory as a Dataset: small sets such as MNIST and CIFAR.
#pragma once

#include "data/images/augment.h"
#include "data/source/dataset.h"
#include "data/source/image_set.h"

namespace tbn {

// The spec of labelled images [C, H, W].
SampleSpec image_spec(Shape image, std::vector<std::string> class_names);

class MemoryImages final : public Dataset {
 public:
  explicit MemoryImages(ImageSet images, const AugmentOptions& augment = {});
  const SampleSpec& spec() const override { return spec_; }
  std::int64_t size() const override { return images_.size(); }
  bool read(std::int64_t index, const ReadContext& context, SampleOut out) const override;
  InputRule input_rule() const override { return {.kind = "image"}; }
  std::string identity(std::int64_t index) const override;
  std::int64_t stratum(std::int64_t index) const override;

  const ImageSet& images() const { return images_; }
  const AugmentOptions& augment() const { return augment_; }

 private:
  ImageSet images_;
  AugmentOptions augment_;
  SampleSpec spec_;
};

}  // namespace tbn
