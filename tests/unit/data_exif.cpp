// The orientation of a photo: both byte orders, every value, and what is not well formed.
#include "data/images/exif.h"

#include <string>
#include <vector>

#include <zlib.h>

#include "data/images/picture.h"
#include "support/catch.h"
#include "support/exif_writer.h"
#include "support/jpeg_writer.h"

using namespace tbn;
using namespace tbn::test;

namespace {

std::string exif(std::uint32_t value, bool big, std::uint32_t type = 3, std::uint32_t count = 1) {
  return exif_data(value, big, type, count);
}

std::string with_app1(const std::string& payload) {
  return test::with_app1(jpeg_bytes(flat_pixels(64, {90}), 8, 8, 90, {.from = JCS_GRAYSCALE}),
                         payload);
}

int orientation(const std::string& jpeg) {
  return exif_orientation({reinterpret_cast<const std::uint8_t*>(jpeg.data()), jpeg.size()});
}

std::string chunk(const std::string& type, const std::string& data) {
  const std::string checked = type + data;
  const auto crc =
      crc32(0, reinterpret_cast<const Bytef*>(checked.data()), static_cast<uInt>(checked.size()));
  return exif_number(static_cast<std::uint32_t>(data.size()), 4, true) + checked +
         exif_number(static_cast<std::uint32_t>(crc), 4, true);
}

// A grey image of 2 rows and 3 columns, 0 to 5, with a chunk before or behind its pixels.
std::string png_with(const std::string& extra, bool before) {
  const std::string rows("\0\0\1\2\0\3\4\5", 8);
  std::string packed(64, '\0');
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(rows.data()), rows.size());
  packed.resize(size);
  const std::string header = exif_number(3, 4, true) + exif_number(2, 4, true);
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header + std::string("\x08\0\0\0\0", 5)) +
         (before ? extra : "") + chunk("IDAT", packed) + (before ? "" : extra) + chunk("IEND", "");
}

}  // namespace

TEST_CASE(
    "the orientation of a PNG is read from its eXIf chunk, before the pixels and behind them") {
  for (const bool before : {true, false}) {
    for (std::uint32_t value = 1; value <= 8; ++value) {
      const std::string marked = exif(value, value % 2 == 0);
      const int expected = static_cast<int>(value);
      CHECK(orientation(png_with(chunk("eXIf", marked.substr(6)), before)) == expected);
      CHECK(orientation(png_with(chunk("eXIf", marked), before)) == expected);
    }
    CHECK(orientation(png_with("", before)) == 1);
    CHECK(orientation(png_with(chunk("tEXt", exif(6, true)), before)) == 1);
    std::string damaged = chunk("eXIf", exif(6, true));
    damaged.back() ^= 1;
    CHECK(orientation(png_with(damaged, before)) == 1);
  }
}

TEST_CASE("a PNG is turned upright by its orientation as a photo is") {
  const std::string png = png_with(chunk("eXIf", exif(6, true).substr(6)), false);
  const std::vector<std::uint8_t> bytes(png.begin(), png.end());
  PictureDecoder picture(bytes, "p.png");
  picture.turn(exif_orientation(bytes));
  CHECK(picture.height() == 3);
  CHECK(picture.width() == 2);
  const RgbImage image = picture.decode(1);
  // As Pillow's ImageOps.exif_transpose has it: turned by a quarter to the right.
  const int expected[] = {3, 0, 4, 1, 5, 2};
  for (std::size_t i = 0; i < 6; ++i) CHECK(image.pixels[3 * i] == expected[i]);
}

TEST_CASE("the orientation of a photo is read in both byte orders") {
  for (std::uint32_t value = 1; value <= 8; ++value) {
    CHECK(orientation(with_app1(exif(value, true))) == static_cast<int>(value));
    CHECK(orientation(with_app1(exif(value, false))) == static_cast<int>(value));
  }
}

TEST_CASE("without an orientation, or with one that is none, an image is as stored") {
  CHECK(orientation(jpeg_bytes(flat_pixels(64, {90}), 8, 8, 90, {.from = JCS_GRAYSCALE})) == 1);
  CHECK(orientation("") == 1);
  CHECK(orientation("\x89PNG") == 1);
  CHECK(orientation(with_app1("http://ns.adobe.com/xap/1.0/")) == 1);
  for (const std::uint32_t value : {0u, 9u, 255u, 65535u}) {
    CHECK(orientation(with_app1(exif(value, true))) == 1);
  }
  CHECK(orientation(with_app1(exif(6, true, 4))) == 1);     // a long
  CHECK(orientation(with_app1(exif(6, true, 3, 2))) == 1);  // two of them
}

TEST_CASE("EXIF data that is cut off or damaged at any byte gives an orientation all the same") {
  const std::string whole = with_app1(exif(6, true));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const int found = orientation(whole.substr(0, size));
    CHECK((found == 1 || found == 6));
  }
  for (std::size_t bit = 0; bit < 8 * 120; ++bit) {
    std::string damaged = whole;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const int found = orientation(damaged);
    CHECK((found >= 1 && found <= 8));
  }
  const std::string png = png_with(chunk("eXIf", exif(6, true)), false);
  for (std::size_t bit = 0; bit < 8 * png.size(); ++bit) {
    std::string damaged = png;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    const int found = orientation(damaged);
    CHECK((found == 1 || found == 6));  // its checksum covers it
    const int cut = orientation(png.substr(0, bit / 8));
    CHECK((cut == 1 || cut == 6));
  }
}
