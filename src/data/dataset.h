// What the trainer sees of any data: samples of one shape with what is to be answered for each,
// read one at a time from many threads. Images in memory, folders of JPEGs, point clouds and
// windows of a series are all Datasets; batches and shuffling are the loader's.
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
  std::vector<std::string> class_names;  // empty for forecasting
  // Segmentation of objects: each object's labels are those of one category. Empty for scenes.
  std::vector<LabelRange> categories;
  // Forecasting: steps after which the series is alike again, a day's; 0: not known, or fewer than
  // two.
  std::int64_t season = 0;

  // Class labels a sample: 1, N, or none.
  std::int64_t labels() const;
  // Values to predict a sample: H C for forecasting, else none.
  std::int64_t targets() const;
  std::int64_t classes() const { return static_cast<std::int64_t>(class_names.size()); }
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

class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual const SampleSpec& spec() const = 0;
  virtual std::int64_t size() const = 0;
  // Reads sample `index` of 0 .. size() - 1; several threads may at once. False where the sample is
  // damaged and data.on_error says to skip such; with `stop` throws DataError that names the file.
  virtual bool read(std::int64_t index, const ReadContext& context, SampleOut out) const = 0;
  // How what is stored becomes the fixed view of a sample; of no kind where nobody could repeat it.
  virtual InputRule input_rule() const { return {}; }
  // How often read() has returned false so far.
  virtual std::int64_t skipped() const { return 0; }
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
  std::int64_t skipped() const override { return whole_->skipped(); }

 private:
  std::shared_ptr<const Dataset> whole_;
  std::vector<std::int64_t> indices_;
};

}  // namespace tbn
