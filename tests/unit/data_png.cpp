// PNG files of every kind of pixel, against what Pillow 13 makes of the same bytes, and damaged
// ones.
#include "data/images/png.h"

#include "data/images/picture.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/jpeg_writer.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes from_hex(std::string_view digits) {
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoi(std::string(digits.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

struct Sample {
  const char* name;
  const char* hex;
  std::int64_t height, width;
  std::vector<int> rgb;  // Pillow: Image.open(...).convert("RGB")
};

// Written by hand with Python's zlib; what Pillow 13.0.0 reads in each.
const std::vector<Sample>& samples() {
  static const std::vector<Sample> all = {
      {"grey1",
       "89504e470d0a1a0a0000000d4948445200000003000000020100000000b50f5bb70000000c4944415478da63706"
       "0580000016400e1afc70c800000000049454e44ae426082",
       2,
       3,
       {0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255, 0, 0, 0, 255, 255, 255}},
      {"grey2",
       "89504e470d0a1a0a0000000d4948445200000003000000020200000000f2af21670000000c4944415478da63906"
       "0780200013000fd6830cfdf0000000049454e44ae426082",
       2,
       3,
       {0, 0, 0, 85, 85, 85, 170, 170, 170, 255, 255, 255, 170, 170, 170, 85, 85, 85}},
      {"grey8",
       "89504e470d0a1a0a0000000d4948445200000003000000020800000000b81f39c6000000104944415478da63604"
       "8f9cfc0cec109000789017c1b5a55960000000049454e44ae426082",
       2,
       3,
       {0, 0, 0, 100, 100, 100, 255, 255, 255, 7, 7, 7, 8, 8, 8, 9, 9, 9}},
      {"grey8 transparent",
       "89504e470d0a1a0a0000000d4948445200000003000000020800000000b81f39c60000000274524e5300643c4c6"
       "879000000104944415478da636048f9cfc0cec109000789017c1b5a55960000000049454e44ae426082",
       2,
       3,
       {0, 0, 0, 100, 100, 100, 255, 255, 255, 7, 7, 7, 8, 8, 8, 9, 9, 9}},
      {"rgb",
       "89504e470d0a1a0a0000000d4948445200000002000000020802000000fdd49a73000000164944415478da63606"
       "462fed5c0c0c0c9c9e9eb640e0010c10262599445bb0000000049454e44ae426082",
       2,
       2,
       {1, 2, 3, 250, 128, 0, 9, 9, 9, 77, 66, 55}},
      {"rgb gamma",
       "89504e470d0a1a0a0000000d49484452000000020000000108020000007b40e8dd0000000467414d41000186a03"
       "1e8965f0000000f4944415478da63606462fed5c0000004110181e2f615140000000049454e44ae426082",
       1,
       2,
       {1, 2, 3, 250, 128, 0}},
      {"rgb16",
       "89504e470d0a1a0a0000000d49484452000000020000000110020000002bd0349e000000154944415478da6360f"
       "ccff49ff9ff2fc60646064600230f048192b0f6ff0000000049454e44ae426082",
       1,
       2,
       {1, 2, 3, 250, 128, 0}},
      {"palette",
       "89504e470d0a1a0a0000000d49484452000000030000000108030000002c3ee48600000009504c54450a141e283"
       "23c46505a16ac84740000000c4944415478da63606062040000090004bc56df1a0000000049454e44ae426082",
       1,
       3,
       {10, 20, 30, 70, 80, 90, 40, 50, 60}},
      {"palette4 transparent",
       "89504e470d0a1a0a0000000d4948445200000003000000010403000000e9ce098700000009504c54450a141e283"
       "23c46505a16ac84740000000274524e5300809b2b4e180000000b4944415478da636054000000250022e98287e5"
       "0000000049454e44ae426082",
       1,
       3,
       {10, 20, 30, 40, 50, 60, 70, 80, 90}},
      {"grey alpha",
       "89504e470d0a1a0a0000000d49484452000000020000000108040000005e2bb7010000000d4944415478da63486"
       "130fa0f0002f80196bef477f80000000049454e44ae426082",
       1,
       2,
       {100, 100, 100, 50, 50, 50}},
      {"rgba",
       "89504e470d0a1a0a0000000d4948445200000002000000010806000000f4227f8a000000114944415478da63389"
       "162c4c0c8c4dc00000ac101e59badf61f0000000049454e44ae426082",
       1,
       2,
       {200, 100, 50, 1, 2, 3}},
      {"rgba16",
       "89504e470d0a1a0a0000000d49484452000000010000000110060000004f8518ca000000114944415478da6338c"
       "199c269c4c9c0000009f0017a9023decf0000000049454e44ae426082",
       1,
       1,
       {200, 100, 50}},
      {"interlaced",
       "89504e470d0a1a0a0000000d494844520000000200000002080000000120da626e0000000f4944415478da63e06"
       "2106190d3000000f70065262e0e420000000049454e44ae426082",
       2,
       2,
       {10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40}},
  };
  return all;
}

std::vector<int> decode(const Bytes& bytes) {
  PngDecoder decoder(bytes, "'a.png'");
  const RgbImage image = decoder.decode();
  CHECK(image.height == decoder.height());
  CHECK(image.width == decoder.width());
  return {image.pixels.get(), image.pixels.get() + 3 * image.height * image.width};
}

}  // namespace

TEST_CASE("a PNG of any kind of pixel is what Pillow makes of it") {
  for (const Sample& sample : samples()) {
    INFO(sample.name);
    const Bytes bytes = from_hex(sample.hex);
    CHECK(is_png(bytes));
    const PngDecoder decoder(bytes, "x");
    CHECK(decoder.height() == sample.height);
    CHECK(decoder.width() == sample.width);
    CHECK(decode(bytes) == sample.rgb);
  }
}

TEST_CASE("of 16 bits of grey the upper 8 are kept, where Pillow cuts all to white") {
  CHECK(decode(from_hex("89504e470d0a1a0a0000000d494844520000000200000001100000000081d9fc15000000"
                        "0d4944415478da631032f9df0000036701c6734afd590000000049454e44ae426082")) ==
        std::vector<int>{0x12, 0x12, 0x12, 0xff, 0xff, 0xff});
}

TEST_CASE(
    "a PNG cut off, or with a flipped bit, is an error that names it or an image of its size") {
  for (const Sample& sample : samples()) {
    INFO(sample.name);
    const Bytes whole = from_hex(sample.hex);
    // Checksums and the end chunk add nothing: an image may be whole without them, never another.
    int refused = 0;
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      try {
        const std::vector<int> rgb = decode(cut);
        CHECK(rgb == sample.rgb);
      } catch (const DataError& error) {
        CHECK(says(error.what(), {"'a.png': cannot be decoded as PNG ("}));
        ++refused;
      }
    }
    CHECK(refused >= 50);  // the header and the beginning of the data
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
      Bytes damaged = whole;
      damaged[bit / 8] = static_cast<std::uint8_t>(damaged[bit / 8] ^ (1 << (bit % 8)));
      try {
        const std::vector<int> rgb = decode(damaged);
        CHECK(rgb.size() == sample.rgb.size());
      } catch (const DataError& error) {
        CHECK(says(error.what(), {"'a.png': "}));
      }
    }
  }
}

TEST_CASE("a PNG that promises too many pixels is refused before memory is taken") {
  // 65,535 x 65,535 grey pixels, with the checksum that belongs to that header.
  const Bytes huge = from_hex(
      "89504e470d0a1a0a0000000d494844520000ffff0000ffff0800000000936e868c0000000a49444154"
      "789c6360000000020001e5273ed30000000049454e44ae426082");
  CHECK(message_of<DataError>([&] { decode(huge); }) ==
        "'a.png': 65535 x 65535 pixels are too many: the limit is 64000000 pixels; make the image "
        "smaller");
}

TEST_CASE("a picture is decoded as what its first bytes say") {
  const Bytes png = from_hex(samples()[5].hex);
  PictureDecoder as_png(png, "'n02105855_2933.JPEG'");
  CHECK_FALSE(as_png.reduces());
  CHECK(as_png.width() == 2);
  CHECK(as_png.decode(1).pixels[3] == 250);
  const std::string text = jpeg_bytes(flat_pixels(64, {90}), 8, 8, 90, {.from = JCS_GRAYSCALE});
  const Bytes jpeg(text.begin(), text.end());
  PictureDecoder as_jpeg(jpeg, "'a.png'");
  CHECK(as_jpeg.reduces());
  CHECK(as_jpeg.decode(2).height == 4);
}

TEST_CASE("names say which files are pictures, and which of them are read") {
  for (const char* name : {"a.jpg", "a.JPEG", "b.c.Png", ".png"}) {
    CHECK(picture_name(name) == PictureName::kRead);
  }
  for (const char* name : {"a.webp", "a.BMP", "x.gif", "x.tiff", "x.heic"}) {
    CHECK(picture_name(name) == PictureName::kUnread);
  }
  for (const char* name : {"a", "jpg", "a.jpg.txt", "Thumbs.db", "a.", ""}) {
    CHECK(picture_name(name) == PictureName::kOther);
  }
}
