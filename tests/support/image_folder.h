// A small folder of pictures of two classes, and samples read from it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "data/images/image_folder.h"
#include "data/images/jpeg.h"
#include "support/errors.h"
#include "support/jpeg_writer.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

namespace tbn::test {

using Bytes = std::vector<std::uint8_t>;

inline std::string flat_jpeg(int grey, unsigned side = 16) {
  const Bytes color{static_cast<std::uint8_t>(grey)};
  return jpeg_bytes(flat_pixels(side * side, color), side, side, 100, {.from = JCS_GRAYSCALE});
}

inline DatasetReader reader_of(std::string_view name) {
  for (auto& reader : image_folder_readers()) {
    if (reader.name == name) return reader;
  }
  throw std::runtime_error("no reader " + std::string(name));
}

inline DataOptions small_options(std::string name = "image_folder") {
  DataOptions options{.name = std::move(name)};
  options.folder.image_size = 8;
  options.folder.resize = 8;
  return options;
}

// Two classes; the images of split s, class c are flat with the grey 20 + 100 s + 40 c + their
// number.
struct Folder {
  TempDir dir;

  Folder() {
    for (int split = 0; split < 2; ++split) {
      const std::string top = split == 0 ? "train" : "val";
      for (int c = 0; c < 2; ++c) {
        for (int i = 0; i < 3; ++i) {
          const std::string ending = i == 0 ? "JPEG" : i == 1 ? "jpg" : "JpEg";
          write_file(
              dir / (top + (c == 0 ? "/ant/" : "/bee/") + "i" + std::to_string(i) + "." + ending),
              flat_jpeg(20 + 100 * split + 40 * c + i));
        }
      }
    }
  }
  DataSplits open(const DataOptions& options = small_options(), const SplitRequest& request = {}) {
    return reader_of("image_folder").open(dir.path(), options, request);
  }
  std::string error(const DataOptions& options = small_options()) {
    return message_of<DataError>([&] { open(options); });
  }
  std::string quoted(std::string_view name) const { return "'" + (dir / name).string() + "'"; }
};

struct Sample {
  bool whole = false;
  std::int64_t label = -1;
  Bytes bytes;
};

inline Sample read_sample(const Dataset& data, std::int64_t index,
                          const ReadContext& context = {}) {
  Sample sample;
  sample.bytes.resize(static_cast<std::size_t>(element_count(data.spec().input)));
  sample.whole = data.read(index, context, {.bytes = sample.bytes.data(), .labels = &sample.label});
  return sample;
}

}  // namespace tbn::test
