// What the trainer sees of any data: samples of one shape with their labels or targets, read one at
// a time from many threads. Images in memory, folders of JPEGs, point clouds and windows of a
// series are all Datasets; batches and shuffling are the loader's.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tbn/rule.h"
#include "tbn/task.h"

namespace tbn {

enum class Split { kTrain, kValidation, kTest };
std::string to_string(Split split);  // "train", "validation", "test"

// What all samples of a set have in common.
struct SampleSpec {
  Shape input;         // image [C, H, W], points [N, F], steps [T, C]
  bool bytes = false;  // inputs are bytes 0..255 (images), else floats
  TaskSpec task;
  // As people call the classes, one name per output; empty for forecasting. A spec told without the
  // files (DatasetReader::describe) has empty names where only the files know them.
  std::vector<std::string> class_names;
  // Folders of classes: their names on disk, by which classes are matched, in the same order.
  // Empty where class_names are all that there is.
  std::vector<std::string> class_folders;
  // Segmentation of objects: each object's labels are those of one category. Empty for scenes.
  std::vector<LabelRange> categories;
  // Forecasting: steps after which the series is alike again, a day's; 0: not known, or fewer than
  // two.
  std::int64_t season = 0;
  // What was assumed because the files were not read: "images of 28 x 28 pixels"; else empty.
  std::string assumed = {};

  // Class labels per sample: 1, N, or none.
  std::int64_t labels() const;
  // Values to predict per sample: H C for forecasting, else none.
  std::int64_t targets() const;
  std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }
  // The names by which classes are told apart in files: those of folders where there are any.
  const std::vector<std::string>& class_keys() const {
    return class_folders.empty() ? class_names : class_folders;
  }
};

// How a sample is to be read. What is drawn at random depends on (seed, epoch, index) alone.
struct ReadContext {
  bool augment = false;  // random views for training; else the one fixed view
  std::uint64_t seed = 0;
  std::int64_t epoch = 0;
};

// Where a sample goes; those that the spec does not have are null.
struct SampleOut {
  std::uint8_t* bytes = nullptr;   // [input]
  float* values = nullptr;         // [input]
  std::int64_t* labels = nullptr;  // [labels()]
  float* targets = nullptr;        // [targets()]
};

// What a split holds before samples are held out of it or dropped by a limit: enough to
// tell later whether the data is still the same.
struct Listing {
  std::int64_t count = 0;  // samples
  std::uint32_t crc = 0;   // CRC-32C of the Dataset::identity of each in order, one per line
  bool operator==(const Listing&) const = default;
};

// Which samples of a set could not be read and were passed over (data.on_error: skip).
struct SkipReport {
  std::int64_t samples = 0;          // of all that there are
  std::int64_t skipped = 0;          // each counted once, however often it is met
  std::vector<std::string> reasons;  // of the first kNamed of them, each with the file's name
  // Entries of class folders that are no pictures, and so no samples.
  std::int64_t ignored = 0;
  std::vector<std::string> ignored_names;  // of the first kNamed

  static constexpr std::size_t kNamed = 10;
};

// What a report says for people, a sentence; empty where all samples could be read. `split` is
// whose they are ("training").
std::string skip_text(const SkipReport& report, const std::string& split);

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual const SampleSpec& spec() const = 0;
  virtual std::int64_t size() const = 0;
  // Reads sample `index` of 0 .. size() - 1; several threads may at once. False where the sample is
  // damaged and data.on_error says to skip such; with `stop`, and where there are too many of them
  // (data.skip_most), throws DataError that names the file.
  virtual bool read(std::int64_t index, const ReadContext& context, SampleOut out) const = 0;
  // How stored data becomes the fixed view of a sample; of no kind where it cannot be repeated.
  virtual InputRule input_rule() const { return {}; }
  // What distinguishes sample `index` from others, known without reading it: "<class>/<file>" of
  // files, else its label; empty where samples are told apart by their number alone.
  virtual std::string identity(std::int64_t) const { return {}; }
  // The group that a limit takes its share of (data.limits: class): the class of a sample, the
  // category of a segmented object; 0 where there are no groups.
  virtual std::int64_t stratum(std::int64_t) const { return 0; }
  // The samples for which read() has returned false so far; a Subset gives those of the whole set.
  virtual SkipReport skips() const { return {}; }
};

// Some samples of another set, in the order of `indices`.
class Subset final : public Dataset {
 public:
  Subset(std::shared_ptr<const Dataset> whole, std::vector<std::int64_t> indices)
      : whole_(std::move(whole)), indices_(std::move(indices)) {}
  const SampleSpec& spec() const override { return whole_->spec(); }
  std::int64_t size() const override { return static_cast<std::int64_t>(indices_.size()); }
  bool read(std::int64_t index, const ReadContext& context, SampleOut out) const override {
    return whole_->read(indices_[static_cast<std::size_t>(index)], context, out);
  }
  InputRule input_rule() const override { return whole_->input_rule(); }
  std::string identity(std::int64_t index) const override {
    return whole_->identity(indices_[static_cast<std::size_t>(index)]);
  }
  std::int64_t stratum(std::int64_t index) const override {
    return whole_->stratum(indices_[static_cast<std::size_t>(index)]);
  }
  SkipReport skips() const override { return whole_->skips(); }

 private:
  std::shared_ptr<const Dataset> whole_;
  std::vector<std::int64_t> indices_;
};

// Reads no sample: only identity() is called.
Listing listing_of(const Dataset& data);

}  // namespace tbn
