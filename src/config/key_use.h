// Which settings mean something for which data, beside which other settings, and in which tool. One
// table, which every tool goes by: a setting that was typed and would do nothing is refused.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace tbn {

// What samples are, as far as settings tell them apart; a bit each.
enum DataKind : unsigned {
  kStoredImageData = 1,  // all of one size, in few files: MNIST, CIFAR
  kPictureData = 2,      // folders of JPEGs and PNGs
  kCloudData = 4,        // points from files, without a validation split of their own
  kPartCloudData = 8,    // points from files with a validation split of their own
  kSolidData = 16,       // points that are generated
  kSeriesData = 32,
};
inline constexpr unsigned kAnyData = 63;

// The kind of a data set of kDataSets.
DataKind data_kind(std::string_view data_set);

// What a configuration is read for; a bit each.
enum ConfigUse : unsigned {
  kUseTraining = 1,
  kUseTestSplit = 2,  // a trained network is run on samples
  kUseValidationSplit = 4,
  kUseTrainingSplit = 8,
  kUseTimedReading = 16,  // tbn-bench data
  kUseTimedStep = 32,     // tbn-bench train
  kUseTimedForward = 64,  // tbn-bench infer
};
inline constexpr unsigned kUseEvaluation = kUseTestSplit | kUseValidationSplit | kUseTrainingSplit;

struct KeyUse {
  std::string_view key;
  unsigned kinds;  // of data, for which it means something
  unsigned uses;
};

// Every key with a value of its own, but those of `model:`, whose family names its options.
const std::vector<KeyUse>& key_uses();

// Each says why `key` would do nothing, as the end of a message ("does nothing for ...; leave it
// out"), or is empty. A key of no table, such as an option of a family, does something.

// For the data set of `config`, whatever else it says. `data.name` decides.
std::string idle_for_data(std::string_view key, const Config& config);
// For what the configuration is read for: any of `uses`.
std::string idle_in(std::string_view key, unsigned uses);
// Beside the other settings of `config`, read for any of `uses`.
std::string idle_beside(std::string_view key, const Config& config, unsigned uses);

// What of the schedule a training of this length does not come to, a sentence; empty: nothing.
// Where the command line does not say it, it is no mistake: a short trial of a long recipe.
std::string beyond_end(const Config& config);

}  // namespace tbn
