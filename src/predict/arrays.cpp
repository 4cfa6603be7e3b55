// Shapes decide; values are checked, since an array of the right shape in other units is an answer
// to another question.
#include "predict/arrays.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "data/points/text_clouds.h"
#include "predict/clouds.h"
#include "predict/pictures.h"
#include "predict/tables.h"
#include "prepare/kind.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// Where one input lies in an array, and how many there are.
struct Places {
  std::int64_t count = 0;  // of inputs; 0: the shape does not fit
  bool alone = false;      // without a dimension in front
  Shape each;              // the shape of one
};

// The array as one input of `rank` dimensions, or as many of them, where `fits` says that of one.
template <class Fits>
Places places_of(const Shape& shape, std::size_t rank, const Fits& fits) {
  if (shape.size() == rank && fits(shape)) return {.count = 1, .alone = true, .each = shape};
  if (shape.size() != rank + 1) return {};
  const Shape each(shape.begin() + 1, shape.end());
  if (!fits(each)) return {};
  return {.count = shape.front(), .alone = false, .each = each};
}

[[noreturn]] void refuse(const NpyArray& array, const std::string& name, const std::string& takes) {
  throw DataError(fmt::format("'{}': its shape is {}, and the network takes {}", name,
                              to_string(array.shape()), takes));
}

void check_finite(std::span<const double> values) {
  for (const double value : values) {
    if (std::abs(value) <= std::numeric_limits<float>::max()) continue;
    throw DataError(fmt::format("holds {}, which is no finite number of single precision", value));
  }
}

// Pixels lie in 0 .. 255. Values of 0 .. 1 are what other libraries make of them, and would all be
// black.
void check_pixels(std::span<const double> values) {
  double most = 0;
  for (const double value : values) {
    if (!(value >= 0 && value <= 255)) {
      throw DataError(fmt::format(
          "holds {}; pixels are 0 to 255, and the network normalises them itself", value));
    }
    most = std::max(most, value);
  }
  if (most > 0 && most <= 1) {
    throw DataError("holds pixels of 0 to 1; the network takes 0 to 255: multiply them by 255");
  }
}

// Takes each input of `places` as `make` makes it of its values; what it throws is the input's
// error.
template <class Make>
void take_each(const NpyArray& array, const std::string& name, const Places& places, TakeInput take,
               const Make& make) {
  const std::int64_t each = element_count(places.each);
  std::vector<double> values(static_cast<std::size_t>(each));
  for (std::int64_t i = 0; i < places.count; ++i) {
    const std::string own = places.alone ? name : fmt::format("{}[{}]", name, i);
    array.read(i * each, values);
    try {
      check_finite(values);
    } catch (const DataError& error) {
      take({.name = own, .error = fmt::format("'{}': {}", own, error.what())});
      continue;
    }
    PredictionInput input;
    const auto fail = [&](const std::string& sentence) {
      const std::string begin = "'" + own + "': ";
      input.error = sentence.starts_with(begin) ? sentence : begin + sentence;
    };
    try {
      input = make(values, own);
    } catch (const ConfigError& error) {
      fail(error.what());
    } catch (const DataError& error) {
      fail(error.what());
    }
    input.name = own;
    take(std::move(input));
  }
}

std::vector<float> as_floats(std::span<const double> values) {
  std::vector<float> floats(values.size());
  std::ranges::transform(values, floats.begin(), [](double v) { return static_cast<float>(v); });
  return floats;
}

// [H, W, C] as [C, H, W].
std::vector<float> channels_first(std::span<const double> values, const Shape& shape) {
  const auto channels = static_cast<std::size_t>(shape[0]);
  std::vector<float> out(values.size());
  const std::size_t plane = values.size() / channels;
  for (std::size_t i = 0; i < values.size(); ++i) {
    out[i % channels * plane + i / channels] = static_cast<float>(values[i]);
  }
  return out;
}

// Arrays of the network's own shape.
bool take_as_is(const NpyArray& array, const std::string& name, const NetworkForm& form,
                bool pixels, TakeInput take) {
  const auto as_is = [&](const Shape& shape) { return shape == form.input; };
  Places places = places_of(array.shape(), form.input.size(), as_is);
  bool channels_last = false;
  if (places.count == 0 && pixels && form.input.size() == 3) {
    const Shape& own = form.input;
    if (own[0] == 1) {
      const auto plane = [&](const Shape& shape) { return shape == Shape{own[1], own[2]}; };
      places = places_of(array.shape(), 2, plane);
    }
    if (places.count == 0) {
      const auto last = [&](const Shape& shape) { return shape == Shape{own[1], own[2], own[0]}; };
      places = places_of(array.shape(), 3, last);
      channels_last = places.count > 0;
    }
    if (places.count == 0) {  // as tables of pixels are kept
      const auto row = [&](const Shape& shape) { return shape == Shape{element_count(own)}; };
      places = places_of(array.shape(), 1, row);
    }
  }
  if (places.count == 0) return false;
  take_each(array, name, places, take, [&](std::span<const double> values, const std::string&) {
    if (pixels) check_pixels(values);
    return PredictionInput{.values = channels_last ? channels_first(values, form.input)
                                                   : as_floats(values)};
  });
  return true;
}

void take_pictures(const NpyArray& array, const std::string& name, const NetworkForm& form,
                   TakeInput take) {
  if (take_as_is(array, name, form, true, take)) return;
  const auto colours = [](const Shape& shape) {
    return shape[0] > 0 && shape[1] > 0 && shape[2] == 3;
  };
  Places places;
  if (array.is_bytes()) places = places_of(array.shape(), 3, colours);
  if (places.count == 0) {
    refuse(
        array, name,
        to_string(form.input) + " of 0 to 255, or pictures of unsigned bytes [height, width, 3]");
  }
  take_each(array, name, places, take, [&](std::span<const double> values, const std::string&) {
    check_pixels(values);
    std::vector<std::uint8_t> pixels(values.size());
    std::ranges::transform(values, pixels.begin(),
                           [](double v) { return static_cast<std::uint8_t>(v); });
    return PredictionInput{.values = pixel_values(pixels, places.each[0], places.each[1], 3, form)};
  });
}

void take_clouds(const NpyArray& array, const std::string& name, const NetworkForm& form,
                 TakeInput take) {
  const std::int64_t columns = point_columns(form.rule, form.input);
  const auto fits = [&](const Shape& shape) {
    return shape[0] > 0 && has_columns(shape[1], columns);
  };
  const Places places = places_of(array.shape(), 2, fits);
  if (places.count == 0) refuse(array, name, fmt::format("[points, {}]", columns));
  take_each(array, name, places, take, [&](std::span<const double> values, const std::string& own) {
    std::vector<float> points;
    for (std::size_t at = 0; at < values.size(); at += static_cast<std::size_t>(places.each[1])) {
      for (const double value : values.subspan(at, static_cast<std::size_t>(columns))) {
        points.push_back(static_cast<float>(value));
      }
    }
    return cloud_input(points, own, form);
  });
}

void take_rows(const NpyArray& array, const std::string& name, const NetworkForm& form,
               TakeInput take) {
  const auto fits = [&](const Shape& shape) {
    return shape[0] >= form.input[0] && shape[1] == form.input[1];
  };
  const Places places = places_of(array.shape(), 2, fits);
  if (places.count == 0) {
    refuse(array, name, fmt::format("[{} rows or more, {}]", form.input[0], form.input[1]));
  }
  take_each(array, name, places, take, [&](std::span<const double> values, const std::string& own) {
    return rows_input(values, own, form);
  });
}

}  // namespace

void take_array(const NpyArray& array, const std::string& name, const NetworkForm& form,
                TakeInput take) {
  if (element_count(array.shape()) == 0) {
    throw DataError(
        fmt::format("'{}': holds nothing, its shape is {}", name, to_string(array.shape())));
  }
  const std::string kind = input_kind(form);
  if (kind == "image") return take_pictures(array, name, form, take);
  if (kind == "points") return take_clouds(array, name, form, take);
  if (kind == "series") return take_rows(array, name, form, take);
  if (!take_as_is(array, name, form, false, take)) refuse(array, name, to_string(form.input));
}

}  // namespace tbn
