// What the kinds of input have in common, and the example.
#include "prepare/inputs.h"

#include <algorithm>

#include "base/counted.h"
#include "base/text.h"
#include "file/crc32c.h"
#include "prepare/kind.h"
#include "tbn/error.h"

namespace tbn {
namespace {

constexpr std::int64_t kExampleRows = 97;
constexpr std::int64_t kExampleColumns = 61;

// Knuth's MMIX generator; its top byte is random enough.
class ExampleBytes {
 public:
  std::uint8_t next() {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<std::uint8_t>(state_ >> 56);
  }

 private:
  std::uint64_t state_ = 1;
};

std::uint32_t check_of_image(const Rule& rule, const Shape& shape) {
  const auto channels = static_cast<int>(shape[0]);
  ExampleBytes bytes;
  std::vector<std::uint8_t> pixels(
      static_cast<std::size_t>(kExampleRows * kExampleColumns * channels));
  for (std::uint8_t& pixel : pixels) pixel = bytes.next();
  std::vector<std::uint8_t> input(static_cast<std::size_t>(element_count(shape)));
  prepare_image(rule, shape,
                {.pixels = pixels.data(),
                 .height = kExampleRows,
                 .width = kExampleColumns,
                 .channels = channels,
                 .exif = 6},
                input);
  return crc32c(std::as_bytes(std::span(input)));
}

std::uint32_t check_of_points(const Rule& rule, const Shape& shape) {
  const std::int64_t columns = point_columns(rule, shape);
  ExampleBytes bytes;
  std::vector<float> cloud(static_cast<std::size_t>((shape[0] + shape[0] / 2) * columns));
  for (float& value : cloud) value = static_cast<float>(bytes.next()) / 128.0f - 1.0f;
  std::vector<float> input(static_cast<std::size_t>(element_count(shape)));
  prepare_points(rule, shape, cloud, 0, input);
  return crc32c(std::as_bytes(std::span(input)));
}

}  // namespace

const InputRule& input_of(const Rule& rule, std::string_view kind, std::string_view what) {
  if (!rule.input) {
    throw ConfigError("the network's file does not say how its inputs are made of " +
                      std::string(what) + "; export it again from its run with this tbn-export");
  }
  if (rule.input->kind != kind) {
    throw ConfigError("the network's inputs are made of " + in_quotes(rule.input->kind) +
                      ", not of " + std::string(what));
  }
  check_steps_known(*rule.input, "the network's rule");
  return *rule.input;
}

void check_input_size(std::size_t found, const Shape& shape) {
  const auto needed = static_cast<std::size_t>(element_count(shape));
  if (found == needed) return;
  throw ConfigError("the input has room for " + counted(static_cast<std::int64_t>(found), "value") +
                    ", and " + to_string(shape) + " are " + std::to_string(needed));
}

void refuse_step(const InputStep& step, std::string_view kind) {
  throw ConfigError("the step " + in_quotes(name_of(step)) + " is not for " + std::string(kind));
}

void check_steps_known(const InputRule& rule, const std::string& where) {
  for (const InputStep& step : rule.steps) {
    if (!std::holds_alternative<UnknownStep>(step)) continue;
    throw ConfigError(where + ": inputs are made with the step " + in_quotes(name_of(step)) +
                      ", which this tbn does not know; upgrade tbn");
  }
}

std::optional<std::uint32_t> example_check(const Rule& rule, const Shape& shape) {
  if (!rule.input || rule.input->steps.empty()) return std::nullopt;
  const auto is_unknown = [](const InputStep& step) {
    return std::holds_alternative<UnknownStep>(step);
  };
  if (std::any_of(rule.input->steps.begin(), rule.input->steps.end(), is_unknown)) {
    return std::nullopt;
  }
  // Without a resizing step the example's size may be none that the network takes.
  const auto resizes = [](const InputStep& step) {
    return std::holds_alternative<ResizeStep>(step);
  };
  const auto& steps = rule.input->steps;
  const bool resized = std::any_of(steps.begin(), steps.end(), resizes);
  if (rule.input->kind == "image" && resized) return check_of_image(rule, shape);
  if (rule.input->kind == "points") return check_of_points(rule, shape);
  return std::nullopt;
}

}  // namespace tbn
