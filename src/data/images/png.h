// PNG files to RGB bytes, through libspng. A file is an outside input: the size of the image and of
// each of its chunks is bounded, and whatever is wrong with it is a DataError that names it.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "data/images/jpeg.h"

namespace tbn {

// Whether a file begins as every PNG does.
bool is_png(std::span<const std::uint8_t> bytes);

class PngDecoder {
 public:
  // Reads the header. `bytes` must outlive the decoder; `name` starts the error sentences.
  PngDecoder(std::span<const std::uint8_t> bytes, std::string name);
  ~PngDecoder();
  PngDecoder(const PngDecoder&) = delete;
  PngDecoder& operator=(const PngDecoder&) = delete;

  std::int64_t height() const { return height_; }
  std::int64_t width() const { return width_; }

  // Grey becomes three equal channels, palettes their colours, 16 bits the upper 8; what is
  // transparent is left out, as Pillow's convert("RGB") does, and no gamma is applied. Call it
  // once. Throws DataError for an image of more than kMaxJpegPixels and for damaged data.
  RgbImage decode();

 private:
  struct State;
  [[noreturn]] void fail(const std::string& what) const;

  std::unique_ptr<State> state_;
  std::string name_;
  std::int64_t height_ = 0;
  std::int64_t width_ = 0;
};

}  // namespace tbn
