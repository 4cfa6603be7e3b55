// EXIF data as cameras write it, for tests of the orientation of photos.
#pragma once

#include <cstdint>
#include <string>

namespace tbn::test {

inline std::string exif_number(std::uint32_t value, std::size_t bytes, bool big) {
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) {
    const std::size_t shift = 8 * (big ? bytes - 1 - i : i);
    text.push_back(static_cast<char>(value >> shift));
  }
  return text;
}

// A directory of two entries, the second of which is the orientation.
inline std::string exif_data(std::uint32_t value, bool big, std::uint32_t type = 3,
                             std::uint32_t count = 1) {
  const auto n = [&](std::uint32_t v, std::size_t bytes) { return exif_number(v, bytes, big); };
  return std::string("Exif\0\0", 6) + (big ? "MM" : "II") + n(42, 2) + n(8, 4) + n(2, 2) +  //
         n(0x010f, 2) + n(2, 2) + n(4, 4) + "abc" + '\0' +                                  //
         n(0x0112, 2) + n(type, 2) + n(count, 4) + n(value, 2) + n(0, 2) + n(0, 4);
}

// The JPEG with the payload as APP1, behind its JFIF segment.
inline std::string with_app1(std::string jpeg, const std::string& payload) {
  const auto length = static_cast<std::uint32_t>(payload.size() + 2);
  jpeg.insert(20, "\xff\xe1" + exif_number(length, 2, true) + payload);
  return jpeg;
}

}  // namespace tbn::test
