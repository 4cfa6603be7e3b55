// JPEG files for tests, written by libjpeg itself.
#pragma once

#include <cstdint>
#include <cstdio>  // jpeglib.h needs it
#include <cstdlib>
#include <string>
#include <vector>

#include <jpeglib.h>

namespace tbn::test {

struct JpegWriting {
  J_COLOR_SPACE from = JCS_RGB;    // of the pixels: JCS_GRAYSCALE, JCS_RGB, JCS_CMYK
  J_COLOR_SPACE to = JCS_UNKNOWN;  // as stored; JCS_UNKNOWN: what libjpeg chooses
  bool progressive = false;
  bool adobe = true;                        // CMYK: with Adobe's marker
  bool coefficient_by_coefficient = false;  // one scan for each of the 63 of each component
};

namespace detail {

inline std::vector<jpeg_scan_info> many_scans(int components) {
  std::vector<jpeg_scan_info> scans;
  jpeg_scan_info dc{};
  dc.comps_in_scan = components;
  for (int c = 0; c < components; ++c) dc.component_index[c] = c;
  scans.push_back(dc);
  for (int c = 0; c < components; ++c) {
    for (int k = 1; k < 64; ++k) {
      jpeg_scan_info ac{};
      ac.comps_in_scan = 1;
      ac.component_index[0] = c;
      ac.Ss = ac.Se = k;
      scans.push_back(ac);
    }
  }
  return scans;
}

}  // namespace detail

// `pixels` is [height, width, channels of options.from].
inline std::string jpeg_bytes(std::vector<std::uint8_t> pixels, unsigned height, unsigned width,
                              int quality, const JpegWriting& options = {}) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* out = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &out, &size);
  const int channels = options.from == JCS_GRAYSCALE ? 1 : options.from == JCS_CMYK ? 4 : 3;
  jpeg.image_width = width;
  jpeg.image_height = height;
  jpeg.input_components = channels;
  jpeg.in_color_space = options.from;
  jpeg_set_defaults(&jpeg);
  if (options.to != JCS_UNKNOWN) jpeg_set_colorspace(&jpeg, options.to);
  if (!options.adobe) jpeg.write_Adobe_marker = FALSE;
  jpeg_set_quality(&jpeg, quality, TRUE);
  if (options.progressive) jpeg_simple_progression(&jpeg);
  const auto scans = detail::many_scans(channels);
  if (options.coefficient_by_coefficient) {
    jpeg.scan_info = scans.data();
    jpeg.num_scans = static_cast<int>(scans.size());
  }
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < height) {
    JSAMPROW row = pixels.data() +
                   std::size_t{jpeg.next_scanline} * width * static_cast<std::size_t>(channels);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::string bytes(reinterpret_cast<const char*>(out), size);
  std::free(out);
  return bytes;
}

// One colour everywhere.
inline std::vector<std::uint8_t> flat_pixels(unsigned count, std::vector<std::uint8_t> color) {
  std::vector<std::uint8_t> pixels;
  for (unsigned i = 0; i < count; ++i) pixels.insert(pixels.end(), color.begin(), color.end());
  return pixels;
}

// Smooth, and different in every pixel and channel: [height, width, 3].
inline std::vector<std::uint8_t> gradient_pixels(unsigned height, unsigned width) {
  std::vector<std::uint8_t> pixels;
  for (unsigned y = 0; y < height; ++y) {
    for (unsigned x = 0; x < width; ++x) {
      pixels.push_back(static_cast<std::uint8_t>(255 * x / width));
      pixels.push_back(static_cast<std::uint8_t>(255 * y / height));
      pixels.push_back(static_cast<std::uint8_t>(255 * (x + y) / (height + width)));
    }
  }
  return pixels;
}

// Sets the size that the frame header promises.
inline void set_jpeg_size(std::string& jpeg, unsigned height, unsigned width) {
  for (std::size_t at = 2; at + 9 < jpeg.size();) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(jpeg[at + i]); };
    if (byte(1) >= 0xC0 && byte(1) <= 0xC2) {
      jpeg[at + 5] = static_cast<char>(height >> 8);
      jpeg[at + 6] = static_cast<char>(height);
      jpeg[at + 7] = static_cast<char>(width >> 8);
      jpeg[at + 8] = static_cast<char>(width);
      return;
    }
    at += 2 + byte(2) * std::size_t{256} + byte(3);
  }
}

}  // namespace tbn::test
