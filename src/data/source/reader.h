// What a data set is to the rest of tbn: a name, the files that give it away, and a function that
// opens it. To add one, write a file that returns a DatasetReader and list it in registry.cpp.
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
// on. Absent: not asked for; no validation: it is held out of the training samples.
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
  // Of the images' channels, for the network's normalisation; absent: inputs need none.
  std::optional<ChannelStatistics> statistics;
  std::optional<SeriesRule> series;  // of a series: how its rows became inputs
  std::filesystem::path folder;      // where the files were found
  FoundSplits found;                 // filled by the registry (load_data)
  Rule rule;                // what whoever repeats it needs to know; filled by the registry
  std::string test_folder;  // folders of images: the one that is tested on ("test", "val")
  // What the user should know of how they were read: rows left out, and why.
  std::vector<std::string> notes;
};

// Which of them are needed.
struct SplitRequest {
  bool train = true;  // and validation
  bool test = true;
};

struct DatasetReader {
  std::string name;                  // as written in a configuration
  std::vector<std::string> folders;  // looked into below a root; "" is the root itself
  bool folders_are_classes = false;  // what the classes are called lies on the user's disk
  std::vector<std::string> signs;    // any of these files in a folder: the data set is there
  std::string own;  // data of the user's own, which no script fetches: how it must lie in data.root
  std::string package;  // Debian package that installs it, or empty
  std::filesystem::path package_root;

  // What its samples will look like, told without reading a file where that is known; else throws
  // ConfigError with the option that says it.
  std::function<SampleSpec(const DataOptions& options)> describe;
  // Where `describe` can only assume a shape: the shape [C, H, W] that the headers of the files in
  // a folder say. May be null.
  std::function<Shape(const std::filesystem::path& folder)> shape;

  // One of the two. Images that fit in memory: the training or the test images of a folder.
  std::function<ImageSet(const std::filesystem::path& folder, bool train)> read;
  // Anything else. Throws DataError.
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
