// Point clouds as text, one point per line: ModelNet40 and ShapeNet-part with normals.
#include <cmath>

#include "data/points/points.h"
#include "data/points/text_clouds.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

// Points (i, 0, 0) with the normal (0, 1, i).
std::string cloud_text(int points, const std::string& between, const std::string& last = "") {
  std::string text;
  for (int i = 0; i < points; ++i) {
    const std::string number = std::to_string(i);
    for (const std::string& word : {number + ".000000", std::string("0.0"), std::string("-0"),
                                    std::string("0"), std::string("1.0e0")}) {
      text += word + between;
    }
    text += number + last + "\n";
  }
  return text;
}

struct Sample {
  std::vector<float> values;
  std::vector<std::int64_t> labels;
  bool whole = false;
};

Sample read_sample(const Dataset& set, std::int64_t index, const ReadContext& context = {}) {
  Sample out;
  out.values.resize(static_cast<std::size_t>(element_count(set.spec().input)), -99);
  out.labels.resize(static_cast<std::size_t>(set.spec().labels()), -99);
  out.whole = set.read(index, context, {.values = out.values.data(), .labels = out.labels.data()});
  return out;
}

void write_modelnet(const TempDir& dir) {
  write_file(dir / "modelnet40_train.txt", "airplane_0001\r\nnight_stand_0012\n\n");
  write_file(dir / "modelnet40_test.txt", "xbox_0003\n");
  write_file(dir / "airplane/airplane_0001.txt", cloud_text(30, ","));
  write_file(dir / "night_stand/night_stand_0012.txt", cloud_text(18, ", "));
  write_file(dir / "xbox/xbox_0003.txt", cloud_text(20, ","));
}

void write_shapenet(const TempDir& dir) {
  write_file(dir / "synsetoffset2category.txt", "Mug\t03797390\nAirplane\t02691156\n");
  const auto list = [&](const std::string& split, const std::string& entries) {
    write_file(dir / ("train_test_split/shuffled_" + split + "_file_list.json"),
               "[" + entries + "]");
  };
  list("train", "\"shape_data/02691156/1a04\", \"shape_data/03797390/b7\"");
  list("val", "\"shape_data/02691156/1a04\"");
  list("test", "\"shape_data/03797390/b7\"");
  write_file(dir / "02691156/1a04.txt", cloud_text(50, " ", " 3.000000"));
  write_file(dir / "03797390/b7.txt", cloud_text(17, " ", " 37.000000"));
}

DataOptions twenty_points() {
  DataOptions options;
  options.points.count = 20;
  return options;
}

}  // namespace

TEST_CASE("ModelNet40 text files are found by their ids and read by their classes") {
  const TempDir dir;
  write_modelnet(dir);
  DataOptions options = twenty_points();
  options.points.normals = true;
  const DataSplits splits = modelnet40_reader().open(dir.path(), options, {});
  REQUIRE(splits.train->size() == 2);
  REQUIRE(splits.test->size() == 1);
  const Sample airplane = read_sample(*splits.train, 0);
  CHECK(airplane.labels.front() == 0);
  // The first 20 of 30 points; the middle of all that were read is 14.5.
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(airplane.values[6 * i] == Approx((static_cast<double>(i) - 14.5) / 14.5).margin(1e-6));
    CHECK(airplane.values[6 * i + 4] == 1);
    CHECK(airplane.values[6 * i + 5] == static_cast<float>(i));
  }
  const Sample stand = read_sample(*splits.train, 1);
  CHECK(stand.labels.front() == 23);
  CHECK(stand.values[6 * 17 + 5] == 17);  // all 18 points come first, then two of them again
  CHECK(stand.values[6 * 18 + 5] <= 17);
  CHECK(read_sample(*splits.test, 0).labels.front() == 39);
}

TEST_CASE("a bad line of a cloud is named with its file and number") {
  const TempDir dir;
  write_modelnet(dir);
  const auto path = dir / "xbox/xbox_0003.txt";
  const auto test = modelnet40_reader().open(dir.path(), twenty_points(), {.train = false}).test;
  const auto error = [&](const std::string& text) {
    write_file(path, text);
    return message_of<DataError>([&] { read_sample(*test, 0); });
  };
  const std::string where = "'" + path.string() + "': ";
  const std::string good = cloud_text(19, ",");
  CHECK(error(good + "1,2,3,4,5\n") == where + "line 20: 5 numbers; a point of this set has 6");
  CHECK(error("1,2,3,4,5,6,7,8,9\n" + good) ==
        where + "line 1: 9 numbers; a point of this set has 6");
  CHECK(error(good + "\n1,2,nan,4,5,6\n") == where + "line 21: 'nan' is no finite number");
  CHECK(error(good + "1,2,-inf,4,5,6\n") == where + "line 20: '-inf' is no finite number");
  CHECK(error(good + "1,2,1e39,4,5,6\n") == where + "line 20: '1e39' is no finite number");
  CHECK(error(good + "1,2,,4,5,6\n") == where + "line 20: '' is no number");
  CHECK(error(good + "1,2,3m,4,5,6\n") == where + "line 20: '3m' is no number");
  CHECK(error(std::string("\x1f\x8b") + "x") == where + "is compressed; unpack it first");
  CHECK(error(cloud_text(15, ",")) == where + "15 points; a cloud needs at least 16");
  CHECK(error("") == where + "0 points; a cloud needs at least 16");
  std::filesystem::remove(path);
  CHECK(message_of<DataError>([&] { read_sample(*test, 0); }) == where + "the file does not exist");
}

TEST_CASE("an id that is no name of a file is refused") {
  const TempDir dir;
  write_modelnet(dir);
  for (const std::string id :
       {"spaceship_0001", "airplane/../x_0001", "airplane", "../airplane_1"}) {
    write_file(dir / "modelnet40_test.txt", id + "\n");
    CHECK(message_of<DataError>([&] {
            modelnet40_reader().open(dir.path(), twenty_points(), {.train = false});
          }) == "'" + (dir / "modelnet40_test.txt").string() + "': '" + id +
                    "' is no id of a ModelNet40 class, such as airplane_0001");
  }
  CHECK(plain_name("1a04e3-b_7.x"));
  for (const char* name : {"", "..", ".x", "a/b", "a b", "a\\b"}) CHECK_FALSE(plain_name(name));
}

TEST_CASE("ShapeNet-part text files come in three splits with parts of their category") {
  const TempDir dir;
  write_shapenet(dir);
  const DataSplits splits = shapenet_part_reader().open(dir.path(), twenty_points(), {});
  REQUIRE(splits.train->size() == 2);
  REQUIRE(splits.validation->size() == 1);
  REQUIRE(splits.test->size() == 1);
  const Sample airplane = read_sample(*splits.train, 0);
  CHECK(airplane.labels == std::vector<std::int64_t>(20, 3));
  CHECK(airplane.values[3] == 1);
  // 17 points, of which three come again: the same three each time in evaluation.
  const Sample mug = read_sample(*splits.test, 0);
  CHECK(mug.labels == std::vector<std::int64_t>(20, 37));
  CHECK(mug.values[3 + 11] == 1);
  CHECK(read_sample(*splits.test, 0, {.seed = 9, .epoch = 4}).values == mug.values);
}

TEST_CASE("a label of another category, or no label, is named with its line") {
  const TempDir dir;
  write_shapenet(dir);
  const auto test = shapenet_part_reader().open(dir.path(), twenty_points(), {.train = false}).test;
  const auto path = dir / "03797390/b7.txt";
  const std::string where = "'" + path.string() + "': ";
  const auto error = [&](const std::string& text) {
    write_file(path, text);
    return message_of<DataError>([&] { read_sample(*test, 0); });
  };
  const std::string good = cloud_text(17, " ", " 36");
  CHECK(error(good + "1 2 3 4 5 6 38\n") ==
        where + "line 18: label 38 is out of range; a Mug has the labels 36 to 37");
  CHECK(error(good + "1 2 3 4 5 6 36.5\n") ==
        where + "line 18: label 36.5 is out of range; a Mug has the labels 36 to 37");
  CHECK(error(good + "1 2 3 4 5 6\n") == where + "line 18: 6 numbers; a point of this set has 7");
}

TEST_CASE("ShapeNet-part lists are checked before anything is opened") {
  const TempDir dir;
  write_shapenet(dir);
  const auto list = dir / "train_test_split/shuffled_test_file_list.json";
  const auto error = [&](const std::string& text) {
    write_file(list, text);
    return message_of<DataError>(
        [&] { shapenet_part_reader().open(dir.path(), twenty_points(), {.train = false}); });
  };
  const std::string where = "'" + list.string() + "': ";
  for (const std::string entry : {"shape_data/03797390/..", "b7", "shape_data/99/b7", ""}) {
    CHECK(error("[\"" + entry + "\"]") ==
          where + "'" + entry + "' is no entry such as shape_data/<folder of a category>/<id>");
  }
  CHECK(error("[]") == where + "lists no clouds");
  CHECK_THAT(error("[1]"), StartsWith(where) || ContainsSubstring("expected a string"));
  CHECK_THAT(error("[\"shape"), StartsWith(where));
  write_file(dir / "synsetoffset2category.txt", "Boat 123\n");
  CHECK(error("[]") == "'" + (dir / "synsetoffset2category.txt").string() +
                           "': 'Boat 123' is no line such as 'Airplane 02691156' with one of the "
                           "16 categories");
}

TEST_CASE("a damaged text cloud is skipped where data.on_error says so") {
  const TempDir dir;
  write_modelnet(dir);
  write_file(dir / "airplane/airplane_0001.txt", "1,2\n");
  DataOptions options = twenty_points();
  options.on_error = OnError::kSkip;
  options.skip_most = 0.5;
  const auto train = modelnet40_reader().open(dir.path(), options, {.test = false}).train;
  CHECK_FALSE(read_sample(*train, 0).whole);
  CHECK(read_sample(*train, 1).whole);
  CHECK(says(train->skips().reasons.at(0), {"airplane_0001.txt"}));
}
