// The header is a Python literal: a dict of three members, read by a scanner that knows no other.
#include "file/npy.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <string_view>

#include "base/half.h"
#include "base/text.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMostHeader = std::size_t{1} << 16;
constexpr std::size_t kMostDimensions = 32;

// What the header says.
struct Header {
  std::string descr;  // "<f4"
  bool fortran = false;
  Shape shape;
};

class Scanner {
 public:
  Scanner(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  Header header() {
    Header header;
    bool descr_found = false;
    bool order_found = false;
    bool shape_found = false;
    expect('{');
    while (!take('}')) {
      const std::string key = quoted();
      expect(':');
      if (key == "descr" && !descr_found) {
        header.descr = descr();
        descr_found = true;
      } else if (key == "fortran_order" && !order_found) {
        header.fortran = truth();
        order_found = true;
      } else if (key == "shape" && !shape_found) {
        header.shape = shape();
        shape_found = true;
      } else {
        fail("has the member " + in_quotes(key) + " more than it should");
      }
      if (!take(',') && !next_is('}')) fail("is no Python dict");
    }
    skip_blanks();
    if (!text_.empty() || !descr_found || !order_found || !shape_found)
      fail("does not have the three members of one");
    return header;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw DataError(where_ + "its header " + what + "; is it a .npy file of NumPy?");
  }

  void skip_blanks() {
    text_.remove_prefix(std::min(text_.find_first_not_of(" \t\r\n"), text_.size()));
  }
  bool next_is(char c) {
    skip_blanks();
    return !text_.empty() && text_.front() == c;
  }
  bool take(char c) {
    if (!next_is(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  void expect(char c) {
    if (!take(c)) fail("is no Python dict");
  }
  bool take_word(std::string_view word) {
    skip_blanks();
    if (!text_.starts_with(word)) return false;
    text_.remove_prefix(word.size());
    return true;
  }

  std::string quoted() {
    skip_blanks();
    const char quote = text_.empty() ? 0 : text_.front();
    if (quote != '\'' && quote != '"') fail("is no Python dict");
    const std::size_t end = text_.find(quote, 1);
    if (end == std::string_view::npos) fail("is no Python dict");
    std::string word(text_.substr(1, end - 1));
    text_.remove_prefix(end + 1);
    return word;
  }

  std::string descr() {
    if (next_is('[')) {
      throw DataError(where_ + "its elements are records of several fields; save one array of " +
                      "numbers");
    }
    return quoted();
  }

  bool truth() {
    if (take_word("True")) return true;
    if (take_word("False")) return false;
    fail("has a fortran_order that is neither True nor False");
  }

  Shape shape() {
    Shape shape;
    expect('(');
    while (!take(')')) {
      skip_blanks();
      std::int64_t size = 0;
      const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), size);
      if (error != std::errc{} || size < 0 || shape.size() == kMostDimensions) {
        fail("has a shape that is none");
      }
      text_.remove_prefix(static_cast<std::size_t>(end - text_.data()));
      take_word("L");  // as Python 2 wrote it
      shape.push_back(size);
      if (!take(',') && !next_is(')')) fail("has a shape that is none");
    }
    return shape;
  }

  std::string_view text_;
  const std::string& where_;
};

// The text of the header, and where the numbers begin.
std::string_view header_text(std::span<const std::uint8_t> bytes, std::size_t& begin,
                             const std::string& where) {
  const auto little = [&](std::size_t at, std::size_t count) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value |= std::size_t{bytes[at + i]} << (8 * i);
    return value;
  };
  const std::size_t version = bytes.size() > kMagic.size() ? bytes[kMagic.size()] : 0;
  if (version < 1 || version > 3) {
    throw DataError(where + "is of version " + std::to_string(version) +
                    " of the .npy format, of which 1 to 3 are read");
  }
  const std::size_t length_bytes = version == 1 ? 2 : 4;
  const std::size_t at = kMagic.size() + 2;
  const std::size_t length = bytes.size() < at + length_bytes ? 0 : little(at, length_bytes);
  begin = at + length_bytes + length;
  if (length == 0 || length > kMostHeader || begin > bytes.size()) {
    throw DataError(where + "its header is cut short or longer than 65,536 bytes");
  }
  return {reinterpret_cast<const char*>(bytes.data()) + at + length_bytes, length};
}

// What an element type takes, or 0 for one that is not read.
std::size_t element_bytes(std::string_view descr) {
  constexpr std::array<std::string_view, 12> kTypes = {"b1", "i1", "i2", "i4", "i8", "u1",
                                                       "u2", "u4", "u8", "f2", "f4", "f8"};
  if (descr.size() != 3 || std::string_view("<>|=").find(descr[0]) == std::string_view::npos ||
      std::ranges::find(kTypes, descr.substr(1)) == kTypes.end()) {
    return 0;
  }
  return static_cast<std::size_t>(descr[2] - '0');
}

template <class T>
double as_double(const std::uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return static_cast<double>(value);
}

}  // namespace

bool is_npy(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= kMagic.size() &&
         std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

NpyArray::NpyArray(std::vector<std::uint8_t> bytes, const std::string& where)
    : bytes_(std::move(bytes)) {
  if (!is_npy(bytes_)) throw DataError(where + "is no .npy file");
  const Header header = Scanner(header_text(bytes_, begin_, where), where).header();
  size_ = element_bytes(header.descr);
  if (size_ == 0) {
    throw DataError(where + "its elements are of type " + in_quotes(header.descr) +
                    "; booleans, integers and floats of up to 64 bits are read");
  }
  kind_ = header.descr[1];
  swapped_ = header.descr[0] == '>' && size_ > 1;
  shape_ = header.shape;
  if (header.fortran && shape_.size() > 1) {
    throw DataError(where + "its columns come before its rows (Fortran's order); save " +
                    "numpy.ascontiguousarray(array)");
  }
  const std::size_t there = bytes_.size() - begin_;
  // Without the dimensions of size 0, of which there may be any number: products of the others must
  // be numbers as well.
  constexpr auto kMost = static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max());
  std::size_t needed = size_;
  bool is_empty = false;
  for (const std::int64_t size : shape_) {
    is_empty = is_empty || size == 0;
    if (size == 0) continue;
    const auto factor = static_cast<std::size_t>(size);
    if (needed > kMost / factor) {
      throw DataError(where + "its shape has more elements than any file");
    }
    needed *= factor;
  }
  if (is_empty) needed = 0;
  if (needed != there) {
    throw DataError(where + "has " + grouped(there) + " bytes of elements, where its shape " +
                    to_string(shape_) + " takes " + grouped(needed) + "; the file is damaged");
  }
}

void NpyArray::read(std::int64_t first, std::span<double> out) const {
  TBN_CHECK(first >= 0 && first + std::ssize(out) <= element_count(shape_),
            "NpyArray::read: places outside the array");
  const std::uint8_t* at = bytes_.data() + begin_ + static_cast<std::size_t>(first) * size_;
  for (double& value : out) {
    value = number(at);
    at += size_;
  }
}

double NpyArray::number(const std::uint8_t* at) const {
  std::uint8_t bytes[8];
  std::copy_n(at, size_, bytes);
  if (swapped_) std::reverse(bytes, bytes + size_);
  if (kind_ == 'f') {
    if (size_ == 2) {
      std::uint16_t bits;
      std::memcpy(&bits, bytes, sizeof bits);
      return from_half(bits);
    }
    return size_ == 4 ? as_double<float>(bytes) : as_double<double>(bytes);
  }
  if (kind_ == 'b') return bytes[0] != 0 ? 1 : 0;
  if (kind_ == 'u') {
    if (size_ == 1) return bytes[0];
    if (size_ == 2) return as_double<std::uint16_t>(bytes);
    return size_ == 4 ? as_double<std::uint32_t>(bytes) : as_double<std::uint64_t>(bytes);
  }
  if (size_ == 1) return as_double<std::int8_t>(bytes);
  if (size_ == 2) return as_double<std::int16_t>(bytes);
  return size_ == 4 ? as_double<std::int32_t>(bytes) : as_double<std::int64_t>(bytes);
}

}  // namespace tbn
