// The IDX format of MNIST and Fashion-MNIST: big-endian header, then bytes; plain or gzip.
// Images: u32 0x00000803, count, rows, columns, pixels. Labels: u32 0x00000801, count, labels.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "data/source/image_set.h"
#include "data/source/reader.h"

namespace tbn {

// Reads an image file and its label file as one-channel images. Throws DataError that names the
// file, the value and the limit: wrong magic, a size that the header does not match, counts that
// differ, a label that is no index of `class_names`, a damaged gzip stream.
ImageSet read_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                  std::vector<std::string> class_names);

DatasetReader mnist_reader();
DatasetReader fashion_mnist_reader();

}  // namespace tbn
