// Sizes are checked before a graph is made of them, so that nothing large is allocated first.
#include "app/bench/shapes.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "base/shape.h"
#include "base/text.h"
#include "config/problems.h"
#include "tbn/error.h"

namespace tbn::app {
namespace {

constexpr std::int64_t kMostValues = std::int64_t{1} << 28;

std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (!whole || number < 1 || number > std::numeric_limits<std::int32_t>::max()) return {};
  return number;
}

// The numbers of a text between the separators, all of them, or nothing.
std::optional<std::vector<std::int64_t>> numbers_between(std::string_view text,
                                                         std::string_view separators) {
  std::vector<std::int64_t> numbers;
  for (const char separator : separators) {
    const std::size_t end = text.find(separator);
    const auto number = number_of(text.substr(0, end));
    if (end == std::string_view::npos || !number) return {};
    numbers.push_back(*number);
    text.remove_prefix(end + 1);
  }
  const auto last = number_of(text);
  if (!last) return {};
  numbers.push_back(*last);
  return numbers;
}

void check_size(const std::string& option, const std::string& text, const char* what,
                const Shape& shape) {
  const auto count = checked_element_count(shape);
  if (count && *count <= kMostValues) return;
  throw ConfigError(fmt::format("{}: {} of '{}' would be {}, more than the {} values allowed",
                                option, what, printable(text), to_string(shape),
                                grouped(static_cast<std::uint64_t>(kMostValues))));
}

[[noreturn]] void fail_shape(const std::string& option, const std::string& text,
                             const char* wanted) {
  throw ConfigError(fmt::format("{}: '{}' is no shape; write {}", option, printable(text), wanted));
}

}  // namespace

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (std::size_t end = 0; end != std::string_view::npos; text.remove_prefix(end + 1)) {
    end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
  }
  return parts;
}

std::vector<std::int64_t> parse_numbers(const std::string& option, const std::string& text) {
  std::vector<std::int64_t> numbers;
  for (const std::string& part : split(text, ',')) {
    const auto number = number_of(part);
    if (!number) {
      throw ConfigError(fmt::format("{}: '{}' is no whole number of at least 1 (and below 2^31)",
                                    option, printable(part)));
    }
    numbers.push_back(*number);
  }
  return numbers;
}

Graph linear_layer(std::int64_t rows, const std::string& size, std::int64_t p) {
  const auto numbers = numbers_between(size, "x");
  if (!numbers) fail_shape("--size", size, "<inputs>x<outputs>, as 4096x4096");
  const std::int64_t inputs = (*numbers)[0], outputs = (*numbers)[1];
  check_size("--size", size, "the weights", {outputs, inputs});
  check_size("--rows", size, "the input", {rows, inputs});
  check_size("--rows", size, "the output", {rows, outputs});
  GraphBuilder b(fmt::format("linear {}x{}x{}", rows, inputs, outputs));
  const Value x = b.input(rows == 1 ? Shape{inputs} : Shape{rows, inputs});
  return b.finish(x.linear(outputs, {.bias = false, .weights = tiled(p)}));
}

Graph conv_layer(const std::string& shape, std::int64_t p) {
  const auto numbers = numbers_between(shape, "xxxks");
  if (!numbers) {
    fail_shape("--conv", shape, "<C>x<H>x<W>x<outputs>k<kernel>s<stride>, as 64x32x32x64k3s1");
  }
  const auto& n = *numbers;
  const std::int64_t channels = n[0], height = n[1], width = n[2], outputs = n[3], kernel = n[4];
  check_size("--conv", shape, "the weights", {outputs, channels, kernel, kernel});
  check_size("--conv", shape, "the input", {channels, height, width});
  check_size("--conv", shape, "the output", {outputs, height, width});
  GraphBuilder b("conv " + shape);
  const Value x = b.input({channels, height, width});
  return b.finish(
      x.conv(outputs, {.kernel = kernel, .stride = n[5], .weights = tiled(p)}).named("conv"));
}

}  // namespace tbn::app
