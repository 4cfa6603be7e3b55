// CRC-32C against the values of RFC 3720 (iSCSI), appendix B.4, and against bit by bit division.
#include "file/crc32c.h"

#include <random>
#include <string>

#include "support/catch.h"

using tbn::crc32c;
using tbn::mask_crc32c;

namespace {

std::uint32_t bitwise_crc(const std::string& text) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
  }
  return ~crc;
}

std::string ramp(int first, int step) {
  std::string text;
  for (int i = 0; i < 32; ++i) text += static_cast<char>(first + i * step);
  return text;
}

}  // namespace

TEST_CASE("crc32c gives the published check values", "[file]") {
  CHECK(crc32c(std::string_view()) == 0);
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
  CHECK(crc32c(ramp(0, 1)) == 0x46dd794e);
  CHECK(crc32c(ramp(31, -1)) == 0x113fdb5c);
}

TEST_CASE("crc32c equals bit by bit division at every length and split", "[file]") {
  std::mt19937 random(1);
  std::string text;
  for (int length = 0; length < 70; ++length) {
    REQUIRE(crc32c(text) == bitwise_crc(text));
    for (std::size_t split = 0; split <= text.size(); ++split) {
      const std::string_view view = text;
      REQUIRE(crc32c(view.substr(split), crc32c(view.substr(0, split))) == bitwise_crc(text));
    }
    text += static_cast<char>(random());
  }
}

TEST_CASE("mask_crc32c gives the TFRecord form", "[file]") {
  // The length field of a TFRecord of 24 bytes, as TensorFlow writes it: a3 7f 4b 22.
  CHECK(mask_crc32c(crc32c(std::string("\x18\0\0\0\0\0\0\0", 8))) == 0x224b7fa3);
}
