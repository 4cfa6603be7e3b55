// Event files, read back by a decoder of the test's own: framing, checksums and protobuf fields.
#include <bit>
#include <chrono>
#include <cmath>
#include <limits>
#include <map>
#include <stdexcept>

#include "log/tensorboard.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

// CRC-32C bit by bit, from its polynomial, masked as TFRecord does.
std::uint32_t masked_crc(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<std::uint8_t>(c);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82f63b78U : 0U);
  }
  crc = ~crc;
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t out = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) out = out << 8 | static_cast<std::uint8_t>(bytes[i]);
  return out;
}

// A protobuf message: each field's values, numbers as integers, bytes as they are.
struct Message {
  std::multimap<std::uint64_t, std::uint64_t> numbers;
  std::multimap<std::uint64_t, std::string> bytes;

  explicit Message(std::string_view in) {
    const auto varint = [&] {
      std::uint64_t out = 0;
      for (int shift = 0;; shift += 7) {
        const auto byte = static_cast<std::uint8_t>(take(in, 1)[0]);
        out |= std::uint64_t{byte & 0x7fU} << shift;
        if (byte < 0x80) return out;
      }
    };
    while (!in.empty()) {
      const std::uint64_t key = varint();
      switch (key & 7) {
        case 0:
          numbers.emplace(key >> 3, varint());
          break;
        case 1:
          numbers.emplace(key >> 3, little_endian(take(in, 8)));
          break;
        case 2:
          bytes.emplace(key >> 3, take(in, varint()));
          break;
        case 5:
          numbers.emplace(key >> 3, little_endian(take(in, 4)));
          break;
        default:
          throw std::runtime_error("unknown wire type");
      }
    }
  }

  static std::string take(std::string_view& in, std::size_t count) {
    if (in.size() < count) throw std::runtime_error("message too short");
    std::string out(in.substr(0, count));
    in.remove_prefix(count);
    return out;
  }
};

std::vector<Message> read_events(const std::filesystem::path& path) {
  const std::string file = read_file(path);
  std::string_view rest = file;
  std::vector<Message> out;
  while (!rest.empty()) {
    const std::string length = Message::take(rest, 8);
    CHECK(little_endian(Message::take(rest, 4)) == masked_crc(length));
    const std::string data = Message::take(rest, little_endian(length));
    CHECK(little_endian(Message::take(rest, 4)) == masked_crc(data));
    out.emplace_back(data);
  }
  return out;
}

float scalar_of(const Message& event, const std::string& tag) {
  const Message summary(event.bytes.find(5)->second);
  for (const auto& [field, bytes] : summary.bytes) {
    const Message value(bytes);
    if (field == 1 && value.bytes.find(1)->second == tag) {
      return std::bit_cast<float>(static_cast<std::uint32_t>(value.numbers.find(2)->second));
    }
  }
  throw std::runtime_error("no scalar " + tag);
}

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace

TEST_CASE("an event file begins with its version and holds each scalar with step and time") {
  const TempDir dir;
  const double before = seconds_now();
  TensorboardWriter writer(dir / "events");
  writer.add_scalar("train/loss", 0.75, 0);
  const Scalar both[] = {{"train/loss", -1.5}, {"test/accuracy", 91.25}};
  writer.add_scalars(3'000'000'000, both);
  writer.add_scalar("nan", std::numeric_limits<double>::quiet_NaN(), 300);

  // Readable while the writer is still open.
  const auto events = read_events(writer.file());
  REQUIRE(events.size() == 4);
  CHECK(events[0].bytes.find(3)->second == "brain.Event:2");
  for (const auto& event : events) {
    const auto time = std::bit_cast<double>(event.numbers.find(1)->second);
    CHECK(time >= before);
    CHECK(time <= seconds_now());
  }
  CHECK(events[1].numbers.find(2)->second == 0);
  CHECK(scalar_of(events[1], "train/loss") == 0.75F);
  CHECK(events[2].numbers.find(2)->second == 3'000'000'000);
  CHECK(scalar_of(events[2], "train/loss") == -1.5F);
  CHECK(scalar_of(events[2], "test/accuracy") == 91.25F);
  CHECK(std::isnan(scalar_of(events[3], "nan")));
}

TEST_CASE("an event file's name has the time and never replaces an older file") {
  const TempDir dir;
  TensorboardWriter first(dir.path());
  TensorboardWriter second(dir.path());
  first.add_scalar("a", 1, 1);
  CHECK(first.file() != second.file());
  CHECK(read_events(first.file()).size() == 2);
  CHECK(read_events(second.file()).size() == 1);
  const std::string name = first.file().filename().string();
  REQUIRE(name.starts_with("events.out.tfevents."));
  const double seconds = std::stod(name.substr(20, 10));
  CHECK(std::abs(seconds - seconds_now()) < 60);
  CHECK(name[30] == '.');
  CHECK(name.size() > 31);
}

TEST_CASE("a resumed run's event file starts with a session that voids later steps") {
  const TempDir dir;
  TensorboardWriter writer(dir.path(), 120);
  const auto events = read_events(writer.file());
  REQUIRE(events.size() == 2);
  CHECK(events[1].numbers.find(2)->second == 121);
  const Message session(events[1].bytes.find(7)->second);
  CHECK(session.numbers.find(1)->second == 1);
}

TEST_CASE("an event folder that cannot be made is a system error with its name") {
  const TempDir dir;
  write_file(dir / "file", "x");
  const std::string error = message_of<SystemError>([&] { TensorboardWriter(dir / "file"); });
  CHECK(error.starts_with("'" + (dir / "file").string() + "': "));
}
