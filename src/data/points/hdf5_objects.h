// The metadata of an HDF5 file: which objects it has, and where and how an array's values are.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tbn/tensor.h"

namespace tbn {

// A whole file in memory; each access is checked.
class Hdf5Bytes {
 public:
  Hdf5Bytes(std::string where, std::vector<std::uint8_t> bytes)
      : where_(std::move(where)), bytes_(std::move(bytes)) {}

  std::uint64_t size() const { return bytes_.size(); }
  // Throws DataError that says which bytes lie outside the file.
  std::span<const std::uint8_t> at(std::uint64_t offset, std::uint64_t count) const;
  // A little-endian number of 1 to 8 bytes.
  std::uint64_t number(std::uint64_t offset, std::uint64_t bytes) const;
  bool has(std::uint64_t offset, std::string_view signature) const;
  // "'file': what"
  [[noreturn]] void fail(const std::string& what) const;

 private:
  std::string where_;
  std::vector<std::uint8_t> bytes_;
};

struct Hdf5Type {
  bool is_float = false;
  bool is_signed = false;
  std::uint64_t bytes = 0;
};

enum class Hdf5Storage { kNone, kInPlace, kChunks };

struct Hdf5Array {
  Shape shape;
  Hdf5Type type;
  Hdf5Storage storage = Hdf5Storage::kNone;
  std::uint64_t address = 0;  // of the values, or of the tree of chunks
  std::uint64_t stored = 0;   // bytes in place
  Shape chunk;                // its shape
  std::vector<int> filters;   // in the order in which they were applied when writing

  std::uint64_t values() const;
};

// Name and address of every object in the root group.
std::map<std::string, std::uint64_t, std::less<>> hdf5_objects(const Hdf5Bytes& file);

// The array whose object header is at `address`. `name` is for the errors.
Hdf5Array hdf5_array(const Hdf5Bytes& file, std::string_view name, std::uint64_t address);

// A message of an object header: what it is about, and the bytes of its body.
struct Hdf5Message {
  std::uint64_t type = 0;
  std::uint64_t flags = 0;
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};
std::vector<Hdf5Message> hdf5_messages(const Hdf5Bytes& file, std::uint64_t address);

}  // namespace tbn
