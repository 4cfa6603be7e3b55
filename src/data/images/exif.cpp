// Walks the segments of a JPEG before the image data, or the chunks of a PNG, then the first
// directory of the TIFF structure in APP1 or eXIf. Every offset is held against the bytes that are
// there; nothing is followed twice.
#include "data/images/exif.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

#include <zlib.h>

#include "data/images/png.h"

namespace tbn {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::string_view kExif{"Exif\0\0", 6};
constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::uint32_t kShort = 3;
constexpr std::size_t kEntryBytes = 12;
constexpr std::size_t kPngSignatureBytes = 8;
constexpr std::size_t kChunkBytes = 12;  // of a PNG's chunk: length, type and checksum

bool begins_with(Bytes bytes, std::string_view text) {
  return bytes.size() >= text.size() &&
         std::equal(text.begin(), text.end(), bytes.begin(),
                    [](char a, std::uint8_t b) { return static_cast<std::uint8_t>(a) == b; });
}

// A number of `count` bytes at `at`; absent where the bytes end.
std::optional<std::uint32_t> number(Bytes bytes, std::size_t at, std::size_t count, bool big) {
  if (at > bytes.size() || bytes.size() - at < count) return std::nullopt;
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = (value << 8) | bytes[at + (big ? i : count - 1 - i)];
  }
  return value;
}

// Without the marker that begins them in JPEGs, and that some write into PNGs as well.
Bytes without_marker(Bytes payload) {
  return begins_with(payload, kExif) ? payload.subspan(kExif.size()) : payload;
}

// The data of the first eXIf chunk, before the pixels or after them; empty where there is none,
// and where its checksum is wrong.
Bytes find_exif_of_png(Bytes png) {
  std::size_t at = kPngSignatureBytes;
  while (at + kChunkBytes <= png.size()) {
    const std::size_t length = number(png, at, 4, true).value_or(0);
    if (png.size() - at - kChunkBytes < length) break;
    if (begins_with(png.subspan(at + 4), "eXIf")) {
      const Bytes checked = png.subspan(at + 4, 4 + length);
      const std::uint32_t crc = number(png, at + 8 + length, 4, true).value_or(0);
      const bool whole = crc == crc32(0, checked.data(), static_cast<uInt>(checked.size()));
      return whole ? without_marker(checked.subspan(4)) : Bytes{};
    }
    at += kChunkBytes + length;
  }
  return {};
}

// The payload of the first APP1 segment with EXIF data; empty where there is none.
Bytes find_exif_of_jpeg(Bytes jpeg) {
  std::size_t at = 2;  // behind the start of image
  while (at + 4 <= jpeg.size() && jpeg[at] == 0xff) {
    const std::uint8_t marker = jpeg[at + 1];
    if (marker == 0xff) {  // a fill byte
      ++at;
      continue;
    }
    if (marker == 0xda || marker == 0xd9) break;  // image data, or the end
    const std::uint32_t length = number(jpeg, at + 2, 2, true).value_or(0);
    if (length < 2 || jpeg.size() - at - 2 < length) break;
    const Bytes payload = jpeg.subspan(at + 4, length - 2);
    if (marker == 0xe1 && begins_with(payload, kExif)) return payload.subspan(kExif.size());
    at += 2 + length;
  }
  return {};
}

}  // namespace

int exif_orientation(Bytes picture) {
  const Bytes tiff = is_png(picture) ? find_exif_of_png(picture) : find_exif_of_jpeg(picture);
  const bool big = begins_with(tiff, "MM");
  if (!big && !begins_with(tiff, "II")) return 1;
  if (number(tiff, 2, 2, big) != 42u) return 1;
  const std::size_t directory = number(tiff, 4, 4, big).value_or(0);
  const std::uint32_t entries = number(tiff, directory, 2, big).value_or(0);
  for (std::uint32_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    const auto tag = number(tiff, entry, 2, big);
    if (!tag) return 1;
    if (*tag != kOrientationTag) continue;
    const bool one_short =
        number(tiff, entry + 2, 2, big) == kShort && number(tiff, entry + 4, 4, big) == 1u;
    const std::uint32_t value = number(tiff, entry + 8, 2, big).value_or(0);
    return one_short && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

}  // namespace tbn
