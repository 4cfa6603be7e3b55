// Walks the segments before the image data, then the first directory of the TIFF structure in APP1.
// Every offset is held against the bytes that are there; nothing is followed twice.
#include "data/images/exif.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string_view>

namespace tbn {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::string_view kExif{"Exif\0\0", 6};
constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr std::uint32_t kShort = 3;
constexpr std::size_t kEntryBytes = 12;

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

// The payload of the first APP1 segment with EXIF data; empty where there is none.
Bytes find_exif(Bytes jpeg) {
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

int exif_orientation(Bytes jpeg) {
  const Bytes tiff = find_exif(jpeg);
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
