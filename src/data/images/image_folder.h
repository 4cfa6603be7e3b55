// Folders of JPEGs and PNGs as data sets: ImageNet's layout train/<class>/*.JPEG and
// val/<class>/*.JPEG, and Tiny-ImageNet's (folder_listing.h). Images are decoded when they are
// read, by as many threads as the loader has.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "data/images/folder_listing.h"
#include "data/source/dataset.h"
#include "data/source/reader.h"
#include "data/source/skip_log.h"

namespace tbn {

// Square images of bytes [3, image_size, image_size].
class FolderImages final : public Dataset {
 public:
  // Throws ConfigError for options that allow no view, DataError where too many files are of a kind
  // that is not read. `folder` is what the files' paths start from; `class_folders` the classes'
  // names on disk, where they are not `class_names`.
  FolderImages(std::filesystem::path folder, ImageListing listing,
               std::vector<std::string> class_names, const DataOptions& options,
               std::vector<std::string> class_folders = {});

  const SampleSpec& spec() const override { return spec_; }
  std::int64_t size() const override { return static_cast<std::int64_t>(listing_.files.size()); }
  // A file of a kind that is not read is one that cannot be. Training: random_window, resized, then
  // AugmentOptions. Else centre_window.
  bool read(std::int64_t index, const ReadContext& context, SampleOut out) const override;
  InputRule input_rule() const override;
  std::string identity(std::int64_t index) const override;
  std::int64_t stratum(std::int64_t index) const override;
  SkipReport skips() const override;

 private:
  void read_view(std::int64_t index, const ReadContext& context, std::uint8_t* out) const;
  void random_view(std::span<const std::uint8_t> bytes, const std::string& name, std::int64_t index,
                   const ReadContext& context, std::uint8_t* out) const;

  std::filesystem::path folder_;
  ImageListing listing_;
  SampleSpec spec_;
  AugmentOptions augment_;
  FolderOptions options_;
  SkipLog skips_;
};

// imagenet (1000 classes), tiny_imagenet (200; with data.image_size 64 all of an image is seen,
// whatever data.resize says), imagenette (10), and image_folder: any number of classes, and val/ is
// the validation set where there is a test/ too.
std::vector<DatasetReader> image_folder_readers();

}  // namespace tbn
