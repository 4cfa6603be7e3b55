// The orientation of a photo: both byte orders, every value, and what is not well formed.
#include "data/images/exif.h"

#include <string>
#include <vector>

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

}  // namespace

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
}
