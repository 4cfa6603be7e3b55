// The C interface to a file's rule: names, and inputs as the C++ interface makes them.
#include <array>
#include <string>
#include <vector>

#include "support/bytes.h"
#include "support/catch.h"
#include "support/random_model.h"
#include "tbn/file.h"
#include "tbn/prepare.h"
#include "tbn/tbn_c.h"

using namespace tbn;

namespace {

// A network of these shapes whose file carries `rule`, from C and from C++.
struct Both {
  tbn_network* c = nullptr;
  std::shared_ptr<const Network> cpp;

  Both(Shape input, std::int64_t outputs, const Rule& rule) {
    GraphBuilder b("net");
    const Model model =
        test::random_packed(b.finish(b.input(std::move(input)).flatten().linear(outputs)), 1);
    const std::vector<std::byte> bytes = serialize_packed({.graph_json = to_json(model.graph),
                                                           .tensors = model.tensors,
                                                           .metadata = metadata_of(rule)});
    cpp = Network::parse(bytes, "t");
    REQUIRE(tbn_network_parse(bytes.data(), bytes.size(), &c) == TBN_OK);
  }
  ~Both() { tbn_network_free(c); }
  Both(const Both&) = delete;
  Both& operator=(const Both&) = delete;
};

std::string name_at(const tbn_network* network, std::size_t index,
                    tbn_status (*get)(const tbn_network*, std::size_t, const char**)) {
  const char* name = "before";
  REQUIRE(get(network, index, &name) == TBN_OK);
  return name == nullptr ? "(none)" : name;
}

}  // namespace

TEST_CASE("C: names of classes and columns, and none past the last") {
  const Both pets({3, 4, 4}, 2,
                  {.input = InputRule{.kind = "image", .steps = {ResizeStep{5}, CropStep{}}},
                   .output = OutputRule{.kind = "class", .classes = {"cat", "d\xc3\xb6g"}}});
  CHECK(name_at(pets.c, 0, tbn_network_class_name) == "cat");
  CHECK(name_at(pets.c, 1, tbn_network_class_name) == "d\xc3\xb6g");
  CHECK(name_at(pets.c, 2, tbn_network_class_name) == "(none)");
  CHECK(name_at(pets.c, 0, tbn_network_column_name) == "(none)");
  CHECK(tbn_network_class_name(pets.c, 0, nullptr) == TBN_ERROR_ARGUMENT);
  const char* name = "before";
  CHECK(tbn_network_class_name(nullptr, 0, &name) == TBN_ERROR_ARGUMENT);
  CHECK(name == nullptr);

  std::vector<std::uint8_t> pixels(9 * 7 * 3);
  for (std::size_t i = 0; i < pixels.size(); ++i) pixels[i] = static_cast<std::uint8_t>(i * 5);
  std::vector<std::uint8_t> ours(48), theirs(48);
  prepare_image(*pets.cpp, {.pixels = pixels.data(), .height = 9, .width = 7}, ours);
  CHECK(tbn_prepare_image(pets.c, pixels.data(), pixels.size(), 9, 7, 3, 1, 0, theirs.data(), 48) ==
        TBN_OK);
  CHECK(ours == theirs);
  for (const auto& [size, height, width, channels] : {std::array<std::int64_t, 4>{189, 7, 7, 3},
                                                      {189, -9, 7, 3},
                                                      {189, 9, 7, 0},
                                                      {0, 0, 0, 3},
                                                      {189, std::int64_t{1} << 62, 7, 3},
                                                      {189, 9, std::int64_t{1} << 62, 3}}) {
    CHECK(tbn_prepare_image(pets.c, pixels.data(), static_cast<std::size_t>(size), height, width,
                            static_cast<int>(channels), 1, 0, theirs.data(),
                            48) == TBN_ERROR_ARGUMENT);
  }
  CHECK(tbn_prepare_image(pets.c, nullptr, 189, 9, 7, 3, 1, 0, theirs.data(), 48) ==
        TBN_ERROR_ARGUMENT);
  CHECK(tbn_prepare_image(pets.c, pixels.data(), 189, 9, 7, 3, 1, 0, theirs.data(), 47) ==
        TBN_ERROR_ARGUMENT);
}

TEST_CASE("C: points and rows are prepared as in C++") {
  const Both points({16, 3}, 2,
                    {.input = InputRule{.kind = "points",
                                        .steps = {CentreStep{}, ScaleStep{}, ChooseStep{true}},
                                        .columns = {"x", "y", "z"}}});
  std::vector<float> cloud(60);
  for (std::size_t i = 0; i < cloud.size(); ++i) cloud[i] = static_cast<float>(i * i % 17);
  std::vector<float> ours(48), theirs(48);
  std::vector<std::int64_t> chosen(16);
  const auto expected = prepare_points(*points.cpp, cloud, 0, ours);
  CHECK(tbn_prepare_points(points.c, cloud.data(), 60, 0, theirs.data(), 48, chosen.data(), 16) ==
        TBN_OK);
  CHECK(ours == theirs);
  CHECK(chosen == expected);
  CHECK(tbn_prepare_points(points.c, cloud.data(), 60, 0, theirs.data(), 48, nullptr, 0) == TBN_OK);
  CHECK(tbn_prepare_points(points.c, cloud.data(), 60, 0, theirs.data(), 48, chosen.data(), 15) ==
        TBN_ERROR_ARGUMENT);
  CHECK(tbn_prepare_points(points.c, cloud.data(), 59, 0, theirs.data(), 48, nullptr, 0) ==
        TBN_ERROR_ARGUMENT);

  const Both series(
      {2, 2}, 2,
      {.input = InputRule{
           .kind = "series", .steps = {StandardiseStep{{0, 0}, {1, 1}}}, .columns = {"a", "b"}}});
  const std::vector<double> rows = {1, 2, 3, 4};
  const std::array<const char*, 2> names = {"b", "a"};
  std::vector<float> input(4);
  CHECK(tbn_prepare_rows(series.c, rows.data(), 4, names.data(), 2, input.data(), 4) == TBN_OK);
  CHECK(input == std::vector<float>{2, 1, 4, 3});
  CHECK(tbn_prepare_rows(series.c, rows.data(), 4, nullptr, 0, input.data(), 4) == TBN_OK);
  CHECK(input == std::vector<float>{1, 2, 3, 4});
  const std::array<const char*, 2> missing = {"b", nullptr};
  CHECK(tbn_prepare_rows(series.c, rows.data(), 4, missing.data(), 2, input.data(), 4) ==
        TBN_ERROR_ARGUMENT);
}
