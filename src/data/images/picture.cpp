// Chooses the decoder.
#include "data/images/picture.h"

#include <algorithm>
#include <array>

#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::array<std::string_view, 3> kRead = {"jpg", "jpeg", "png"};
constexpr std::array<std::string_view, 14> kUnread = {"avif", "bmp", "gif",  "heic", "heif",
                                                      "jfif", "jp2", "jxl",  "pgm",  "pnm",
                                                      "ppm",  "tif", "tiff", "webp"};

}  // namespace

PictureName picture_name(std::string_view name) {
  const auto dot = name.rfind('.');
  if (dot == std::string_view::npos) return PictureName::kOther;
  std::string extension(name.substr(dot + 1));
  for (char& c : extension) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto among = [&](const auto& list) {
    return std::find(list.begin(), list.end(), extension) != list.end();
  };
  if (among(kRead)) return PictureName::kRead;
  return among(kUnread) ? PictureName::kUnread : PictureName::kOther;
}

PictureDecoder::PictureDecoder(std::span<const std::uint8_t> bytes, const std::string& name) {
  if (is_png(bytes)) {
    png_.emplace(bytes, name);
  } else {
    jpeg_.emplace(bytes, name);
  }
}

RgbImage PictureDecoder::decode(int denominator) {
  if (jpeg_) return jpeg_->decode(denominator);
  TBN_CHECK(denominator == 1, "PictureDecoder::decode: a PNG is decoded at its own size");
  return png_->decode();
}

}  // namespace tbn
