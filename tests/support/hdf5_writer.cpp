// Writes HDF5 objects one after another: each address is known when it is referred to.
#include "support/hdf5_writer.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace tbn::test {
namespace {

constexpr std::uint64_t kUndefined = ~std::uint64_t{0};

std::string number(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i) & 255));
  return out;
}

std::string padded(std::string text, std::size_t size) {
  text.resize(std::max(size, text.size()), '\0');
  return text;
}

std::string message(std::uint64_t type, std::string body) {
  body = padded(body, (body.size() + 7) / 8 * 8);
  return number(type, 2) + number(body.size(), 2) + number(0, 4) + body;
}

std::string header(const std::vector<std::string>& messages) {
  std::string body;
  for (const auto& one : messages) body += one;
  return number(1, 2) + number(messages.size(), 2) + number(1, 4) + number(body.size(), 8) + body;
}

std::string type_body(const std::string& type) {
  const auto bytes = static_cast<std::uint64_t>(type[1] - '0');
  if (type[0] != 'f') {
    const std::uint64_t is_signed = type[0] == 'i' ? 8 : 0;
    return number(0x10, 1) + number(is_signed, 3) + number(bytes, 4) + number(0, 2) +
           number(8 * bytes, 2);
  }
  const std::uint64_t exponent = bytes == 4 ? 8 : 11;
  const std::uint64_t mantissa = 8 * bytes - exponent - 1;
  return number(0x11, 1) + number(0x20 | (8 * bytes - 1) << 8, 3) + number(bytes, 4) +
         number(0, 2) + number(8 * bytes, 2) + number(mantissa, 1) + number(exponent, 1) +
         number(0, 1) + number(mantissa, 1) + number((1U << (exponent - 1)) - 1, 4);
}

std::string dataset_header(const Hdf5Dataset& dataset, std::uint64_t values) {
  std::string space = number(1, 1) + number(dataset.shape.size(), 1) + number(0, 6);
  for (const std::int64_t side : dataset.shape)
    space += number(static_cast<std::uint64_t>(side), 8);
  return header({message(1, space), message(3, type_body(dataset.type)),
                 message(8, number(3, 1) + number(1, 1) + number(values, 8) +
                                number(dataset.bytes.size(), 8))});
}

template <class T>
void append(std::string& to, double value) {
  const T typed = static_cast<T>(value);
  char bytes[sizeof(T)];
  std::memcpy(bytes, &typed, sizeof(T));
  to.append(bytes, sizeof(T));
}

}  // namespace

Hdf5Dataset hdf5_dataset(const std::string& name, const Shape& shape, const std::string& type,
                         const std::vector<double>& values) {
  Hdf5Dataset out{name, shape, type, ""};
  for (const double value : values) {
    if (type == "f4") append<float>(out.bytes, value);
    if (type == "f8") append<double>(out.bytes, value);
    if (type == "u1") append<std::uint8_t>(out.bytes, value);
    if (type == "i8") append<std::int64_t>(out.bytes, value);
  }
  return out;
}

std::string hdf5_file(std::vector<Hdf5Dataset> datasets) {
  if (datasets.size() > 8) throw std::runtime_error("hdf5_file: at most eight datasets");
  std::sort(datasets.begin(), datasets.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  constexpr std::uint64_t kRoot = 96;
  constexpr std::uint64_t kTree = kRoot + 40;
  constexpr std::uint64_t kSymbols = kTree + 544;
  constexpr std::uint64_t kHeap = kSymbols + 328;
  constexpr std::uint64_t kNames = kHeap + 32;
  std::string names(8, '\0');
  std::string symbols = "SNOD" + number(1, 2) + number(datasets.size(), 2);
  std::string objects;
  std::uint64_t last = 0;
  std::uint64_t names_size = 8;
  for (const auto& dataset : datasets) names_size += (dataset.name.size() + 8) / 8 * 8;
  for (const auto& dataset : datasets) {
    last = names.size();
    names += padded(dataset.name, (dataset.name.size() + 8) / 8 * 8);
    const std::uint64_t at = kNames + names_size + objects.size();
    symbols += number(last, 8) + number(at, 8) + std::string(24, '\0');
    const std::uint64_t size = dataset_header(dataset, 0).size();
    objects += dataset_header(dataset, at + size) + dataset.bytes;
    objects = padded(objects, (objects.size() + 7) / 8 * 8);
  }
  const std::uint64_t end = kNames + names_size + objects.size();
  std::string file = "\x89HDF\r\n\x1a\n" + number(0, 5) + number(8, 1) + number(8, 1) +
                     number(0, 1) + number(4, 2) + number(16, 2) + number(0, 4) + number(0, 8) +
                     number(kUndefined, 8) + number(end, 8) + number(kUndefined, 8);
  file += number(0, 8) + number(kRoot, 8) + number(1, 8) + number(kTree, 8) + number(kHeap, 8);
  file += header({message(0x11, number(kTree, 8) + number(kHeap, 8))});
  file += padded("TREE" + number(0, 2) + number(1, 2) + number(kUndefined, 8) +
                     number(kUndefined, 8) + number(0, 8) + number(kSymbols, 8) + number(last, 8),
                 544);
  file += padded(symbols, 328);
  file += "HEAP" + number(0, 4) + number(names_size, 8) + number(1, 8) + number(kNames, 8);
  return file + names + objects;
}

}  // namespace tbn::test
