// What the object header of an HDF5 dataset says: shape, type of the values, storage, filters.
#include <fmt/format.h>

#include <utility>

#include "data/points/hdf5_objects.h"

namespace tbn {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{4} << 30;  // of one array
constexpr std::uint64_t kMostRank = 8;
constexpr std::uint64_t kMostFilters = 8;
constexpr std::uint64_t kUndefined = ~std::uint64_t{0};

enum MessageType : std::uint64_t {
  kDataspace = 0x01,
  kDatatype = 0x03,
  kLayout = 0x08,
  kFilters = 0x0B,
};

// Reads the messages of one dataset into an Hdf5Array.
class ArrayParser {
 public:
  ArrayParser(const Hdf5Bytes& file, std::string_view name) : file_(file), name_(name) {}

  Hdf5Array parse(std::uint64_t address) {
    for (const Hdf5Message& message : hdf5_messages(file_, address)) {
      const bool known = message.type == kDataspace || message.type == kDatatype ||
                         message.type == kLayout || message.type == kFilters;
      if (!known) continue;
      if ((message.flags & 2) != 0) fail("keeps what describes it elsewhere, which is not read");
      at_ = message.offset;
      if (message.type == kDataspace) shape();
      if (message.type == kDatatype) type();
      if (message.type == kLayout) layout();
      if (message.type == kFilters) filters();
    }
    check();
    return std::move(array_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    file_.fail(fmt::format("dataset '{}' {}", name_, what));
  }

  std::uint64_t take(std::uint64_t bytes) {
    const std::uint64_t value = file_.number(at_, bytes);
    at_ += bytes;
    return value;
  }

  void shape() {
    const std::uint64_t version = take(1);
    const std::uint64_t rank = take(1);
    if (version < 1 || version > 2 || rank < 1 || rank > kMostRank) {
      fail(fmt::format("has {} dimensions; 1 to {} are read", rank, kMostRank));
    }
    at_ += version == 1 ? 6 : 2;
    array_.shape.clear();
    for (std::uint64_t i = 0; i < rank; ++i) {
      const std::uint64_t side = take(8);
      if (side < 1 || side > kMostBytes) {
        fail(fmt::format("has a dimension of {}; it must be 1 to {}", side, kMostBytes));
      }
      array_.shape.push_back(static_cast<std::int64_t>(side));
    }
  }

  void type() {
    const std::uint64_t kind = take(1) & 15;
    const std::uint64_t bits = take(3);
    const std::uint64_t bytes = take(4);
    const bool is_float = kind == 1 && (bytes == 4 || bytes == 8);
    const bool is_integer = kind == 0 && (bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8);
    if (!is_float && !is_integer) {
      fail(
          fmt::format("has values of HDF5 class {} and {} bytes; floats of 4 or 8 bytes and "
                      "integers of 1 to 8 are read",
                      kind, bytes));
    }
    if ((bits & 1) != 0) fail("has big-endian values, which are not read");
    const std::uint64_t offset = take(2);
    const std::uint64_t precision = take(2);
    bool plain = offset == 0 && precision == 8 * bytes;
    if (is_float) {
      // IEEE 754: exponent, then mantissa, with their usual places and bias.
      const std::uint64_t exponent = bytes == 4 ? 8 : 11;
      const std::uint64_t mantissa = precision - exponent - 1;
      plain = plain && take(1) == mantissa && take(1) == exponent && take(1) == 0 &&
              take(1) == mantissa && take(4) == (std::uint64_t{1} << (exponent - 1)) - 1;
    }
    if (!plain) fail("has values of an unusual layout of bits, which is not read");
    array_.type = {is_float, is_integer && (bits & 8) != 0, bytes};
  }

  void layout() {
    const std::uint64_t version = take(1);
    const std::uint64_t kind = take(1);
    if ((version != 3 && version != 4) || (version == 4 && kind > 1) || kind > 2) {
      fail(
          "is stored in a form that is not read; rewrite the file with "
          "`h5repack --low=0 --high=1`");
    }
    array_.storage = kind == 2 ? Hdf5Storage::kChunks : Hdf5Storage::kInPlace;
    if (kind == 0) {
      array_.stored = take(2);
      array_.address = at_;
      return;
    }
    if (kind == 1) {
      array_.address = take(8);
      array_.stored = take(8);
      return;
    }
    const std::uint64_t sides = take(1);
    array_.address = take(8);
    if (sides < 2 || sides > kMostRank + 1) fail("has pieces of no or too many dimensions");
    array_.chunk.clear();
    for (std::uint64_t i = 0; i + 1 < sides; ++i) {
      array_.chunk.push_back(static_cast<std::int64_t>(take(4)));
    }
    chunk_value_bytes_ = take(4);
  }

  void filters() {
    const std::uint64_t version = take(1);
    const std::uint64_t count = take(1);
    if (version < 1 || version > 2 || count > kMostFilters) fail("has a damaged list of filters");
    if (version == 1) at_ += 6;
    array_.filters.clear();
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t id = take(2);
      if (id != 1 && id != 2) {
        fail(fmt::format("is stored with HDF5 filter {}; gzip (1) and shuffle (2) are read", id));
      }
      const std::uint64_t name = version == 1 ? take(2) : 0;
      at_ += 2;
      const std::uint64_t values = take(2);
      const std::uint64_t padding = version == 1 ? 4 * (values % 2) : 0;
      at_ += name + 4 * values + padding;
      array_.filters.push_back(static_cast<int>(id));
    }
  }

  void check() const {
    if (array_.shape.empty() || array_.type.bytes == 0) fail("is no array of numbers");
    std::uint64_t bytes = array_.type.bytes;
    for (const std::int64_t side : array_.shape) {
      if (bytes > kMostBytes / static_cast<std::uint64_t>(side)) {
        fail(fmt::format("of shape {} is too large; the limit is {} bytes", to_string(array_.shape),
                         kMostBytes));
      }
      bytes *= static_cast<std::uint64_t>(side);
    }
    if (array_.storage == Hdf5Storage::kNone || array_.address == kUndefined) {
      fail("has no values");
    }
    if (array_.storage == Hdf5Storage::kInPlace) {
      if (array_.stored < bytes || !array_.filters.empty()) {
        fail(fmt::format("should take {} bytes, but has {}", bytes, array_.stored));
      }
      return;
    }
    if (array_.chunk.size() != array_.shape.size() || chunk_value_bytes_ != array_.type.bytes) {
      fail("has pieces of another shape or type than its own");
    }
    std::uint64_t chunk = array_.type.bytes;
    for (const std::int64_t side : array_.chunk) {
      chunk *= static_cast<std::uint64_t>(side);
      if (side == 0 || chunk > kMostBytes) {
        fail(fmt::format("has pieces of shape {}; the limit is {} bytes", to_string(array_.chunk),
                         kMostBytes));
      }
    }
  }

  const Hdf5Bytes& file_;
  std::string_view name_;
  std::uint64_t at_ = 0;
  std::uint64_t chunk_value_bytes_ = 0;
  Hdf5Array array_;
};

}  // namespace

std::uint64_t Hdf5Array::values() const {
  std::uint64_t count = 1;
  for (const std::int64_t side : shape) count *= static_cast<std::uint64_t>(side);
  return count;
}

Hdf5Array hdf5_array(const Hdf5Bytes& file, std::string_view name, std::uint64_t address) {
  return ArrayParser(file, name).parse(address);
}

}  // namespace tbn
