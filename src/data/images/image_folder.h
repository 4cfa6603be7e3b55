// Folders of JPEGs as data sets: ImageNet's layout train/<class>/*.JPEG and val/<class>/*.JPEG, and
// Tiny-ImageNet's (folder_listing.h). Images are decoded when they are read, by as many threads as
// the loader has.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "data/images/folder_listing.h"
#include "data/reader.h"

namespace tbn {

// Square images of bytes [3, image_size, image_size].
class FolderImages final : public Dataset {
 public:
  // Throws ConfigError for options that allow no view. `folder` is what the files' paths start
  // from.
  FolderImages(std::filesystem::path folder, ImageListing listing,
               std::vector<std::string> class_names, const DataOptions& options);

  const SampleSpec& spec() const override { return spec_; }
  std::int64_t size() const override { return static_cast<std::int64_t>(listing_.files.size()); }
  // Training: random_window, resized, then AugmentOptions. Else centre_window.
  bool read(std::int64_t index, const ReadContext& context, SampleOut out) const override;
  InputRule input_rule() const override;

  // How many files were passed over because their names are no image's.
  std::int64_t ignored() const { return listing_.ignored; }
  // How many reads found a damaged file and passed it over.
  std::int64_t skipped() const override { return skipped_.load(std::memory_order_relaxed); }

 private:
  void read_view(std::int64_t index, const ReadContext& context, std::uint8_t* out) const;

  std::filesystem::path folder_;
  ImageListing listing_;
  SampleSpec spec_;
  AugmentOptions augment_;
  FolderOptions options_;
  OnError on_error_;
  mutable std::atomic<std::int64_t> skipped_{0};
};

// imagenet (1000 classes), tiny_imagenet (200; with data.image_size 64 all of an image is seen,
// whatever data.resize says), imagenette (10), and image_folder: any number of classes, and val/ is
// the validation set where there is a test/ too.
std::vector<DatasetReader> image_folder_readers();

}  // namespace tbn
