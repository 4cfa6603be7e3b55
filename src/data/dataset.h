// Data sets by name: where their files are looked for, the seeded split of a validation set from
// the training images, and the registry of readers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/image_set.h"
#include "data/reader.h"

namespace tbn {

enum class Split { kTrain, kValidation, kTest };

struct DataOptions {
  std::string name;             // one of dataset_names()
  std::filesystem::path root;   // empty: data/<name>, then the Debian package's folder
  std::int64_t validation = 0;  // images held out of the training images
  std::uint64_t split_seed = 0;
  std::int64_t train_limit = 0;  // keep the first so many training images after the split; 0: all
  std::int64_t test_limit = 0;
};

struct ImageData {
  ImageSet train;
  ImageSet validation;
  ImageSet test;
  std::filesystem::path folder;  // where the files were found
};

// Names of all data sets, in the order of the registry.
std::vector<std::string> dataset_names();

// The registry entry of `name`. Throws ConfigError that lists the known names.
const DatasetReader& find_dataset(const std::string& name);

// The folder that holds the files. With a root, that root and its subfolder <name> are searched,
// else the default places. Throws DataError that says where it looked and how to get the data.
std::filesystem::path find_data_folder(const DatasetReader& reader,
                                       const std::filesystem::path& root);

// Reads everything. The images of train and validation keep the order of the file; which ones are
// held out depends on split_seed and the number of images alone. Throws ConfigError for impossible
// options and DataError for missing or damaged files.
ImageData load_images(const DataOptions& options);

// One split alone; the test split does not read the training files.
ImageSet load_split(const DataOptions& options, Split split);

}  // namespace tbn
