// A data set as the rest of tbn sees it: a name, the marker files that it is recognised by, and a
// function that opens it. To add one, write a file that returns a DatasetReader and list it in
// registry.cpp.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/source/dataset.h"
#include "data/source/image_set.h"
#include "data/source/options.h"

namespace tbn {

// What was found on disk, so that a run, a checkpoint or a packed file can say what it was measured
// on. A split that was not asked for is absent, and so is validation that is held out of training.
struct FoundSplits {
  std::optional<Listing> train;
  std::optional<Listing> validation;
  std::optional<Listing> test;
};

// The splits of a data set. Those that were not asked for are null.
struct DataSplits {
  std::shared_ptr<const Dataset> train;
  std::shared_ptr<const Dataset> validation;  // may be null: then it is held out of train
  std::shared_ptr<const Dataset> test;
  // Statistics of the images' channels, for the network's normalisation; absent: inputs need none.
  std::optional<ChannelStatistics> statistics;
  std::optional<SeriesRule> series;  // series: how rows became inputs
  std::filesystem::path folder;      // where the files were found
  FoundSplits found;                 // filled by the registry (load_data)
  Rule rule;                // what repeats the preparation elsewhere; filled by the registry
  std::string test_folder;  // folders of images: the one that is tested on ("test", "val")
  // What the user should know of how they were read: rows left out, and why.
  std::vector<std::string> notes;
};

// Which splits are needed.
struct SplitRequest {
  bool train = true;  // and validation
  bool test = true;
};

struct DatasetReader {
  std::string name;                       // as written in a configuration
  std::vector<std::string> folders;       // looked into below a root; "" is the root itself
  bool folders_are_classes = false;       // the classes are named by the user's folders
  std::vector<std::string> marker_files;  // any of these files in a folder: the data set is there
  std::string own;      // for data of the user's own: how it must lie in data.root; else empty
  std::string package;  // Debian package that installs it, or empty
  std::filesystem::path package_root;

  // The spec of its samples without reading a file. Throws ConfigError with the option to set where
  // that is not known.
  std::function<SampleSpec(const DataOptions& options)> describe;
  // The shape [C, H, W] by the headers of the files in a folder, where `describe` can only assume
  // one.
  // May be null.
  std::function<Shape(const std::filesystem::path& folder)> shape;

  // One of `read` and `open` is set. `read`, for images that fit in memory, returns the training or
  // the test images of a folder.
  std::function<ImageSet(const std::filesystem::path& folder, bool train)> read;
  // `open` is for anything else. Throws DataError.
  std::function<DataSplits(const std::filesystem::path& folder, const DataOptions& options,
                           const SplitRequest& request)>
      open;
};

// "data set 'x' not found: " and, for data of the user's own, how it must lie; `why` says what is
// missing where.
std::string not_found_text(const DatasetReader& reader, const std::string& why);

// The first of `names` that exists in `folder`.
std::optional<std::filesystem::path> find_first(const std::filesystem::path& folder,
                                                const std::vector<std::string>& names);

}  // namespace tbn
