// Reads the file before and after.
#include "train/step/teacher_file.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "file/reader.h"
#include "tbn/error.h"

namespace tbn {

std::string mark_of_file(const std::filesystem::path& path) {
  Reader reader(path);
  reader.start_crc();
  std::vector<std::byte> piece(std::size_t{1} << 20);
  while (reader.remaining() > 0) {
    const auto size = std::min<std::uint64_t>(piece.size(), reader.remaining());
    reader.read(std::span(piece).first(size), "the checkpoint");
  }
  return fmt::format("CRC-32C {:08x} of {} bytes", reader.crc(), reader.size());
}

std::string read_marked(const std::string& key, const std::filesystem::path& path,
                        const std::function<void()>& read) {
  std::string mark = mark_of_file(path);
  read();
  if (mark_of_file(path) == mark) return mark;
  throw DataError(fmt::format(
      "{}: '{}' changed while it was read; start again when the run that writes it is over", key,
      path.string()));
}

}  // namespace tbn
