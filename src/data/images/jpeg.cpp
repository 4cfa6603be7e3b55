// libjpeg leaves a function by longjmp when something is wrong. So every call of it lies in a step,
// a function without objects to destroy, and what it says is kept until C++ can throw it.
#include "data/images/jpeg.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csetjmp>
#include <cstdio>  // jpeglib.h needs it
#include <cstring>
#include <utility>

#include <fmt/format.h>
#include <jerror.h>
#include <jpeglib.h>

#include "tbn/error.h"

namespace tbn {
namespace {

// Each scan of a progressive file goes over the whole image: a small file with thousands of them
// would take hours. Encoders write about ten.
constexpr int kMaxScans = 100;
// For libjpeg's own tables: a progressive image of kMaxJpegPixels keeps 384 MB of coefficients.
constexpr long kMaxDecoderBytes = 512L << 20;

class FileDescriptor {
 public:
  explicit FileDescriptor(int value) : value_(value) {}
  ~FileDescriptor() {
    if (value_ >= 0) ::close(value_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;
  int get() const { return value_; }

 private:
  int value_;
};

}  // namespace

std::vector<std::uint8_t> read_bounded_file(const std::filesystem::path& path, std::int64_t limit) {
  const auto where = fmt::format("'{}': ", path.string());
  // Without O_NONBLOCK opening a pipe would wait for a writer.
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) {
    if (errno == ENOENT || errno == ENOTDIR) throw DataError(where + "the file does not exist");
    throw SystemError(where + "cannot be opened: " + std::strerror(errno));
  }
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw SystemError(where + std::strerror(errno));
  if (!S_ISREG(status.st_mode)) throw DataError(where + "is no regular file");
  if (status.st_size == 0) throw DataError(where + "is empty");
  if (status.st_size > limit) {
    throw DataError(fmt::format("{}has {} bytes; the limit is {}", where, status.st_size, limit));
  }
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(status.st_size));
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t got = ::read(file.get(), bytes.data() + done, bytes.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw SystemError(where + "cannot be read: " + std::strerror(errno));
    if (got == 0) throw DataError(where + "became shorter while it was read");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

struct JpegDecoder::State {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf jump{};
  char message[JMSG_LENGTH_MAX] = "";

  std::span<const std::uint8_t> bytes;
  unsigned denominator = 1;
  std::uint8_t* rows = nullptr;  // [output_height, output_width, output_components]
};

namespace {

// Warnings that say nothing about the pixels; cameras and editors provoke them. Where the bytes end
// without an end marker, libjpeg makes one up: what a single scan lacks is then met as a hit
// marker, another warning, and where it lacks nothing the image is whole. Of several scans some may
// be missing altogether. Pillow draws the same line.
bool harmless(const jpeg_decompress_struct& jpeg) {
  const int code = jpeg.err->msg_code;
  if (code == JWRN_JPEG_EOF)
    return jpeg.comps_in_scan == jpeg.num_components && !jpeg.progressive_mode;
  return code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR || code == JWRN_ADOBE_XFORM;
}

}  // namespace

// What libjpeg calls, and the steps. `client_data` leads from its struct to ours.
struct JpegSteps {
  using State = JpegDecoder::State;
  static State& state_of(j_common_ptr jpeg) { return *static_cast<State*>(jpeg->client_data); }

  static void on_error(j_common_ptr jpeg) {
    State& state = state_of(jpeg);
    state.errors.format_message(jpeg, state.message);
    std::longjmp(state.jump, 1);
  }
  static void on_message(j_common_ptr jpeg, int level) {
    if (level >= 0 || harmless(state_of(jpeg).jpeg)) return;
    on_error(jpeg);
  }
  static void on_progress(j_common_ptr jpeg) {
    State& state = state_of(jpeg);
    if (state.jpeg.input_scan_number <= kMaxScans) return;
    std::snprintf(state.message, sizeof(state.message), "More than %d scans", kMaxScans);
    std::longjmp(state.jump, 1);
  }

  static void read_header(State& state) {
    jpeg_create_decompress(&state.jpeg);  // clears all but err and client_data
    state.jpeg.progress = &state.progress;
    state.jpeg.mem->max_memory_to_use = kMaxDecoderBytes;
    jpeg_mem_src(&state.jpeg, state.bytes.data(), static_cast<unsigned long>(state.bytes.size()));
    jpeg_read_header(&state.jpeg, TRUE);
  }

  static void size_output(State& state) {
    state.jpeg.scale_num = 1;
    state.jpeg.scale_denom = state.denominator;
    const J_COLOR_SPACE from = state.jpeg.jpeg_color_space;
    const bool ink = from == JCS_CMYK || from == JCS_YCCK;
    state.jpeg.out_color_space = ink ? JCS_CMYK : JCS_RGB;
    jpeg_calc_output_dimensions(&state.jpeg);
  }

  static void decode(State& state) {
    jpeg_start_decompress(&state.jpeg);
    const std::size_t stride = static_cast<std::size_t>(state.jpeg.output_width) *
                               static_cast<std::size_t>(state.jpeg.output_components);
    while (state.jpeg.output_scanline < state.jpeg.output_height) {
      JSAMPROW row = state.rows + state.jpeg.output_scanline * stride;
      jpeg_read_scanlines(&state.jpeg, &row, 1);
    }
    jpeg_finish_decompress(&state.jpeg);  // reads up to the end marker
  }

  // False where libjpeg gave up; its words are in state.message.
  static bool run(State& state, void (*step)(State&)) {
    if (setjmp(state.jump) != 0) return false;
    step(state);
    return true;
  }
};

namespace {

// [pixels, 4] to [pixels, 3] in place. 255 is no ink, as Adobe writes it, with its marker or
// without: so Pillow and torchvision take it, whose arithmetic this is.
void ink_to_rgb(std::uint8_t* data, std::size_t pixels) {
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::uint8_t* from = data + 4 * i;
    const int light = from[3];
    std::uint8_t rgb[3];
    for (int c = 0; c < 3; ++c) {
      const int product = light * (255 - from[c]) + 128;
      rgb[c] = static_cast<std::uint8_t>(std::max(light - ((product + (product >> 8)) >> 8), 0));
    }
    std::memcpy(data + 3 * i, rgb, 3);
  }
}

}  // namespace

JpegDecoder::JpegDecoder(std::span<const std::uint8_t> bytes, std::string name)
    : state_(std::make_unique<State>()), name_(std::move(name)) {
  State& state = *state_;
  state.bytes = bytes;
  state.jpeg.err = jpeg_std_error(&state.errors);
  state.errors.error_exit = JpegSteps::on_error;
  state.errors.emit_message = JpegSteps::on_message;
  state.errors.output_message = [](j_common_ptr) {};
  state.progress.progress_monitor = JpegSteps::on_progress;
  state.jpeg.client_data = &state;
  if (!JpegSteps::run(state, JpegSteps::read_header)) {
    const std::string message = state.message;
    jpeg_destroy_decompress(&state.jpeg);
    fail(message);
  }
}

JpegDecoder::~JpegDecoder() { jpeg_destroy_decompress(&state_->jpeg); }

std::int64_t JpegDecoder::height() const { return state_->jpeg.image_height; }
std::int64_t JpegDecoder::width() const { return state_->jpeg.image_width; }

void JpegDecoder::fail(const std::string& what) const {
  throw DataError(fmt::format("{}: cannot be decoded as JPEG ({})", name_, what));
}

void JpegDecoder::check_size(int denominator) const {
  const auto& jpeg = state_->jpeg;
  const auto too_large = [&](std::int64_t rows, std::int64_t columns, const char* how) {
    if (rows * columns <= kMaxJpegPixels) return;
    throw DataError(
        fmt::format("{}: {} x {} pixels are too many: {} {} x {} are kept in memory and the limit "
                    "is {} pixels; make the image smaller",
                    name_, width(), height(), how, columns, rows, kMaxJpegPixels));
  };
  // Scaling does not help here: the coefficients of all scans are collected first.
  if (jpeg_has_multiple_scans(&state_->jpeg) != FALSE) {
    too_large(height(), width(), "as a progressive file");
  }
  too_large(jpeg.output_height, jpeg.output_width,
            denominator == 1 ? "decoded" : "decoded to a smaller size");
}

RgbImage JpegDecoder::decode(int denominator) {
  State& state = *state_;
  TBN_CHECK(denominator == 1 || denominator == 2 || denominator == 4 || denominator == 8,
            "JpegDecoder::decode: the denominator is 1, 2, 4 or 8");
  TBN_CHECK(state.rows == nullptr, "JpegDecoder::decode is for one call");
  const J_COLOR_SPACE from = state.jpeg.jpeg_color_space;
  if (from == JCS_UNKNOWN) {
    fail(fmt::format("{} components of no known colour space", state.jpeg.num_components));
  }
  state.denominator = static_cast<unsigned>(denominator);
  if (!JpegSteps::run(state, JpegSteps::size_output)) fail(state.message);
  check_size(denominator);

  RgbImage image;
  image.height = state.jpeg.output_height;
  image.width = state.jpeg.output_width;
  const std::size_t count = static_cast<std::size_t>(image.height * image.width);
  const bool ink = state.jpeg.out_color_space == JCS_CMYK;
  // Not cleared: where a file of few bytes promises much, the memory is never touched.
  image.pixels = std::make_unique_for_overwrite<std::uint8_t[]>(count * (ink ? 4 : 3));
  state.rows = image.pixels.get();
  if (!JpegSteps::run(state, JpegSteps::decode)) fail(state.message);
  if (ink) ink_to_rgb(image.pixels.get(), count);
  return image;
}

int largest_denominator(double window_height, double window_width, std::int64_t target_height,
                        std::int64_t target_width) {
  for (const int denominator : {8, 4, 2}) {
    if (window_height >= static_cast<double>(target_height * denominator) &&
        window_width >= static_cast<double>(target_width * denominator)) {
      return denominator;
    }
  }
  return 1;
}

}  // namespace tbn
