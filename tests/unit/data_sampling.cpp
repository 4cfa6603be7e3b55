// Which samples a limit keeps, over every kind of labelled data, and what a split is recognised by.
#include "data/source/sampling.h"

#include <algorithm>
#include <map>
#include <set>

#include "data/registry.h"
#include "file/crc32c.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/idx_writer.h"
#include "support/jpeg_writer.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

using Counts = std::map<std::int64_t, std::int64_t>;

std::vector<std::int64_t> strata_of(const Counts& sizes) {
  std::vector<std::int64_t> strata;
  for (const auto& [stratum, size] : sizes) strata.insert(strata.end(), size, stratum);
  return strata;
}

Counts counts(const std::vector<std::int64_t>& strata, const std::vector<std::int64_t>& sample) {
  Counts found;
  for (const std::int64_t index : sample) ++found[strata[static_cast<std::size_t>(index)]];
  return found;
}

Counts counts(const Dataset& data) {
  Counts found;
  for (std::int64_t i = 0; i < data.size(); ++i) ++found[data.stratum(i)];
  return found;
}

std::vector<std::string> identities(const Dataset& data) {
  std::vector<std::string> all;
  for (std::int64_t i = 0; i < data.size(); ++i) all.push_back(data.identity(i));
  return all;
}

CounterRng seeded(std::uint64_t seed) { return {seed, RngUse::kLimit}; }

// A grey JPEG that nobody looks at.
std::string any_jpeg() {
  return jpeg_bytes(flat_pixels(64, {90}), 8, 8, 90, {.from = JCS_GRAYSCALE});
}

// Labelled data sets of two to ten classes, each sorted by class as its kind allows, with 40
// training samples or more.
struct Kind {
  std::string name;
  std::int64_t classes;
  void (*write)(const TempDir& dir);
};

void write_sorted_idx(const TempDir& dir) {
  write_idx_dataset(dir.path(), 60, 60);
  for (const char* name : {"train-labels-idx1-ubyte", "t10k-labels-idx1-ubyte"}) {
    std::string labels = big_endian(0x801) + big_endian(60);
    for (int i = 0; i < 60; ++i) labels.push_back(static_cast<char>(i / 6));
    write_file(dir / name, labels);
  }
}

void write_sorted_cifar(const TempDir& dir) {
  write_cifar10_dataset(dir.path(), 20);
  for (int file = 0; file < 6; ++file) {
    std::string records;
    for (int i = 0; i < 20; ++i) {
      records.push_back(static_cast<char>(file < 5 ? 2 * file + i / 10 : i / 2));
      records += std::string(3072, 'x');
    }
    write_file(dir / (file < 5 ? "data_batch_" + std::to_string(file + 1) + ".bin"
                               : std::string("test_batch.bin")),
               records);
  }
}

void write_folders(const TempDir& dir) {
  for (const std::string split : {"train", "val"}) {
    for (const std::string name : {"ant", "bee", "cow", "dog"}) {
      for (int i = 10; i < 22; ++i) {
        write_file(dir / (split + "/" + name + "/" + std::to_string(i) + ".jpg"), any_jpeg());
      }
    }
  }
}

void write_clouds(const TempDir& dir) {
  std::string list;
  for (const std::string name : {"airplane", "bed", "xbox"}) {
    for (int i = 10; i < 30; ++i) list += name + "_00" + std::to_string(i) + "\n";
  }
  write_file(dir / "modelnet40_train.txt", list);
  write_file(dir / "modelnet40_test.txt", list);
}

void write_nothing(const TempDir&) {}

const Kind kKinds[] = {{"mnist", 10, write_sorted_idx},    {"cifar10", 10, write_sorted_cifar},
                       {"image_folder", 4, write_folders}, {"modelnet40", 3, write_clouds},
                       {"shapes", 10, write_nothing},      {"shape_parts", 6, write_nothing}};

}  // namespace

TEST_CASE("a stratified sample has of each class its share, and one at least") {
  struct Case {
    Counts sizes;
    std::int64_t wanted;
    Counts expected;
  };
  const Case cases[] = {{{{0, 20}, {1, 20}}, 10, {{0, 5}, {1, 5}}},
                        {{{0, 900}, {1, 100}}, 10, {{0, 9}, {1, 1}}},
                        {{{0, 999}, {7, 1}}, 10, {{0, 9}, {7, 1}}},
                        {{{-1, 30}, {3, 20}, {200, 10}}, 12, {{-1, 6}, {3, 4}, {200, 2}}},
                        {{{0, 5}, {1, 3}}, 8, {{0, 5}, {1, 3}}},
                        {{{0, 50}}, 7, {{0, 7}}},
                        {{{0, 4}}, 0, {}}};
  for (const Case& c : cases) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const auto strata = strata_of(c.sizes);
      const auto sample = stratified_sample(strata, c.wanted, seeded(seed));
      CHECK(std::is_sorted(sample.begin(), sample.end()));
      CHECK(std::set<std::int64_t>(sample.begin(), sample.end()).size() == sample.size());
      CHECK(counts(strata, sample) == c.expected);
    }
  }
}

TEST_CASE("fewer samples than classes are of different classes, by chance") {
  const auto strata = strata_of({{0, 9}, {1, 9}, {2, 9}, {3, 9}});
  std::set<std::int64_t> seen;
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto found = counts(strata, stratified_sample(strata, 2, seeded(seed)));
    CHECK(found.size() == 2);
    for (const auto& [stratum, count] : found) seen.insert(stratum);
  }
  CHECK(seen.size() == 4);
}

TEST_CASE("a larger stratified sample holds the smaller one, and seeds differ") {
  const auto strata = strata_of({{0, 31}, {1, 17}, {2, 5}});
  std::vector<std::int64_t> smaller;
  for (std::int64_t wanted = 0; wanted <= 53; ++wanted) {
    const auto sample = stratified_sample(strata, wanted, seeded(3));
    CHECK(std::includes(sample.begin(), sample.end(), smaller.begin(), smaller.end()));
    smaller = sample;
  }
  CHECK(stratified_sample(strata, 20, seeded(1)) != stratified_sample(strata, 20, seeded(2)));
}

TEST_CASE("limits keep a share of every class in every kind of labelled data") {
  for (const Kind& kind : kKinds) {
    INFO(kind.name);
    const TempDir dir;
    kind.write(dir);
    DataOptions options{.name = kind.name, .root = dir.path(), .validation = 5, .split_seed = 3};
    options.train_limit = 4 * kind.classes;
    options.test_limit = 2 * kind.classes;
    const DataSplits data = load_data(options);
    CHECK(data.train->size() == options.train_limit);
    CHECK(data.validation->size() == 5);
    const Counts trained = counts(*data.train);
    CHECK(static_cast<std::int64_t>(trained.size()) == kind.classes);
    for (const auto& [stratum, count] : trained) CHECK(std::abs(count - 4) <= 1);
    const Counts tested = counts(*data.test);
    CHECK(static_cast<std::int64_t>(tested.size()) == kind.classes);
    for (const auto& [stratum, count] : tested) CHECK(std::abs(count - 2) <= 1);
    CHECK(identities(*load_split(options, Split::kTest)) == identities(*data.test));
    options.test_limit = 0;
    options.train_limit = 0;
    const DataSplits whole = load_data(options);
    CHECK(identities(*whole.validation) == identities(*data.validation));
    // What was found does not depend on what is used of it.
    CHECK(data.found.train == whole.found.train);
    CHECK(data.found.test == whole.found.test);
    CHECK(data.found.train->count == whole.train->size() + 5);
    CHECK_FALSE(data.found.validation.has_value());
  }
}

TEST_CASE("limits: first keeps what earlier versions did, in every kind of labelled data") {
  for (const Kind& kind : kKinds) {
    INFO(kind.name);
    const TempDir dir;
    kind.write(dir);
    DataOptions options{.name = kind.name, .root = dir.path(), .validation = 5, .split_seed = 3};
    options.limits = LimitRule::kFirst;
    const DataSplits whole = load_data(options);
    options.train_limit = 7;
    options.test_limit = 9;
    const DataSplits data = load_data(options);
    auto train = identities(*whole.train);
    auto test = identities(*whole.test);
    train.resize(7);
    test.resize(9);
    CHECK(identities(*data.train) == train);
    CHECK(identities(*data.test) == test);
  }
}

TEST_CASE("another split_seed keeps other samples of a class") {
  const TempDir dir;
  write_folders(dir);
  DataOptions options{.name = "image_folder", .root = dir.path(), .test_limit = 8};
  options.split_seed = 1;
  const auto one = identities(*load_split(options, Split::kTest));
  options.split_seed = 2;
  const auto other = identities(*load_split(options, Split::kTest));
  CHECK(one.size() == other.size());
  CHECK(one != other);
}

TEST_CASE("a split is recognised by its count and the CRC of one line per sample") {
  const TempDir dir;
  write_folders(dir);
  const DataOptions options{.name = "image_folder", .root = dir.path()};
  std::string lines;
  for (const std::string name : {"ant", "bee", "cow", "dog"}) {
    for (int i = 10; i < 22; ++i) lines += name + "/" + std::to_string(i) + ".jpg\n";
  }
  const Listing expected{.count = 48, .crc = crc32c(lines)};
  DataSplits data = load_data(options);
  CHECK(data.found.train == expected);
  CHECK(data.found.test == expected);
  CHECK(data.test_folder == "val");
  // A file more, a file renamed: another listing. The pixels do not matter.
  write_file(dir / "train/ant/99.jpg", any_jpeg());
  CHECK(load_data(options).found.train->count == 49);
  std::filesystem::remove(dir / "train/ant/99.jpg");
  std::filesystem::rename(dir / "val/ant/10.jpg", dir / "val/ant/09.jpg");
  data = load_data(options);
  CHECK(data.found.train == expected);
  CHECK(data.found.test->count == 48);
  CHECK(data.found.test != expected);
  // A test folder added later makes val/ the validation set.
  std::filesystem::copy(dir / "val", dir / "test", std::filesystem::copy_options::recursive);
  data = load_data(options);
  CHECK(data.test_folder == "test");
  CHECK(data.found.validation == data.found.test);
}

TEST_CASE("images in memory and clouds are recognised by labels and files") {
  const TempDir idx;
  write_sorted_idx(idx);
  std::string labels;
  for (int i = 0; i < 60; ++i) labels += std::to_string(i / 6) + "\n";
  const DataSplits images = load_data({.name = "mnist", .root = idx.path(), .validation = 7});
  CHECK(images.found.train == Listing{.count = 60, .crc = crc32c(labels)});
  CHECK(images.found.test == images.found.train);
  const TempDir text;
  write_clouds(text);
  const DataSplits clouds = load_data({.name = "modelnet40", .root = text.path()});
  CHECK(clouds.test->identity(0) == "airplane/airplane_0010.txt");
  CHECK(clouds.found.test->count == 60);
}
