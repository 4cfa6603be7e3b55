// HDF5 files, those of the format's own library and damaged ones, and the point sets kept in them.
#include <cmath>
#include <map>

#include "base/counter_rng.h"
#include "data/points/hdf5_file.h"
#include "data/points/points.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/hdf5_writer.h"
#include "support/source_dir.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

const std::filesystem::path kFixtures = test::source_dir() / "tests/unit/hdf5";

std::vector<double> filled(std::size_t count, double (*value)(std::size_t)) {
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(value(i));
  return out;
}

double wave(std::size_t i) { return std::sin(static_cast<double>(i) * 0.7); }

// n clouds of 20 points; each label is the first plus the cloud's number.
std::string modelnet_file(std::int64_t n, double first_label,
                          const std::string& label_type = "u1") {
  const auto count = static_cast<std::size_t>(n);
  std::vector<double> labels;
  for (std::size_t i = 0; i < count; ++i) labels.push_back(first_label + static_cast<double>(i));
  return hdf5_file({hdf5_dataset("data", {n, 20, 3}, "f4", filled(count * 60, wave)),
                    hdf5_dataset("label", {n, 1}, label_type, labels)});
}

struct Sample {
  std::vector<float> values;
  std::vector<std::int64_t> labels;
  bool whole = false;
};

Sample read_sample(const Dataset& set, std::int64_t index, const ReadContext& context = {}) {
  const SampleSpec& spec = set.spec();
  Sample out;
  out.values.resize(static_cast<std::size_t>(element_count(spec.input)), -99);
  out.labels.resize(static_cast<std::size_t>(spec.labels()), -99);
  out.whole = set.read(index, context, {.values = out.values.data(), .labels = out.labels.data()});
  return out;
}

DataOptions twenty_points() {
  DataOptions options;
  options.points.count = 20;
  return options;
}

// Reads every dataset of the bytes; what is damaged may only be a DataError.
bool reads(const std::filesystem::path& path, const std::string& bytes) {
  write_file(path, bytes);
  try {
    const Hdf5File file(path);
    file.floats("data");
    file.bytes("label");
    file.floats("normal");
    file.bytes("pid");
    return true;
  } catch (const DataError&) {
    return false;
  }
}

}  // namespace

TEST_CASE("files that HDF5's own library wrote are read value for value") {
  for (const char* name : {"v0.h5", "v2.h5"}) {
    const Hdf5File file(kFixtures / name);
    CHECK(file.shape("data") == Shape({5, 18, 3}));
    CHECK(file.shape("label") == Shape({5, 1}));
    CHECK_FALSE(file.contains("other"));
    CHECK(file.bytes("label") == std::vector<std::uint8_t>{3, 1, 4, 1, 5});
    const auto data = file.floats("data");
    const auto normal = file.floats("normal");
    const auto pid = file.bytes("pid");
    REQUIRE(data.size() == 270);
    REQUIRE(normal.size() == 270);
    REQUIRE(pid.size() == 90);
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < 270; ++i) {
      wrong += data[i] != static_cast<float>(i) * 0.25F - 8;
      wrong += normal[i] != static_cast<float>(i % 7) / 8.0F;
      if (i % 3 == 0) wrong += pid[i / 3] != i % 50;
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("the newest form of HDF5 is refused with the way out") {
  const std::string where = "'" + (kFixtures / "latest.h5").string() + "': ";
  const Hdf5File file(kFixtures / "latest.h5");
  CHECK(message_of<DataError>([&] { file.floats("data"); }) ==
        where +
            "dataset 'data' is stored in a form that is not read; rewrite the file with "
            "`h5repack --low=0 --high=1`");
}

TEST_CASE("an HDF5 file cut short anywhere is an error") {
  const TempDir dir;
  const std::string whole = read_file(kFixtures / "v0.h5");
  REQUIRE(reads(dir / "whole.h5", whole));
  std::size_t read = 0;
  for (std::size_t size = 0; size < whole.size(); size += 37) {
    read += reads(dir / "cut.h5", whole.substr(0, size));
  }
  CHECK(read == 0);
  write_file(dir / "cut.h5", whole.substr(0, 9000));
  CHECK(message_of<DataError>([&] { Hdf5File file(dir / "cut.h5"); }) ==
        "'" + (dir / "cut.h5").string() + "': is cut short: 9000 of its " +
            std::to_string(whole.size()) + " bytes are there");
  write_file(dir / "cut.h5", "solid cube");
  CHECK(message_of<DataError>([&] { Hdf5File file(dir / "cut.h5"); }) ==
        "'" + (dir / "cut.h5").string() +
            "': is no HDF5 file: it does not start with HDF5's signature");
}

TEST_CASE("flipped bits of an HDF5 file are an error or change a value, and nothing else") {
  const TempDir dir;
  for (const char* name : {"v0.h5", "v2.h5"}) {
    const std::string whole = read_file(kFixtures / name);
    CounterRng rng(7);
    std::size_t read = 0;
    std::size_t refused = 0;
    for (std::size_t at = 0; at < whole.size(); at += 1 + at / 2048) {
      std::string damaged = whole;
      damaged[at] = static_cast<char>(damaged[at] ^ static_cast<char>(1U << rng.below(8)));
      if (rng.below(4) == 0) damaged[at] = static_cast<char>(0xff);
      (reads(dir / "flipped.h5", damaged) ? read : refused) += 1;
    }
    CHECK(read > 500);
    CHECK(refused > 500);
  }
}

TEST_CASE("an HDF5 dataset cannot claim more values than its file can hold") {
  const TempDir dir;
  const std::string whole = modelnet_file(2, 0);
  const std::string shape("\x02\0\0\0\0\0\0\0\x14\0\0\0\0\0\0\0", 16);
  const std::size_t at = whole.find(shape);
  REQUIRE(at != std::string::npos);
  for (const std::size_t byte : {std::size_t{2}, std::size_t{3}, std::size_t{4}, std::size_t{7}}) {
    std::string hostile = whole;
    hostile[at + byte] = 0x7f;
    write_file(dir / "a.h5", hostile);
    CHECK_THROWS_AS(Hdf5File(dir / "a.h5").floats("data"), DataError);
  }
  std::string large = whole;
  large[at + 4] = 1;
  write_file(dir / "a.h5", large);
  CHECK(message_of<DataError>([&] { Hdf5File(dir / "a.h5").shape("data"); }) ==
        "'" + (dir / "a.h5").string() +
            "': dataset 'data' has a dimension of 4294967298; it must be 1 to 4294967296");
}

TEST_CASE("HDF5 values of another kind are refused by name") {
  const TempDir dir;
  write_file(dir / "a.h5", hdf5_file({hdf5_dataset("f", {2}, "f4", {1, 2}),
                                      hdf5_dataset("i", {2}, "i8", {1, -2})}));
  const Hdf5File file(dir / "a.h5");
  const std::string where = "'" + (dir / "a.h5").string() + "': ";
  CHECK(message_of<DataError>([&] { file.bytes("f"); }) ==
        where + "dataset 'f' holds floats, not integers");
  CHECK(message_of<DataError>([&] { file.floats("i"); }) ==
        where + "dataset 'i' holds integers, not floats");
  CHECK(message_of<DataError>([&] { file.bytes("i"); }) ==
        where + "dataset 'i': value 1 is not in 0 to 255");
  CHECK(message_of<DataError>([&] { file.floats("g"); }) == where + "has no dataset 'g'");
}

TEST_CASE("ModelNet40 reads its HDF5 files in order and fits clouds into the unit sphere") {
  const TempDir dir;
  write_file(dir / "ply_data_train0.h5", modelnet_file(3, 0));
  write_file(dir / "ply_data_train1.h5", modelnet_file(2, 38, "i8"));
  write_file(dir / "ply_data_test0.h5", modelnet_file(1, 7));
  const DataSplits splits = modelnet40_reader().open(dir.path(), twenty_points(), {});
  REQUIRE(splits.train->size() == 5);
  REQUIRE(splits.test->size() == 1);
  CHECK(splits.validation == nullptr);
  CHECK(splits.train->spec().input == Shape({20, 3}));
  CHECK(splits.train->spec().classes() == 40);
  CHECK(read_sample(*splits.train, 2).labels.front() == 2);
  CHECK(read_sample(*splits.train, 4).labels.front() == 39);
  CHECK(read_sample(*splits.test, 0).labels.front() == 7);
  const Sample sample = read_sample(*splits.train, 1);
  double mean[3] = {};
  double farthest = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    double length = 0;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double value = sample.values[3 * i + axis];
      mean[axis] += value / 20;
      length += value * value;
    }
    farthest = std::max(farthest, std::sqrt(length));
  }
  for (const double along : mean) CHECK(std::abs(along) < 1e-6);
  CHECK(std::abs(farthest - 1) < 1e-6);
}

TEST_CASE("ModelNet40 names the file and the cloud that is wrong") {
  const TempDir dir;
  const auto path = dir / "ply_data_train0.h5";
  const std::string where = "'" + path.string() + "': ";
  DataOptions options = twenty_points();
  const auto error = [&] {
    return message_of<DataError>(
        [&] { modelnet40_reader().open(dir.path(), options, {.test = false}); });
  };
  CHECK(error() == "'" + dir.path().string() + "': there is no 'ply_data_train0.h5'");
  write_file(path, modelnet_file(3, 38));
  CHECK(error() == where + "cloud 2: label 40 is out of range; there are 40 classes");
  std::vector<double> values = filled(60, wave);
  values[31] = std::nan("");
  write_file(path, hdf5_file({hdf5_dataset("data", {1, 20, 3}, "f4", values),
                              hdf5_dataset("label", {1}, "u1", {0})}));
  CHECK(error() == where + "cloud 0: value 1 of point 10 is nan; all must be finite");
  write_file(path, hdf5_file({hdf5_dataset("data", {1, 20, 3}, "f4", filled(60, wave)),
                              hdf5_dataset("label", {2, 1}, "u1", {0, 0})}));
  CHECK(error() == where + "dataset 'label' is [2, 1]; it must be [1, 1]");
  write_file(path, hdf5_file({hdf5_dataset("data", {1, 15, 3}, "f4", filled(45, wave)),
                              hdf5_dataset("label", {1, 1}, "u1", {0})}));
  CHECK(error() == where + "clouds of 15 points; a cloud needs at least 16");
  write_file(path, modelnet_file(1, 0));
  options.points.count = 21;
  CHECK(message_of<ConfigError>([&] {
          modelnet40_reader().open(dir.path(), options, {.test = false});
        }) == "data.points.count: 21 is out of range; the clouds of '" + path.string() +
                  "' have 20 points");
}

TEST_CASE("a damaged cloud is skipped where data.on_error says so") {
  const TempDir dir;
  write_file(dir / "ply_data_train0.h5", modelnet_file(3, 38));
  DataOptions options = twenty_points();
  options.on_error = OnError::kSkip;
  options.skip_most = 0.5;
  const auto train = modelnet40_reader().open(dir.path(), options, {.test = false}).train;
  REQUIRE(train->size() == 3);
  CHECK(read_sample(*train, 1).whole);
  CHECK_FALSE(read_sample(*train, 2).whole);
  CHECK_FALSE(read_sample(*train, 2).whole);
  CHECK(train->skips().samples == 3);
  CHECK(train->skips().skipped == 1);
  CHECK(says(train->skips().reasons.at(0), {"ply_data_train0.h5': cloud 2: "}));
  options.skip_most = 0.1;
  const auto strict = modelnet40_reader().open(dir.path(), options, {.test = false}).train;
  CHECK(says(message_of<DataError>([&] { read_sample(*strict, 2); }),
             {"1 of 3 samples cannot be read, more than the 10 % that data.skip_most allows; the "
              "first: '"}));
}

TEST_CASE("a list of classes in another order than ModelNet40's is refused") {
  const TempDir dir;
  write_file(dir / "ply_data_train0.h5", modelnet_file(3, 0));
  write_file(dir / "shape_names.txt", "airplane\nbed\n");
  CHECK(message_of<DataError>([&] {
          modelnet40_reader().open(dir.path(), twenty_points(), {.test = false});
        }) == "'" + (dir / "shape_names.txt").string() +
                  "': class 1 is 'bed'; ModelNet40 has 'bathtub' there");
}

TEST_CASE("ModelNet40 normals are asked for and are columns of their own") {
  const TempDir dir;
  DataOptions options = twenty_points();
  options.points.normals = true;
  write_file(dir / "ply_data_test0.h5", modelnet_file(1, 0));
  CHECK(message_of<ConfigError>([&] {
          modelnet40_reader().open(dir.path(), options, {.train = false});
        }) == "data.points.normals: '" + (dir / "ply_data_test0.h5").string() +
                  "' has none; set it to false");
  write_file(dir / "ply_data_test0.h5",
             hdf5_file({hdf5_dataset("data", {1, 20, 3}, "f4", filled(60, wave)),
                        hdf5_dataset("label", {1, 1}, "u1", {0}),
                        hdf5_dataset("normal", {1, 20, 3}, "f4", filled(60, [](std::size_t i) {
                                       return static_cast<double>(i);
                                     }))}));
  const auto test = modelnet40_reader().open(dir.path(), options, {.train = false}).test;
  REQUIRE(test->spec().input == Shape({20, 6}));
  const Sample sample = read_sample(*test, 0);
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 60; ++i) {
    wrong += sample.values[6 * (i / 3) + 3 + i % 3] != static_cast<float>(i);
  }
  CHECK(wrong == 0);
}

TEST_CASE("ShapeNet-part tells the network the category and keeps labels with their points") {
  const TempDir dir;
  // Points of cloud c are (i, c, 0); point i of a mug is labelled 36 + i % 2.
  std::vector<double> data;
  std::vector<double> pid;
  for (int cloud = 0; cloud < 2; ++cloud) {
    for (int i = 0; i < 40; ++i) {
      data.insert(data.end(), {static_cast<double>(i), static_cast<double>(cloud), 0});
      pid.push_back(36 + i % 2);
    }
  }
  const auto file = [&](double category) {
    return hdf5_file({hdf5_dataset("data", {2, 40, 3}, "f4", data),
                      hdf5_dataset("label", {2, 1}, "u1", {11, category}),
                      hdf5_dataset("pid", {2, 40}, "u1", pid)});
  };
  for (const char* split : {"train", "val", "test"}) {
    write_file(dir / ("ply_data_" + std::string(split) + "0.h5"), file(11));
  }
  const DataSplits splits = shapenet_part_reader().open(dir.path(), twenty_points(), {});
  REQUIRE(splits.validation->size() == 2);
  const SampleSpec& spec = splits.train->spec();
  CHECK(spec.input == Shape({20, 19}));
  CHECK(spec.task.output == Shape({20, 50}));
  CHECK(spec.task.condition == 16);
  CHECK(spec.labels() == 20);
  REQUIRE(spec.categories.size() == 16);
  CHECK(spec.categories[11].name == "Mug");
  CHECK(spec.categories[15].first + spec.categories[15].count == 50);
  for (const bool augment : {false, true}) {
    DataOptions options = twenty_points();
    options.points.scale = 1;
    options.points.shift = 0;
    options.points.dropout = 0;
    const auto train = shapenet_part_reader().open(dir.path(), options, {.test = false}).train;
    const Sample sample = read_sample(*train, 1, {.augment = augment, .seed = 3});
    std::map<long, int> points;
    for (std::size_t i = 0; i < 20; ++i) {
      // The farthest of the points 0 .. 39 lies 19.5 from their middle.
      const long point = std::lround(sample.values[19 * i] * 19.5 + 19.5);
      CHECK(sample.labels[i] == 36 + point % 2);
      ++points[point];
      for (std::size_t c = 0; c < 16; ++c) CHECK(sample.values[19 * i + 3 + c] == (c == 11));
    }
    CHECK(points.size() == 20);  // without repetition: there are more than were asked for
  }
  write_file(dir / "ply_data_test0.h5", file(4));
  CHECK(message_of<DataError>([&] {
          shapenet_part_reader().open(dir.path(), twenty_points(), {.train = false});
        }) == "'" + (dir / "ply_data_test0.h5").string() +
                  "': cloud 1: label 36 of point 0 is out of range; a Chair has the labels 12 to "
                  "15");
}

TEST_CASE("S3DIS holds out area 5 and leaves its blocks where they are") {
  const TempDir dir;
  // Column k of point i of block b is b + i / 100 + k / 1000; all labels are b.
  const auto file = [](int first, int blocks) {
    std::vector<double> data;
    std::vector<double> labels;
    for (int b = first; b < first + blocks; ++b) {
      for (int i = 0; i < 20; ++i) {
        for (int k = 0; k < 9; ++k) data.push_back(b + i / 100.0 + k / 1000.0);
        labels.push_back(b);
      }
    }
    return hdf5_file({hdf5_dataset("data", {blocks, 20, 9}, "f4", data),
                      hdf5_dataset("label", {blocks, 20}, "u1", labels)});
  };
  for (int i = 0; i < 11; ++i) {  // 2 comes before 10
    write_file(dir / ("ply_data_all_" + std::to_string(i) + ".h5"), file(i, 1));
  }
  std::string rooms;
  for (int i = 0; i < 11; ++i) rooms += i % 4 == 2 ? "Area_5_office_1\n" : "Area_1_hallway_2\n";
  write_file(dir / "room_filelist.txt", rooms);
  const DataSplits splits = s3dis_reader().open(dir.path(), twenty_points(), {});
  REQUIRE(splits.train->size() == 8);
  REQUIRE(splits.test->size() == 3);
  CHECK(splits.train->spec().task.output == Shape({20, 13}));
  CHECK(read_sample(*splits.test, 2).labels[5] == 10);
  CHECK(read_sample(*splits.train, 2).labels[5] == 3);
  DataOptions options = twenty_points();
  options.points.rotate = RotationAxes::kUp;
  const auto train = s3dis_reader().open(dir.path(), options, {.test = false}).train;
  const Sample plain = read_sample(*train, 0);
  const Sample turned = read_sample(*train, 0, {.augment = true, .seed = 5});
  CHECK(std::abs(plain.values[2] - plain.values[0] - 0.002F) < 1e-6F);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    const float* p = &turned.values[9 * i];
    moved += std::abs(p[0] - (p[2] - 0.002F)) > 1e-3F;
    // The height and what is no coordinate stay: column k is column 2 and (k - 2) / 1000.
    for (std::size_t k = 3; k < 9; ++k) {
      CHECK(std::abs(p[k] - p[2] - 0.001F * static_cast<float>(k - 2)) < 1e-5F);
    }
  }
  CHECK(moved > 0);
  write_file(dir / "room_filelist.txt", rooms + "Area_1_hallway_2\n");
  CHECK(message_of<DataError>([&] { s3dis_reader().open(dir.path(), options, {}); }) ==
        "'" + (dir / "room_filelist.txt").string() +
            "' names the rooms of 12 blocks, but the files hold 11");
}
