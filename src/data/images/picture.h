// A picture file of any kind that is read, JPEG or PNG, told by its first bytes: ImageNet has a PNG
// under the name of a JPEG.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "data/images/jpeg.h"
#include "data/images/png.h"

namespace tbn {

// What the end of a file's name promises.
enum class PictureName {
  kRead,    // .jpg, .jpeg, .png, in any case
  kUnread,  // a picture of another kind, .webp or .bmp for instance
  kOther,   // no picture
};
PictureName picture_name(std::string_view name);

class PictureDecoder {
 public:
  // Reads the header. `bytes` must outlive the decoder; `name` starts the error sentences.
  PictureDecoder(std::span<const std::uint8_t> bytes, const std::string& name);

  // Of the image as stored, before scaling.
  std::int64_t height() const { return png_ ? png_->height() : jpeg_->height(); }
  std::int64_t width() const { return png_ ? png_->width() : jpeg_->width(); }

  // Whether decode() can give the image smaller than it is.
  bool reduces() const { return !png_; }
  // Decodes the whole image at 1/denominator of its size, rounded up: as JpegDecoder does; a PNG at
  // its own size alone. Call it once. Throws DataError.
  RgbImage decode(int denominator);

 private:
  std::optional<PngDecoder> png_;
  std::optional<JpegDecoder> jpeg_;
};

}  // namespace tbn
