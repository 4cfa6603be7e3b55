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
#include "prepare/orient.h"

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

  // The image is to be seen by this EXIF orientation, 1 to 8; call it before the others.
  void turn(int exif) { exif_ = exif; }

  // The size of the image as it is to be seen, before scaling.
  std::int64_t height() const { return swaps_sides(exif_) ? stored_width() : stored_height(); }
  std::int64_t width() const { return swaps_sides(exif_) ? stored_height() : stored_width(); }

  // Whether decode() can give the image smaller than it is.
  bool reduces() const { return !png_; }
  // Decodes the whole image at 1/denominator of its size, rounded up: as JpegDecoder does; a PNG at
  // its own size alone; upright. Call it once. Throws DataError.
  RgbImage decode(int denominator);

 private:
  std::int64_t stored_height() const { return png_ ? png_->height() : jpeg_->height(); }
  std::int64_t stored_width() const { return png_ ? png_->width() : jpeg_->width(); }
  RgbImage decode_stored(int denominator);

  int exif_ = 1;
  std::optional<PngDecoder> png_;
  std::optional<JpegDecoder> jpeg_;
};

}  // namespace tbn
