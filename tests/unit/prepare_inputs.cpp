// Inputs made by a rule: against the definition of each step, and what does not fit refused.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "prepare/inputs.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

Rule image_rule(std::vector<InputStep> steps) {
  return {.input = InputRule{.kind = "image", .steps = std::move(steps)}};
}

std::vector<std::uint8_t> numbered(std::int64_t count) {
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(count));
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(i * 7 + i / 5);
  return bytes;
}

std::vector<std::uint8_t> prepared(const Rule& rule, const Shape& shape, const Picture& picture) {
  std::vector<std::uint8_t> input(static_cast<std::size_t>(element_count(shape)));
  prepare_image(rule, shape, picture, input);
  return input;
}

Rule point_rule(bool drawn, std::vector<LabelRange> categories = {}) {
  Rule rule{.input = InputRule{.kind = "points",
                               .steps = {CentreStep{}, ScaleStep{}, ChooseStep{drawn}},
                               .columns = {"x", "y", "z"}},
            .output = OutputRule{.kind = "point_class", .categories = std::move(categories)}};
  return rule;
}

}  // namespace

TEST_CASE("a picture of the network's size is taken channel after channel") {
  const auto pixels = numbered(2 * 3 * 3);
  const auto input =
      prepared(image_rule({}), {3, 2, 3}, {.pixels = pixels.data(), .height = 2, .width = 3});
  for (std::size_t i = 0; i < 18; ++i) CHECK(input[i] == pixels[i % 6 * 3 + i / 6]);
  // Grey pictures are three equal channels.
  const auto grey = prepared(image_rule({}), {3, 2, 3},
                             {.pixels = pixels.data(), .height = 2, .width = 3, .channels = 1});
  for (std::size_t i = 0; i < 18; ++i) CHECK(grey[i] == pixels[i % 6]);
  const auto one = prepared(image_rule({}), {1, 2, 3},
                            {.pixels = pixels.data(), .height = 2, .width = 3, .channels = 1});
  CHECK(std::equal(one.begin(), one.end(), pixels.begin()));
}

TEST_CASE("a rule turns pictures as EXIF says, and without the step they stay as stored") {
  // A picture of 2 rows and 3 columns, a b c / d e f, in each of the eight orientations upright.
  const std::string stored = "abcdef";
  const std::array<std::string, 8> turned = {"abcdef", "cbafed", "fedcba", "defabc",
                                             "adbecf", "daebfc", "fcebda", "cfbead"};
  for (int exif = 1; exif <= 8; ++exif) {
    const Picture picture{.pixels = reinterpret_cast<const std::uint8_t*>(stored.data()),
                          .height = 2,
                          .width = 3,
                          .channels = 1,
                          .exif = exif};
    const Shape shape = exif > 4 ? Shape{1, 3, 2} : Shape{1, 2, 3};
    const auto upright = prepared(image_rule({OrientStep{}}), shape, picture);
    CHECK(std::string(upright.begin(), upright.end()) ==
          turned[static_cast<std::size_t>(exif - 1)]);
    const auto as_stored = prepared(image_rule({}), {1, 2, 3}, picture);
    CHECK(std::string(as_stored.begin(), as_stored.end()) == stored);
  }
}

TEST_CASE("resize and crop: the centre of a picture of one colour beside its edges") {
  // 40 x 80 with a frame of other values; resized to 20 x 40, the middle 8 x 8 knows no frame.
  std::vector<std::uint8_t> pixels(40 * 80 * 3, 200);
  for (std::size_t i = 0; i < pixels.size(); ++i) {
    const std::size_t y = i / 240, x = i / 3 % 80;
    if (y < 8 || y >= 32 || x < 8 || x >= 72) pixels[i] = 10;
  }
  const Picture picture{.pixels = pixels.data(), .height = 40, .width = 80};
  const auto middle = prepared(image_rule({ResizeStep{20}, CropStep{}}), {3, 8, 8}, picture);
  CHECK(std::all_of(middle.begin(), middle.end(), [](std::uint8_t v) { return v == 200; }));
  const auto more = prepared(image_rule({ResizeStep{20}, CropStep{}}), {3, 20, 20}, picture);
  CHECK(more.front() == 10);
  CHECK(more[10 * 20 + 10] == 200);
}

TEST_CASE(
    "a picture that no step brings to the network's size is refused, unless it may be fitted") {
  const auto pixels = numbered(30 * 20 * 3);
  Picture picture{.pixels = pixels.data(), .height = 30, .width = 20};
  const auto complaint = [&](const Rule& rule, const Shape& shape) {
    return message_of<ConfigError>([&] { prepared(rule, shape, picture); });
  };
  CHECK(says(complaint(image_rule({}), {3, 28, 28}), {"30 x 20", "[3, 28, 28]", "fit"}));
  CHECK(says(complaint({}, {3, 28, 28}), {"does not say how"}));
  CHECK(says(complaint(image_rule({UnknownStep{"blur"}}), {3, 28, 28}), {"'blur'", "upgrade"}));
  CHECK(says(complaint(image_rule({CentreStep{}}), {3, 28, 28}), {"'centre'"}));
  CHECK(says(complaint(point_rule(false), {3, 28, 28}), {"'points'", "pictures"}));
  picture.fit = true;
  CHECK(prepared(image_rule({}), {3, 28, 28}, picture).size() == 3 * 28 * 28);
  picture.channels = 4;
  CHECK(says(complaint(image_rule({}), {3, 28, 28}), {"4 channels"}));
  picture.channels = 3;
  picture.exif = 9;
  CHECK(says(complaint(image_rule({}), {3, 28, 28}), {"EXIF", "9"}));
  picture.exif = 1;
  picture.height = std::int64_t{1} << 40;
  picture.width = std::int64_t{1} << 40;
  CHECK(says(complaint(image_rule({}), {3, 28, 28}), {"64000000"}));
  std::vector<std::uint8_t> small(5);
  CHECK_THROWS_AS(prepare_image(image_rule({}), {3, 28, 28}, picture, small), ConfigError);
}

TEST_CASE("points are moved, scaled and chosen, and told their category") {
  std::vector<float> cloud;
  for (int i = 0; i < 40; ++i) {
    cloud.insert(cloud.end(), {static_cast<float>(i), 5.0f, static_cast<float>(i % 3)});
  }
  std::vector<float> input(20 * 5);
  const Rule rule = point_rule(true, {{"a", 0, 1}, {"b", 1, 1}});
  const auto chosen = prepare_points(rule, {20, 5}, cloud, 1, input);
  REQUIRE(chosen.size() == 20);
  CHECK(std::vector<std::int64_t>(chosen).front() != 0);
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(input[i * 5 + 1] == 0);  // the mean of a constant
    CHECK((input[i * 5 + 3] == 0 && input[i * 5 + 4] == 1));
    CHECK(input[i * 5] * 19.5 == Approx(static_cast<double>(chosen[i]) - 19.5).epsilon(0.01));
  }
  CHECK_THROWS_AS(prepare_points(rule, {20, 5}, cloud, 2, input), ConfigError);
  CHECK_THROWS_AS(prepare_points(rule, {20, 5}, std::span(cloud).first(4), 0, input), ConfigError);
  std::vector<float> plain(50 * 3);
  const auto all = prepare_points(point_rule(false), {50, 3}, cloud, 7, plain);
  for (std::size_t i = 0; i < 40; ++i) CHECK(all[i] == static_cast<std::int64_t>(i));
  CHECK(std::all_of(all.begin(), all.end(), [](std::int64_t i) { return i < 40; }));
  Rule first = point_rule(false);
  first.input->steps.insert(first.input->steps.begin(), FirstStep{4});
  std::vector<float> few(20 * 3);
  for (const std::int64_t i : prepare_points(first, {20, 3}, cloud, 0, few)) CHECK(i < 4);
}

TEST_CASE("rows are taken by the names of their columns, and standardised where the rule says so") {
  const Rule rule{.input = InputRule{.kind = "series",
                                     .steps = {StandardiseStep{{10, 1000}, {2, 100}}},
                                     .columns = {"a", "b"}}};
  std::vector<float> input(4);
  const std::vector<double> by_place = {12, 900, 8, 1100};
  prepare_rows(rule, {2, 2}, by_place, {}, input);
  CHECK(input == std::vector<float>{1, -1, -1, 1});
  const std::vector<double> others = {900, 5, 12, 1100, 5, 8};
  const std::vector<std::string> names = {"b", "other", "a"};
  prepare_rows(rule, {2, 2}, others, names, input);
  CHECK(input == std::vector<float>{1, -1, -1, 1});
  const auto complaint = [&](std::vector<std::string> columns) {
    return message_of<ConfigError>([&] { prepare_rows(rule, {2, 2}, by_place, columns, input); });
  };
  CHECK(says(complaint({"a", "c"}), {"'b'", "not there"}));
  CHECK(says(complaint({"a", "b", "a"}), {"4 values", "6"}));
  Rule raw = rule;
  raw.input->steps.clear();
  raw.input->units_in_graph = true;
  prepare_rows(raw, {2, 2}, by_place, {}, input);
  CHECK(input == std::vector<float>{12, 900, 8, 1100});
}

TEST_CASE("the example's checksum tells one preparation from another") {
  const Shape shape{3, 48, 48};
  const auto of = [&](std::int64_t shorter) {
    return example_check(image_rule({ResizeStep{shorter}, CropStep{}}), shape);
  };
  REQUIRE(of(55));
  CHECK(of(55) == of(55));
  CHECK(of(55) != of(56));
  CHECK(of(48) != example_check(image_rule({OrientStep{}, ResizeStep{48}, CropStep{}}), shape));
  CHECK_FALSE(example_check(image_rule({}), shape));
  CHECK_FALSE(example_check(image_rule({UnknownStep{"blur"}, ResizeStep{55}}), shape));
  CHECK(example_check(point_rule(true), {64, 3}) != example_check(point_rule(false), {64, 3}));
}
