// Where training steps take their batches from: the loader's threads, or images that stay on the
// device. Both give the same batches, byte for byte.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <c10/core/Device.h>

#include "config/config.h"
#include "data/loader.h"
#include "data/source/dataset.h"
#include "train/batches/batch_tensors.h"

namespace tbn {

struct TrainBatch {
  BatchTensors tensors;  // valid until the next batch
  std::int64_t size = 0;
  std::int64_t labels = 0;
  std::vector<std::int64_t> samples;  // the number of each in the set
};

class BatchSource {
 public:
  virtual ~BatchSource() = default;
  // As BatchLoader's.
  virtual void start_epoch(std::int64_t epoch, std::int64_t first_batch) = 0;
  virtual bool next(TrainBatch& batch) = 0;
};

// Why the set cannot stay on a device, as the end of a sentence; empty where it can. A set of more
// than `most_bytes` is not small.
std::string why_not_resident(const Dataset& data, std::int64_t most_bytes);

struct ChosenSource {
  std::unique_ptr<BatchSource> source;
  std::string note;  // for the log; may be empty
};

// What data.resident means for a set and a device. `data` must outlive the source. Throws
// ConfigError for options that make no batch, and where `on` cannot be.
ChosenSource choose_source(const Config& config, const Dataset& data, const LoaderOptions& options,
                           c10::Device device);

}  // namespace tbn
