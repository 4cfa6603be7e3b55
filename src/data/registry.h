// Data sets by name: where their files are looked for, the seeded split of a validation set from
// the training samples, and the registry of readers.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "data/source/dataset.h"
#include "data/source/options.h"
#include "data/source/reader.h"

namespace tbn {

// Names of all data sets, in the order of the registry.
const std::vector<std::string>& dataset_names();

// The registry entry of `name`. Throws ConfigError that lists the known names.
const DatasetReader& find_dataset(const std::string& name);

// What the samples will look like, without reading them: of files that are there, their headers at
// most; where they are not, SampleSpec::assumed says what was assumed. Throws ConfigError where
// only the files can tell and an option must, DataError for a header that is damaged.
SampleSpec describe_data(const DataOptions& options);

// The folder that holds the files. With a root, that root and its subfolder <name> are searched,
// else the default places. Throws DataError that says where it looked and how to get the data.
std::filesystem::path find_data_folder(const DatasetReader& reader,
                                       const std::filesystem::path& root);

// All three splits; `validation` is empty (size 0) where none is held out. Which samples are held
// out depends on split_seed and their number alone. Throws ConfigError for impossible options and
// DataError for missing or damaged files.
DataSplits load_data(const DataOptions& options);

// The splits that are asked for, at least one of training and test.
DataSplits load_data(const DataOptions& options, const SplitRequest& request);

// The split of what was loaded.
std::shared_ptr<const Dataset> split_of(const DataSplits& splits, Split split);

// One split alone; the test split does not read the training files.
std::shared_ptr<const Dataset> load_split(const DataOptions& options, Split split);

}  // namespace tbn
