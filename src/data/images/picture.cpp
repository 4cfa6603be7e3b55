// Chooses the decoder.
#include "data/images/picture.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::array<std::string_view, 3> kRead = {"jpg", "jpeg", "png"};
constexpr std::array<std::string_view, 14> kUnread = {"avif", "bmp", "gif",  "heic", "heif",
                                                      "jfif", "jp2", "jxl",  "pgm",  "pnm",
                                                      "ppm",  "tif", "tiff", "webp"};

// How files begin that are met under the names of pictures.
struct Beginning {
  std::size_t at;
  std::string_view bytes;
  const char* what;
};
constexpr std::string_view kJpeg = "\xff\xd8";
constexpr Beginning kBeginnings[] = {
    {0, "GIF8", "a GIF"},
    {0, "BM", "a BMP"},
    {8, "WEBP", "a WebP"},
    {0, std::string_view("II*\0", 4), "a TIFF"},
    {0, std::string_view("MM\0*", 4), "a TIFF"},
    {4, "ftypavi", "an AVIF"},
    {4, "ftyp", "a HEIF"},
    {4, "jP  ", "a JPEG 2000"},
    {0, "\xff\x4f\xff\x51", "a JPEG 2000"},
    {0, "\xff\x0a", "a JPEG XL"},
    {4, "JXL ", "a JPEG XL"},
    {0, "8BPS", "a Photoshop file"},
    {0, "%PDF", "a PDF"},
    {0, "PK", "a ZIP archive"},
    {0, "\x1f\x8b", "a gzip file"},
    {0, "version https://git-lfs", "a pointer of Git LFS (fetch the files with `git lfs pull`)"},
    {0, "<!DOCTYPE", "an HTML page"},
    {0, "<!doctype", "an HTML page"},
    {0, "<html", "an HTML page"},
    {0, "<svg", "an SVG"},
    {0, "<?xml", "an XML file"},
};

bool starts_with(std::span<const std::uint8_t> bytes, std::string_view beginning,
                 std::size_t at = 0) {
  if (bytes.size() < at + beginning.size()) return false;
  return std::equal(beginning.begin(), beginning.end(), bytes.begin() + static_cast<long>(at),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

// "a GIF"; of no kind that is known, its first bytes.
std::string kind_of(std::span<const std::uint8_t> bytes) {
  for (const Beginning& each : kBeginnings) {
    if (starts_with(bytes, each.bytes, each.at)) return each.what;
  }
  std::string text;
  for (const std::uint8_t byte : bytes.first(std::min<std::size_t>(bytes.size(), 4))) {
    text += fmt::format(" {:02x}", byte);
  }
  return text.empty() ? "empty" : "begins with the bytes" + text;
}

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
  } else if (starts_with(bytes, kJpeg)) {
    jpeg_.emplace(bytes, name);
  } else {
    throw DataError(
        fmt::format("{}: is neither a JPEG nor a PNG, but {}; convert it, or take it out", name,
                    kind_of(bytes)));
  }
}

RgbImage PictureDecoder::decode(int denominator) {
  RgbImage stored = decode_stored(denominator);
  if (exif_ == 1) return stored;
  const bool swaps = swaps_sides(exif_);
  RgbImage image{.height = swaps ? stored.width : stored.height,
                 .width = swaps ? stored.height : stored.width,
                 .pixels = {}};
  image.pixels = std::make_unique_for_overwrite<std::uint8_t[]>(
      static_cast<std::size_t>(3 * image.height * image.width));
  turn_upright({.data = stored.pixels.get(), .height = stored.height, .width = stored.width}, exif_,
               image.pixels.get());
  return image;
}

RgbImage PictureDecoder::decode_stored(int denominator) {
  if (jpeg_) return jpeg_->decode(denominator);
  TBN_CHECK(denominator == 1, "PictureDecoder::decode: a PNG is decoded at its own size");
  return png_->decode();
}

}  // namespace tbn
