// Which image files a folder of classes holds, in the layout of ImageNet (<class>/<file>) and of
// Tiny-ImageNet (<class>/images/<file>; for validation images/ and a table of labels).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "data/source/dataset.h"
#include "data/source/options.h"

namespace tbn {

struct ImageFile {
  std::string path;  // below the split's folder
  std::int32_t label = 0;
};

struct ImageListing {
  // Class after class, each sorted by name. With OnError::kSkip those of a kind that is not read,
  // .webp for instance, are among them: a reader of more kinds splits the samples in the same way.
  std::vector<ImageFile> files;
  // Entries of class folders that are no pictures, passed over with OnError::kSkip.
  std::int64_t ignored = 0;
  std::vector<std::string> ignored_names;  // of the first SkipReport::kNamed, below the split
};

// The names of the class folders, sorted by bytes; a class's place is its label. Names that start
// with a dot are passed over, and so are files. Throws DataError where there is no class folder,
// and for a name that is no UTF-8 or holds a control character.
std::vector<std::string> class_folders(const std::filesystem::path& split);

// Every image of the split. Its classes must be `classes`, those of `reference` (the training
// folder), neither more nor fewer, and none may be empty. Throws DataError that names the folder,
// the file or the line of the table that is wrong.
ImageListing list_images(const std::filesystem::path& split,
                         const std::vector<std::string>& classes,
                         const std::filesystem::path& reference, OnError on_error);

}  // namespace tbn
