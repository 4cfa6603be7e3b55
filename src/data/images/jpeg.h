// JPEG files to RGB bytes, through libjpeg's interface as libjpeg-turbo has it. A file is an
// outside input: its size, the image's size and the work that it can ask for are bounded, and
// whatever is wrong with it is a DataError that names it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace tbn {

inline constexpr std::int64_t kMaxJpegBytes = std::int64_t{64} << 20;  // of a file
inline constexpr std::int64_t kMaxJpegPixels = 64'000'000;             // decoded, after scaling

// All of a regular file of at most `limit` bytes. Throws DataError when it is missing, empty,
// larger or of another kind, SystemError when it cannot be read.
std::vector<std::uint8_t> read_bounded_file(const std::filesystem::path& path, std::int64_t limit);

// [height, width, 3] bytes.
struct RgbImage {
  std::int64_t height = 0;
  std::int64_t width = 0;
  std::unique_ptr<std::uint8_t[]> pixels;
};

class JpegDecoder {
 public:
  // Reads the header. `bytes` must outlive the decoder; `name` starts the error sentences.
  JpegDecoder(std::span<const std::uint8_t> bytes, std::string name);
  ~JpegDecoder();
  JpegDecoder(const JpegDecoder&) = delete;
  JpegDecoder& operator=(const JpegDecoder&) = delete;

  // The size of the image as stored, before scaling.
  std::int64_t height() const;
  std::int64_t width() const;

  // Decodes the whole image at 1/denominator of its size (1, 2, 4 or 8), rounded up. Grey becomes
  // three equal channels, CMYK and YCCK red, green and blue as Pillow makes them (255 is no ink,
  // whether Adobe's marker says so or not). Call it once. Throws DataError for an image of more
  // than kMaxJpegPixels, and for data that is damaged or ends too early, even where a viewer would
  // show something; an image of one scan that lacks nothing but its end marker is whole.
  RgbImage decode(int denominator);

 private:
  friend struct JpegSteps;
  struct State;
  [[noreturn]] void fail(const std::string& what) const;
  void check_size(int denominator) const;

  std::unique_ptr<State> state_;
  std::string name_;
};

// The largest denominator at which a window of this size still has as many pixels as the target.
int largest_denominator(double window_height, double window_width, std::int64_t target_height,
                        std::int64_t target_width);

}  // namespace tbn
