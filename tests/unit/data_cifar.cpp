// CIFAR's binary files: order of files, labels and pixels, and damaged ones.
#include "data/images/cifar.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/idx_writer.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

TEST_CASE("CIFAR-10 reads the five training files in order and the test file apart") {
  const TempDir dir;
  write_cifar10_dataset(dir.path(), 4);
  const ImageSet train = cifar10_reader().read(dir.path(), true);
  REQUIRE(train.size() == 20);
  REQUIRE(train.channels == 3);
  REQUIRE(train.height == 32);
  REQUIRE(train.width == 32);
  REQUIRE(train.classes() == 10);
  std::size_t wrong = 0;
  for (std::uint32_t n = 0; n < 20; ++n) {
    wrong += train.labels[n] != sample_label(n % 4, 10);
    for (std::uint32_t k = 0; k < 3072; ++k) {
      wrong += train.pixels[n * 3072 + k] != sample_pixel(n % 4, k, 1 + n / 4);
    }
  }
  CHECK(wrong == 0);
  const ImageSet test = cifar10_reader().read(dir.path(), false);
  REQUIRE(test.size() == 4);
  CHECK(test.pixels[3072 + 5] == sample_pixel(1, 5, 6));
}

TEST_CASE("CIFAR-100 keeps the fine label of 100 classes") {
  const TempDir dir;
  write_file(dir / "train.bin", cifar_records(150, 100, 20, 0));
  write_file(dir / "test.bin", cifar_records(3, 100, 20, 1));
  const ImageSet train = cifar100_reader().read(dir.path(), true);
  REQUIRE(train.size() == 150);
  REQUIRE(train.classes() == 100);
  CHECK(train.class_names[1] == "aquarium_fish");
  CHECK(train.class_names[99] == "worm");
  std::size_t wrong = 0;
  for (std::uint32_t n = 0; n < 150; ++n) {
    wrong += train.labels[n] != sample_label(n, 100);
    wrong += train.pixels[n * 3072 + 3071] != sample_pixel(n, 3071);
  }
  CHECK(wrong == 0);
  CHECK(cifar100_reader().read(dir.path(), false).size() == 3);
}

TEST_CASE("a CIFAR file must be a whole number of records") {
  const TempDir dir;
  write_cifar10_dataset(dir.path(), 2);
  const std::string name = "'" + (dir / "data_batch_3.bin").string() + "': ";
  const auto error = [&] {
    return message_of<DataError>([&] { cifar10_reader().read(dir.path(), true); });
  };
  const std::string whole = cifar_records(2, 10, 0, 3);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, std::size_t{3072}, whole.size() - 1}) {
    write_file(dir / "data_batch_3.bin", std::string_view(whole).substr(0, size));
    CHECK(error() == name + std::to_string(size) +
                         " bytes are no whole number of records of 3073 bytes; the file is "
                         "truncated or of another kind");
  }
  std::filesystem::remove(dir / "data_batch_3.bin");
  CHECK(error() == name + "the file does not exist");
}

TEST_CASE("a CIFAR label beyond its classes is named with its record") {
  const TempDir dir;
  std::string records = cifar_records(3, 10, 0, 0);
  records[2 * 3073] = 10;
  write_file(dir / "test_batch.bin", records);
  CHECK(message_of<DataError>([&] { cifar10_reader().read(dir.path(), false); }) ==
        "'" + (dir / "test_batch.bin").string() +
            "': label 10 of record 2 is out of range; there are 10 classes");

  std::string coarse = cifar_records(3, 100, 20, 0);
  coarse[3074] = 20;
  write_file(dir / "test.bin", coarse);
  CHECK(message_of<DataError>([&] { cifar100_reader().read(dir.path(), false); }) ==
        "'" + (dir / "test.bin").string() +
            "': label 20 of record 1 is out of range; there are 20 classes");
}

TEST_CASE("a compressed CIFAR file is refused with the way out") {
  const TempDir dir;
  write_file(dir / "test_batch.bin", gzipped(cifar_records(2, 10, 0, 0)));
  CHECK(message_of<DataError>([&] { cifar10_reader().read(dir.path(), false); }) ==
        "'" + (dir / "test_batch.bin").string() + "': is compressed; unpack it first");
}
