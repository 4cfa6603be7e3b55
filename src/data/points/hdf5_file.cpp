// Opens an HDF5 file and turns its datasets into floats and labels.
#include "data/points/hdf5_file.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <bit>
#include <cstring>

#include "data/points/hdf5_values.h"
#include "data/source/byte_source.h"
#include "tbn/error.h"

namespace tbn {
namespace {

static_assert(std::endian::native == std::endian::little, "values are copied as they are stored");

Hdf5Bytes whole_file(const std::filesystem::path& path) {
  ByteSource source(path);
  if (source.compressed()) throw DataError(source.where() + "is compressed; unpack it first");
  return {source.where(), source.read_exactly(source.stored_bytes(), "the file")};
}

}  // namespace

Hdf5File::Hdf5File(const std::filesystem::path& path) : file_(whole_file(path)) {
  objects_ = hdf5_objects(file_);
}

Hdf5Array Hdf5File::array(std::string_view name) const {
  const auto object = objects_.find(name);
  if (object == objects_.end()) file_.fail(fmt::format("has no dataset '{}'", name));
  return hdf5_array(file_, name, object->second);
}

Shape Hdf5File::shape(std::string_view name) const { return array(name).shape; }

std::vector<float> Hdf5File::floats(std::string_view name) const {
  const Hdf5Array what = array(name);
  if (!what.type.is_float) file_.fail(fmt::format("dataset '{}' holds integers, not floats", name));
  const auto bytes = hdf5_values(file_, name, what);
  std::vector<float> out(static_cast<std::size_t>(what.values()));
  if (what.type.bytes == 4) {
    std::memcpy(out.data(), bytes.data(), bytes.size());
    return out;
  }
  for (std::size_t i = 0; i < out.size(); ++i) {
    double value = 0;
    std::memcpy(&value, &bytes[8 * i], 8);
    out[i] = static_cast<float>(value);
  }
  return out;
}

std::vector<std::uint8_t> Hdf5File::bytes(std::string_view name) const {
  const Hdf5Array what = array(name);
  if (what.type.is_float) file_.fail(fmt::format("dataset '{}' holds floats, not integers", name));
  auto bytes = hdf5_values(file_, name, what);
  const auto width = static_cast<std::size_t>(what.type.bytes);
  std::vector<std::uint8_t> out(bytes.size() / width);
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = bytes[i * width];
    bool fits = !(width == 1 && what.type.is_signed && out[i] > 127);
    for (std::size_t k = 1; k < width; ++k) fits = fits && bytes[i * width + k] == 0;
    if (!fits) file_.fail(fmt::format("dataset '{}': value {} is not in 0 to 255", name, i));
  }
  return out;
}

}  // namespace tbn
