// libspng returns a code from every call; what it allocates for a chunk is limited here.
#include "data/images/png.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <spng.h>

#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::array<std::uint8_t, 8> kSignature = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
constexpr std::size_t kMaxChunkBytes = std::size_t{1} << 20;   // of text, profiles and the like
constexpr std::size_t kMaxCacheBytes = std::size_t{16} << 20;  // of all chunks that are kept
constexpr std::uint32_t kMaxSide = 1u << 20;

}  // namespace

struct PngDecoder::State {
  spng_ctx* png = spng_ctx_new(0);
  State() = default;
  ~State() { spng_ctx_free(png); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

bool is_png(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= kSignature.size() &&
         std::equal(kSignature.begin(), kSignature.end(), bytes.begin());
}

PngDecoder::PngDecoder(std::span<const std::uint8_t> bytes, std::string name)
    : state_(std::make_unique<State>()), name_(std::move(name)) {
  spng_ctx* const png = state_->png;
  if (png == nullptr) throw SystemError(name_ + ": no memory to decode it");
  // Extra information with a wrong checksum is left out; the image itself must be whole.
  int code = spng_set_crc_action(png, SPNG_CRC_ERROR, SPNG_CRC_DISCARD);
  if (code == 0) code = spng_set_image_limits(png, kMaxSide, kMaxSide);
  if (code == 0) code = spng_set_chunk_limits(png, kMaxChunkBytes, kMaxCacheBytes);
  if (code == 0) code = spng_set_png_buffer(png, bytes.data(), bytes.size());
  spng_ihdr header{};
  if (code == 0) code = spng_get_ihdr(png, &header);
  if (code != 0) fail(spng_strerror(code));
  height_ = header.height;
  width_ = header.width;
}

PngDecoder::~PngDecoder() = default;

void PngDecoder::fail(const std::string& what) const {
  throw DataError(fmt::format("{}: cannot be decoded as PNG ({})", name_, what));
}

RgbImage PngDecoder::decode() {
  if (height_ * width_ > kMaxJpegPixels) {
    throw DataError(fmt::format(
        "{}: {} x {} pixels are too many: the limit is {} pixels; make the image smaller", name_,
        width_, height_, kMaxJpegPixels));
  }
  std::size_t bytes = 0;
  int code = spng_decoded_image_size(state_->png, SPNG_FMT_RGB8, &bytes);
  RgbImage image{.height = height_, .width = width_, .pixels = {}};
  const auto expected = static_cast<std::size_t>(3 * height_ * width_);
  if (code == 0) {
    TBN_CHECK(bytes == expected, "PngDecoder::decode: three bytes per pixel");
    // Not cleared: where a file of few bytes promises much, the memory is never touched.
    image.pixels = std::make_unique_for_overwrite<std::uint8_t[]>(expected);
    code = spng_decode_image(state_->png, image.pixels.get(), bytes, SPNG_FMT_RGB8, 0);
  }
  if (code != 0) fail(spng_strerror(code));
  return image;
}

}  // namespace tbn
