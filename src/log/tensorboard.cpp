// Event files by hand: the four messages needed are encoded here, so that no protobuf library is.
//   Event      { double wall_time = 1; int64 step = 2; string file_version = 3;
//                Summary summary = 5; SessionLog session_log = 7; }
//   Summary    { repeated Value value = 1; }   Value { string tag = 1; float simple_value = 2; }
//   SessionLog { SessionStatus status = 1; }   START = 1
#include "log/tensorboard.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "file/crc32c.h"
#include "tbn/error.h"

namespace tbn {
namespace {

namespace fs = std::filesystem;

enum WireType : std::uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

template <class T>
void put_fixed(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void put_key(std::string& out, std::uint32_t field, WireType type) {
  put_varint(out, field << 3 | type);
}

void put_bytes(std::string& out, std::uint32_t field, std::string_view bytes) {
  put_key(out, field, kBytes);
  put_varint(out, bytes.size());
  out.append(bytes);
}

// The start of every event.
std::string event_at(std::int64_t step) {
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  std::string out;
  put_key(out, 1, kFixed64);
  put_fixed(out, std::bit_cast<std::uint64_t>(now.count()));
  put_key(out, 2, kVarint);
  put_varint(out, static_cast<std::uint64_t>(step));
  return out;
}

std::string host_name() {
  std::array<char, 256> buffer{};
  if (gethostname(buffer.data(), buffer.size() - 1) != 0 || buffer[0] == '\0') return "localhost";
  std::string name(buffer.data());
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.') c = '_';
  }
  return name;
}

}  // namespace

TensorboardWriter::TensorboardWriter(const fs::path& folder,
                                     std::optional<std::int64_t> resumed_step) {
  open(folder);
  std::string version = event_at(0);
  put_bytes(version, 3, "brain.Event:2");
  write_record(version);
  if (resumed_step) {
    std::string status;
    put_key(status, 1, kVarint);
    put_varint(status, 1);
    std::string start = event_at(*resumed_step + 1);
    put_bytes(start, 7, status);
    write_record(start);
  }
}

void TensorboardWriter::open(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw SystemError(fmt::format("'{}': {}", folder.string(), error.message()));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(
                           std::chrono::system_clock::now().time_since_epoch())
                           .count();
  const std::string name = fmt::format("events.out.tfevents.{:010}.{}", seconds, host_name());
  // "x": a file of the same second belongs to a run before this one and is kept.
  for (int attempt = 0; attempt < 1000 && !file_; ++attempt) {
    path_ = folder / (attempt == 0 ? name : fmt::format("{}.{}", name, attempt));
    std::FILE* opened = std::fopen(path_.c_str(), "wbx");
    if (opened == nullptr && errno != EEXIST) break;
    file_.reset(opened);
  }
  if (!file_) {
    throw SystemError(
        fmt::format("'{}': cannot be made: {}", path_.string(), std::strerror(errno)));
  }
}

void TensorboardWriter::write_record(std::string_view event) {
  std::string record;
  put_fixed(record, static_cast<std::uint64_t>(event.size()));
  put_fixed(record, mask_crc32c(crc32c(std::string_view(record))));
  record.append(event);
  put_fixed(record, mask_crc32c(crc32c(event)));
  if (std::fwrite(record.data(), 1, record.size(), file_.get()) != record.size() ||
      std::fflush(file_.get()) != 0) {
    throw SystemError(
        fmt::format("'{}': cannot be written: {}", path_.string(), std::strerror(errno)));
  }
}

void TensorboardWriter::add_scalars(std::int64_t step, std::span<const Scalar> scalars) {
  std::string summary;
  for (const Scalar& scalar : scalars) {
    std::string value;
    put_bytes(value, 1, scalar.tag);
    put_key(value, 2, kFixed32);
    put_fixed(value, std::bit_cast<std::uint32_t>(static_cast<float>(scalar.value)));
    put_bytes(summary, 1, value);
  }
  std::string event = event_at(step);
  put_bytes(event, 5, summary);
  write_record(event);
}

void TensorboardWriter::add_scalar(std::string_view tag, double value, std::int64_t step) {
  const Scalar scalar{tag, value};
  add_scalars(step, {&scalar, 1});
}

}  // namespace tbn
