// Digits at a fixed place of the header, so that it can be checked before it is trusted.
#include "file/checksums.h"

#include "base/text.h"
#include "file/crc32c.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::string_view kHeaderStart = "{\"__metadata__\":{\"tbn.header_crc32c\":\"";
constexpr std::size_t kLengthBytes = 8;
constexpr std::size_t kDigits = kZeroDigits.size();
constexpr std::size_t kDigitsAt = kLengthBytes + kHeaderStart.size();
static_assert(kDigitsAt == 46, "the specification in tbn/file.h names this offset");
static_assert(kDigits == 8);

}  // namespace

std::string hex_digits(std::uint32_t value) {
  std::string text(kDigits, '0');
  for (std::size_t i = kDigits; i-- > 0; value >>= 4) text[i] = "0123456789abcdef"[value & 15];
  return text;
}

std::string data_crc_of(const TensorRefs& tensors) {
  std::uint32_t crc = 0;
  for (const auto& [name, tensor] : tensors) crc = crc32c(tensor->bytes(), crc);
  return hex_digits(crc);
}

void seal_header(std::string& header) {
  TBN_CHECK(std::string_view(header).substr(kLengthBytes).starts_with(kHeaderStart),
            "the header does not start as specified");
  header.replace(kDigitsAt, kDigits, hex_digits(crc32c(header)));
}

void check_header_crc(const Reader& reader, const std::string& text) {
  // The CRC covers the length as well: put it back in front, as it was.
  std::string head;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    head += static_cast<char>((text.size() >> (8 * i)) & 0xff);
  }
  head += text;
  if (!text.starts_with(kHeaderStart) || head.size() < kDigitsAt + kDigits) {
    reader.fail("header: tbn.header_crc32c is not its first entry; the file is damaged");
  }
  const std::string digits = head.substr(kDigitsAt, kDigits);
  head.replace(kDigitsAt, kDigits, kZeroDigits);
  const std::string computed = hex_digits(crc32c(head));
  if (digits == computed) return;
  reader.fail("damaged: the header's checksum is " + computed + ", the file says " +
              in_quotes(digits) + "; copy or make the file again");
}

void check_data_crc(const Reader& reader, const std::string& expected) {
  const std::string computed = hex_digits(reader.crc());
  if (computed == expected) return;
  reader.fail("damaged: the checksum of its data is " + computed + ", the header says " +
              in_quotes(expected) + "; copy or make the file again");
}

}  // namespace tbn
