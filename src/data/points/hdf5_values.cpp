// Collects an HDF5 dataset's values: in place, or chunk by chunk through its filters.
#include "data/points/hdf5_values.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace tbn {
namespace {

constexpr int kGzip = 1;
// Deflate stores at best 258 bytes in two bits.
constexpr std::uint64_t kMostRatio = 1032;
constexpr std::uint64_t kMostNodes = 1U << 20;
// Chunks reach beyond the array at its ends, less than twofold along each dimension.
constexpr std::uint64_t kMostOverhang = 16;
constexpr std::uint64_t kSmall = 64U << 20;

class ChunkReader {
 public:
  ChunkReader(const Hdf5Bytes& file, std::string_view name, const Hdf5Array& array)
      : file_(file), name_(name), array_(array), chunk_bytes_(array.type.bytes) {
    std::uint64_t chunks = 1;
    for (std::size_t i = 0; i < array.shape.size(); ++i) {
      const std::int64_t along = (array.shape[i] + array.chunk[i] - 1) / array.chunk[i];
      grid_.push_back(along);
      chunks *= static_cast<std::uint64_t>(along);
      chunk_bytes_ *= static_cast<std::uint64_t>(array.chunk[i]);
    }
    // A chunk costs the file a key of a tree at least, and no stored byte makes many values.
    const std::uint64_t bytes = array.values() * array.type.bytes;
    const std::uint64_t most = array.filters.empty() ? file.size() : file.size() * kMostRatio;
    if (chunks > file.size() / 24 || bytes > most || chunk_bytes_ > most ||
        chunks * chunk_bytes_ > kMostOverhang * bytes + kSmall) {
      fail(fmt::format("of shape {} cannot be in a file of {} bytes", to_string(array.shape),
                       file.size()));
    }
    seen_.resize(static_cast<std::size_t>(chunks));
    out_.resize(static_cast<std::size_t>(bytes));
  }

  std::vector<std::uint8_t> read() {
    walk(array_.address, file_.number(array_.address + 5, 1));
    if (found_ != seen_.size()) {
      fail(fmt::format("has {} of its {} pieces; the file is damaged", found_, seen_.size()));
    }
    return std::move(out_);
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    file_.fail(fmt::format("dataset '{}' {}", name_, what));
  }

  // A tree of chunks: levels go down by one, and no chunk may come twice, so that it ends.
  void walk(std::uint64_t node, std::uint64_t level) {
    if (!file_.has(node, "TREE") || file_.number(node + 4, 1) != 1 ||
        file_.number(node + 5, 1) != level || ++nodes_ > kMostNodes) {
      fail("has a broken tree of pieces; the file is damaged");
    }
    const std::uint64_t key = 8 + 8 * (array_.shape.size() + 1);
    const std::uint64_t count = file_.number(node + 6, 2);
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::uint64_t at = node + 24 + i * (key + 8);
      const std::uint64_t child = file_.number(at + key, 8);
      if (level > 0) {
        walk(child, level - 1);
      } else {
        read_chunk(at, child);
      }
    }
  }

  void read_chunk(std::uint64_t key, std::uint64_t address) {
    const Shape start = chunk_start(key);
    auto bytes = unfiltered(file_.at(address, file_.number(key, 4)), file_.number(key + 4, 4));
    if (bytes.size() != chunk_bytes_) {
      fail(fmt::format("has a piece of {} bytes; it must be {}", bytes.size(), chunk_bytes_));
    }
    place(bytes, start);
  }

  // Where the chunk goes; marks it as seen.
  Shape chunk_start(std::uint64_t key) {
    Shape start;
    std::uint64_t number = 0;
    for (std::size_t i = 0; i < array_.shape.size(); ++i) {
      const std::uint64_t at = file_.number(key + 8 + 8 * i, 8);
      const auto side = static_cast<std::uint64_t>(array_.chunk[i]);
      if (at >= static_cast<std::uint64_t>(array_.shape[i]) || at % side != 0) {
        fail(fmt::format("has a piece at {} along dimension {}, which is none of its places", at,
                         i));
      }
      number = number * static_cast<std::uint64_t>(grid_[i]) + at / side;
      start.push_back(static_cast<std::int64_t>(at));
    }
    if (seen_[number]) fail("has a piece twice; the file is damaged");
    seen_[number] = true;
    ++found_;
    return start;
  }

  std::vector<std::uint8_t> unfiltered(std::span<const std::uint8_t> stored,
                                       std::uint64_t skipped) const {
    std::vector<std::uint8_t> bytes(stored.begin(), stored.end());
    for (std::size_t i = array_.filters.size(); i-- > 0;) {
      if ((skipped >> i & 1) != 0) continue;  // the writer found that it saves nothing
      bytes = array_.filters[i] == kGzip ? inflated(bytes) : unshuffled(bytes);
    }
    return bytes;
  }

  std::vector<std::uint8_t> inflated(const std::vector<std::uint8_t>& stored) const {
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(chunk_bytes_));
    uLongf size = static_cast<uLongf>(bytes.size());
    const int code = uncompress(bytes.data(), &size, stored.data(), stored.size());
    if (code != Z_OK) {
      fail(fmt::format("has a piece whose compressed bytes are damaged ({})", zError(code)));
    }
    bytes.resize(size);
    return bytes;
  }

  // The first bytes of all values came first, then the second bytes, and so on.
  std::vector<std::uint8_t> unshuffled(const std::vector<std::uint8_t>& bytes) const {
    const auto width = static_cast<std::size_t>(array_.type.bytes);
    const std::size_t values = bytes.size() / width;
    std::vector<std::uint8_t> out = bytes;
    for (std::size_t value = 0; value < values; ++value) {
      for (std::size_t k = 0; k < width; ++k) out[value * width + k] = bytes[k * values + value];
    }
    return out;
  }

  // Copies the chunk's rows, without what reaches beyond the array.
  void place(const std::vector<std::uint8_t>& bytes, const Shape& start) {
    const std::size_t rank = start.size();
    Shape size(rank);
    for (std::size_t i = 0; i < rank; ++i) {
      size[i] = std::min(array_.chunk[i], array_.shape[i] - start[i]);
    }
    const auto width = static_cast<std::int64_t>(array_.type.bytes);
    const auto row = static_cast<std::size_t>(size[rank - 1] * width);
    Shape at(rank, 0);
    while (true) {
      std::int64_t from = 0;
      std::int64_t to = 0;
      for (std::size_t i = 0; i < rank; ++i) {
        from = from * array_.chunk[i] + at[i];
        to = to * array_.shape[i] + start[i] + at[i];
      }
      std::memcpy(&out_[static_cast<std::size_t>(to * width)],
                  &bytes[static_cast<std::size_t>(from * width)], row);
      std::size_t axis = rank - 1;  // the next row
      while (axis > 0 && ++at[axis - 1] == size[axis - 1]) at[--axis] = 0;
      if (axis == 0) return;
    }
  }

  const Hdf5Bytes& file_;
  std::string_view name_;
  const Hdf5Array& array_;
  std::uint64_t chunk_bytes_;
  Shape grid_;  // chunks along each dimension
  std::vector<bool> seen_;
  std::uint64_t found_ = 0;
  std::uint64_t nodes_ = 0;
  std::vector<std::uint8_t> out_;
};

}  // namespace

std::vector<std::uint8_t> hdf5_values(const Hdf5Bytes& file, std::string_view name,
                                      const Hdf5Array& array) {
  if (array.storage == Hdf5Storage::kChunks) return ChunkReader(file, name, array).read();
  const auto bytes = file.at(array.address, array.values() * array.type.bytes);
  return {bytes.begin(), bytes.end()};
}

}  // namespace tbn
