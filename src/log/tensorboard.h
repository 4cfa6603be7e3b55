// Writes scalars as a TensorBoard event file. The format: TFRecords (length, masked CRC-32C of the
// length, data, masked CRC-32C of the data; all little-endian) that hold protobuf `Event` messages,
// the first of them with file_version "brain.Event:2".
#pragma once

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tbn {

struct Scalar {
  std::string_view tag;  // "train/loss"; what stands before the slash groups the charts
  double value = 0;      // stored as float32
};

class TensorboardWriter {
 public:
  // Begins a new file `events.out.tfevents.<seconds>.<host>` in `folder`, which it makes; it never
  // touches an older one. After a resume from the end of step `resumed_step`, viewers drop what
  // earlier files say about later steps. Throws SystemError.
  explicit TensorboardWriter(const std::filesystem::path& folder,
                             std::optional<std::int64_t> resumed_step = std::nullopt);

  // One event with all `scalars`; it has reached the operating system when this returns. Throws
  // SystemError, on a full disk for instance.
  void add_scalars(std::int64_t step, std::span<const Scalar> scalars);
  void add_scalar(std::string_view tag, double value, std::int64_t step);

  const std::filesystem::path& file() const { return path_; }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };

  void open(const std::filesystem::path& folder);
  void write_record(std::string_view event);

  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
};

}  // namespace tbn
