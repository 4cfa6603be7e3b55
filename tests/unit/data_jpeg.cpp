// Decoding of JPEGs that libjpeg itself wrote: colours, scales, and every kind of damage.
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "data/images/jpeg.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/jpeg_writer.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

std::span<const std::uint8_t> span_of(std::string_view bytes) {
  return {reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()};
}

struct Decoded {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::vector<int> pixels;
};

Decoded decode(std::string_view bytes, int denominator = 1) {
  JpegDecoder decoder(span_of(bytes), "'a.jpg'");
  const RgbImage image = decoder.decode(denominator);
  const auto count = image.height * image.width * 3;
  return {image.height, image.width, {image.pixels.get(), image.pixels.get() + count}};
}

int largest_difference(const std::vector<int>& a, const std::vector<std::uint8_t>& b) {
  REQUIRE(a.size() == b.size());
  int largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) largest = std::max(largest, std::abs(a[i] - b[i]));
  return largest;
}

std::string small_jpeg(bool progressive = false) {
  return jpeg_bytes(gradient_pixels(16, 24), 16, 24, 90, {.progressive = progressive});
}

}  // namespace

TEST_CASE("a JPEG of good quality gives its pixels back") {
  const auto pixels = gradient_pixels(48, 72);
  const Decoded image = decode(jpeg_bytes(pixels, 48, 72, 100));
  CHECK(image.height == 48);
  CHECK(image.width == 72);
  CHECK(largest_difference(image.pixels, pixels) <= 6);  // chroma is stored at half size
}

TEST_CASE("a progressive JPEG decodes to the same pixels as a sequential one") {
  CHECK(decode(small_jpeg(true)).pixels == decode(small_jpeg(false)).pixels);
}

TEST_CASE("a grey JPEG becomes three equal channels") {
  const auto grey = flat_pixels(64, {77});
  const Decoded image = decode(jpeg_bytes(grey, 8, 8, 100, {.from = JCS_GRAYSCALE}));
  CHECK(largest_difference(image.pixels, flat_pixels(64, {77, 77, 77})) <= 1);
}

TEST_CASE("CMYK and YCCK become red, green and blue as in Pillow, with Adobe's marker or without") {
  struct Case {
    std::vector<std::uint8_t> stored, rgb;
  };
  // As stored 255 is no ink; what Pillow 13.0.0 makes of it, and torchvision by the same
  // arithmetic.
  const std::vector<Case> cases = {{{255, 0, 0, 255}, {255, 0, 0}},
                                   {{255, 0, 0, 128}, {128, 0, 0}},
                                   {{200, 100, 50, 255}, {200, 100, 50}},
                                   {{55, 155, 225, 195}, {42, 119, 172}},
                                   {{17, 99, 203, 77}, {5, 30, 61}},
                                   {{10, 240, 130, 3}, {0, 3, 2}},
                                   {{0, 0, 0, 0}, {0, 0, 0}}};
  for (const auto& [stored, rgb] : cases) {
    const auto given = flat_pixels(256, stored), expected = flat_pixels(256, rgb);
    const auto check = [&](int tolerance, const JpegWriting& options) {
      const auto bytes = jpeg_bytes(given, 16, 16, 100, options);
      CHECK(largest_difference(decode(bytes).pixels, expected) <= tolerance);
    };
    check(0, {.from = JCS_CMYK});
    check(0, {.from = JCS_CMYK, .adobe = false});
    check(3, {.from = JCS_CMYK, .to = JCS_YCCK});
  }
}

TEST_CASE("scaled decoding rounds the size up and gives the means of the squares") {
  const auto bytes = jpeg_bytes(gradient_pixels(50, 83), 50, 83, 100);
  const Decoded whole = decode(bytes);
  for (const int d : {2, 4, 8}) {
    const Decoded small = decode(bytes, d);
    REQUIRE(small.height == (50 + d - 1) / d);
    REQUIRE(small.width == (83 + d - 1) / d);
    double worst = 0;
    for (std::int64_t y = 0; y < 50 / d; ++y) {
      for (std::int64_t x = 0; x < 83 / d; ++x) {
        double sum = 0;
        for (std::int64_t i = 0; i < d * d; ++i) {
          const auto at = 3 * ((y * d + i / d) * 83 + x * d + i % d);
          sum += whole.pixels[static_cast<std::size_t>(at)];
        }
        const int got = small.pixels[static_cast<std::size_t>(3 * (y * small.width + x))];
        worst = std::max(worst, std::abs(got - sum / (d * d)));
      }
    }
    CHECK(worst < 6);
  }
}

TEST_CASE("a denominator is taken only where the window still has the target's pixels") {
  CHECK(largest_denominator(447, 1000, 224, 224) == 1);
  CHECK(largest_denominator(448, 448, 224, 224) == 2);
  CHECK(largest_denominator(1000, 895.9, 224, 224) == 2);
  CHECK(largest_denominator(896, 896, 224, 224) == 4);
  CHECK(largest_denominator(65500, 1792, 224, 224) == 8);
  CHECK(largest_denominator(65500, 65500, 10, 10) == 8);
}

TEST_CASE("a JPEG cut off inside its data is an error that names it") {
  for (const bool progressive : {false, true}) {
    const std::string whole = small_jpeg(progressive);
    REQUIRE(whole.size() > 500);
    // Without its end marker, or half of it, a file of one scan has all of its image.
    const std::size_t end = whole.size() - (progressive ? 0 : 2);
    std::size_t wrong = 0;
    for (std::size_t size = 0; size < end; ++size) {
      try {
        decode(std::string_view(whole).substr(0, size));
        ++wrong;
      } catch (const DataError& error) {
        wrong += !says(error.what(), {"'a.jpg': cannot be decoded as JPEG ("});
      }
    }
    CHECK(wrong == 0);
  }
}

// Pillow 13.0.0 reads both, and refuses a progressive file without its end marker.
TEST_CASE("a JPEG of one scan that lacks its end marker alone is whole") {
  for (const J_COLOR_SPACE from : {JCS_RGB, JCS_GRAYSCALE, JCS_CMYK}) {
    const std::size_t channels = from == JCS_RGB ? 3 : from == JCS_CMYK ? 4 : 1;
    auto pixels = gradient_pixels(33, 47);
    pixels.resize(std::size_t{33} * 47 * channels, 200);
    const std::string whole = jpeg_bytes(pixels, 33, 47, 90, {.from = from});
    const auto expected = decode(whole).pixels;
    for (const std::size_t lost : {1u, 2u}) {
      const std::string cut = whole.substr(0, whole.size() - lost);
      CHECK(decode(cut).pixels == expected);
      CHECK(decode(cut + std::string(10, '\0')).pixels == expected);
      CHECK(decode(cut, 2).pixels == decode(whole, 2).pixels);
    }
  }
}

TEST_CASE("a flipped bit gives an image of the promised size or an error, never more") {
  for (const bool progressive : {false, true}) {
    const std::string whole = small_jpeg(progressive);
    int refused = 0;
    int decoded = 0;
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      std::string damaged = whole;
      damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
      try {
        JpegDecoder decoder(span_of(damaged), "'a.jpg'");
        const RgbImage image = decoder.decode(1);
        decoded += image.height == decoder.height() && image.width == decoder.width();
      } catch (const DataError&) {
        ++refused;
      }
    }
    CHECK(refused > 100);
    CHECK(refused + decoded == static_cast<int>(8 * whole.size()));
  }
}

TEST_CASE("bytes between the segments of a JPEG are no damage") {
  std::string bytes = small_jpeg();
  const auto expected = decode(bytes).pixels;
  bytes.insert(20, std::string(5, '\0'));  // after the JFIF segment
  CHECK(decode(bytes).pixels == expected);
  CHECK(decode(bytes + "trailing").pixels == expected);
}

TEST_CASE("a JPEG that promises too many pixels is refused before memory is taken") {
  std::string bytes = small_jpeg();
  set_jpeg_size(bytes, 65500, 65500);
  CHECK(message_of<DataError>([&] { decode(bytes); }) ==
        "'a.jpg': 65500 x 65500 pixels are too many: decoded 65500 x 65500 are kept in memory and "
        "the limit is 64000000 pixels; make the image smaller");
  CHECK(says(message_of<DataError>([&] { decode(bytes, 8); }),
             {"decoded to a smaller size 8188 x 8188 are kept"}));
  std::string progressive = small_jpeg(true);
  set_jpeg_size(progressive, 8001, 8000);
  CHECK(says(message_of<DataError>([&] { decode(progressive, 8); }),
             {"8000 x 8001 pixels are too many: as a progressive file 8000 x 8001 are kept"}));
}

TEST_CASE("an image that is small enough only when scaled is decoded scaled") {
  std::string bytes = small_jpeg();
  set_jpeg_size(bytes, 60000, 60000);  // and then the data ends
  CHECK(says(message_of<DataError>([&] { decode(bytes, 8); }), {"cannot be", "premature end"}));
  CHECK(says(message_of<DataError>([&] { decode(bytes, 4); }), {"15000 x 15000 are kept"}));
}

TEST_CASE("a progressive JPEG of more than a hundred scans is refused") {
  const auto pixels = gradient_pixels(16, 24);
  const auto grey = std::vector<std::uint8_t>(pixels.begin(), pixels.begin() + 384);
  const auto few =
      jpeg_bytes(grey, 16, 24, 90, {.from = JCS_GRAYSCALE, .coefficient_by_coefficient = true});
  CHECK(decode(few).height == 16);
  const auto many = jpeg_bytes(pixels, 16, 24, 90, {.coefficient_by_coefficient = true});
  CHECK(message_of<DataError>([&] { decode(many); }) ==
        "'a.jpg': cannot be decoded as JPEG (More than 100 scans)");
}

TEST_CASE("what is no JPEG is refused in a sentence") {
  CHECK(says(message_of<DataError>([] { decode("GIF89a"); }),
             {"'a.jpg': cannot be decoded as JPEG (Not a JPEG file"}));
  CHECK(says(message_of<DataError>([] { decode(""); }), {"'a.jpg': cannot be decoded as JPEG ("}));
}

TEST_CASE("files are read whole, within a limit, and only regular ones") {
  const TempDir dir;
  const auto message = [&](std::string_view name) {
    return message_of<DataError>([&] { read_bounded_file(dir / name, 1000); });
  };
  const auto where = [&](std::string_view name) { return "'" + (dir / name).string() + "': "; };
  write_file(dir / "full", std::string(1000, 'x'));
  CHECK(read_bounded_file(dir / "full", 1000) == std::vector<std::uint8_t>(1000, 'x'));
  write_file(dir / "large", "x");
  std::filesystem::resize_file(dir / "large", std::uintmax_t{1} << 40);
  CHECK(message("large") == where("large") + "has 1099511627776 bytes; the limit is 1000");
  write_file(dir / "empty", "");
  CHECK(message("empty") == where("empty") + "is empty");
  CHECK(message("missing") == where("missing") + "the file does not exist");
  std::filesystem::create_directory(dir / "folder");
  CHECK(message("folder") == where("folder") + "is no regular file");
  REQUIRE(mkfifo((dir / "pipe").c_str(), 0600) == 0);
  CHECK(message("pipe") == where("pipe") + "is no regular file");
}
