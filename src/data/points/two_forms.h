// Sets of clouds that are published twice, as HDF5 and as text: whichever of the two is there is
// read.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "data/source/reader.h"

namespace tbn {

struct TwoForms {
  using Open = std::shared_ptr<const Dataset> (*)(const std::filesystem::path& folder,
                                                  const DataOptions& options,
                                                  const std::string& split);

  std::string text_file;  // that the text form alone has
  Open text = nullptr;
  Open hdf5 = nullptr;
  bool has_validation = false;  // a split "val" of its own, beside "train" and "test"
};

// The splits that are asked for, from the text form where its file is in the folder, else from the
// HDF5 files. Throws ConfigError for options that no clouds have, DataError for files that are not
// of the form.
DataSplits open_form(const TwoForms& forms, const std::filesystem::path& folder,
                     const DataOptions& options, const SplitRequest& request);

}  // namespace tbn
