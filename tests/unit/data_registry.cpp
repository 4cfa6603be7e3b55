// Data sets by name: where they are found, the validation split, limits, and channel statistics.
#include <algorithm>
#include <cmath>
#include <set>

#include "base/counter_rng.h"
#include "config/key_use.h"
#include "data/images/memory_images.h"
#include "data/registry.h"
#include "data/source/sampling.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/idx_writer.h"
#include "support/source_dir.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

const ImageSet& images_of(const std::shared_ptr<const Dataset>& data) {
  return dynamic_cast<const MemoryImages&>(*data).images();
}

// Which image of the written file an image of a set is, told by its first two pixels.
std::vector<std::uint32_t> origins(const std::shared_ptr<const Dataset>& data,
                                   std::uint32_t written) {
  const ImageSet& set = images_of(data);
  std::vector<std::uint32_t> out;
  const auto bytes = static_cast<std::size_t>(set.image_bytes());
  for (std::size_t n = 0; n < set.labels.size(); ++n) {
    std::uint32_t i = 0;
    while (
        i < written &&
        sample_pixels(i, 784) !=
            std::string_view(reinterpret_cast<const char*>(set.pixels.data() + n * bytes), bytes)) {
      ++i;
    }
    CHECK(set.labels[n] == sample_label(i, 10));
    out.push_back(i);
  }
  return out;
}

class WorkingFolder {
 public:
  explicit WorkingFolder(const std::filesystem::path& path)
      : old_(std::filesystem::current_path()) {
    std::filesystem::current_path(path);
  }
  ~WorkingFolder() { std::filesystem::current_path(old_); }

 private:
  std::filesystem::path old_;
};

}  // namespace

TEST_CASE("the committed samples of Fashion-MNIST load") {
  const DataSplits data = load_data(
      {.name = "fashion_mnist", .root = test::source_dir() / "data/samples", .validation = 20});
  CHECK(data.train->size() == 80);
  CHECK(data.validation->size() == 20);
  CHECK(data.test->size() == 50);
  CHECK(images_of(data.train).height == 28);
  // The first images of the published files: an ankle boot each.
  CHECK(data.test->spec().class_names[static_cast<std::size_t>(images_of(data.test).labels[0])] ==
        "ankle boot");
}

TEST_CASE(
    "images of other sizes are described as their files say, and assumed where there are none") {
  const TempDir dir;
  for (const char* name : {"mnist", "fashion_mnist"}) {
    write_file(dir / name / "train-images-idx3-ubyte", idx_images(3, 32, 20));
    const SampleSpec there = describe_data({.name = name, .root = dir.path()});
    CHECK(there.input == Shape{1, 32, 20});
    CHECK(there.assumed.empty());
    const SampleSpec absent = describe_data({.name = name, .root = dir / "none"});
    CHECK(absent.input == Shape{1, 28, 28});
    CHECK(absent.assumed == "images of 28 x 28 pixels");
    write_file(dir / name / "train-images-idx3-ubyte", std::string("\0\0\x08", 3));
    CHECK_THROWS_AS(describe_data({.name = name, .root = dir.path()}), DataError);
  }
}

TEST_CASE("a data set is found in a root, its named subfolder and the folders of its archive") {
  for (const char* place :
       {"", "cifar10", "cifar-10-batches-bin", "cifar10/cifar-10-batches-bin"}) {
    const TempDir dir;
    write_cifar10_dataset(dir / place, 2);
    CHECK(load_data({.name = "cifar10", .root = dir.path()}).train->size() == 10);
    CHECK(load_split({.name = "cifar10", .root = dir.path()}, Split::kTest)->size() == 2);
  }
}

TEST_CASE("without a root data/<name> below the current folder is read") {
  const TempDir dir;
  write_idx_dataset(dir / "data/mnist", 6, 3);
  const WorkingFolder here(dir.path());
  const DataSplits data = load_data({.name = "mnist"});
  CHECK(data.train->size() == 6);
  CHECK(data.test->size() == 3);
  CHECK(data.folder == "data/mnist");
}

TEST_CASE("a data set that is nowhere is an error with the places and the way out") {
  const TempDir dir;
  const WorkingFolder here(dir.path());
  CHECK(message_of<DataError>([] { load_data({.name = "cifar100"}); }) ==
        "data set 'cifar100' not found: no train.bin in 'data/cifar100', "
        "'data/cifar100/cifar-100-binary'; get it with `scripts/download_data.sh cifar100`, or set "
        "data.root to its folder");
  std::filesystem::create_directory("x");
  CHECK(message_of<DataError>([] { load_data({.name = "fashion_mnist", .root = "x"}); }) ==
        "data set 'fashion_mnist' not found: no train-images-idx3-ubyte in 'x', "
        "'x/FashionMNIST/raw', 'x/fashion_mnist', 'x/fashion_mnist/FashionMNIST/raw'; get it with "
        "`apt-get install dataset-fashion-mnist`, `scripts/download_data.sh fashion_mnist`, or set "
        "data.root to its folder");
}

TEST_CASE("a root that is not there is said with where it was looked for and what is near") {
  const TempDir dir;
  const WorkingFolder here(dir.path());
  const std::string place = std::filesystem::current_path().string();
  write_idx_dataset("digits/mnist", 6, 3);
  CHECK(
      message_of<DataError>([] { load_data({.name = "mnist", .root = "digit"}); }) ==
      "data set 'mnist' not found: there is no 'digit' in '" + place + "'; '" + place +
          "' holds 'digits' (did you mean that?); get it with `scripts/download_data.sh mnist`, or "
          "set data.root to its folder");
  std::filesystem::create_directory("digits/mnist/sub");
  CHECK(
      says(message_of<DataError>([] { load_data({.name = "mnist", .root = "digits/mnist/sub"}); }),
           {"no train-images-idx3-ubyte in 'digits/mnist/sub'"}));
  std::filesystem::rename("digits/mnist", "digits/others");
  CHECK(says(message_of<DataError>([] { load_data({.name = "mnist", .root = "digits"}); }),
             {"; 'digits/others' has it; get it with"}));
}

TEST_CASE("a sample that cannot be read is passed over where data are read piece by piece alone") {
  for (const std::string& name : dataset_names()) {
    INFO(name);
    const DatasetReader& reader = find_dataset(name);
    const bool piece_by_piece = reader.read == nullptr && name != "shapes" && name != "shape_parts";
    Config config;
    config.data.name = name;
    CHECK(idle_for_data("data.on_error", config).empty() == piece_by_piece);
    CHECK(idle_for_data("data.skip_most", config).empty() == piece_by_piece);
  }
}

TEST_CASE("what is said of a data set that is not there can be done") {
  const TempDir dir;
  const WorkingFolder here(dir.path());
  const std::string script = read_file(source_dir() / "scripts/download_data.sh");
  const std::size_t first = script.find("case ${1-} in");
  const std::string cases = script.substr(first, script.find("esac", first) - first);
  for (const std::string& name : dataset_names()) {
    if (name == "shapes" || name == "shape_parts") continue;  // are made, not read
    for (const std::string root : {"", "empty"}) {
      if (root.empty() && !find_dataset(name).package.empty()) continue;  // may be installed
      INFO(name << " in '" << root << "'");
      std::filesystem::create_directory("empty");
      const std::string said =
          message_of<DataError>([&] { load_data({.name = name, .root = root}); });
      CHECK(said.starts_with("data set '" + name + "' not found: "));
      CHECK(said.find("data.root") != std::string::npos);
      const bool own = name == "image_folder" || name == "csv";
      const std::string fetch = "`scripts/download_data.sh " + name + "`";
      CHECK((said.find(fetch) != std::string::npos) == !own);
      const bool known = cases.find(" " + name + " ") != std::string::npos ||
                         cases.find(" " + name + ")") != std::string::npos;
      CHECK(known == !own);
    }
  }
}

TEST_CASE("an unknown data set is an error that lists the known ones") {
  CHECK(message_of<ConfigError>([] { load_data({.name = "cifar"}); }) ==
        "data.name: unknown data set 'cifar'; known are mnist, fashion_mnist, cifar10, cifar100, "
        "imagenet, tiny_imagenet, imagenette, image_folder, modelnet40, shapenet_part, s3dis, "
        "shapes, shape_parts, etth1, etth2, ettm1, ettm2, weather, electricity, traffic, "
        "exchange_rate, csv");
}

TEST_CASE("training and test images of different shapes are refused") {
  const TempDir dir;
  write_idx_dataset(dir.path(), 6, 3);
  write_file(dir / "t10k-images-idx3-ubyte", idx_images(3, 27, 28, 1));
  CHECK(message_of<DataError>([&] { load_data({.name = "mnist", .root = dir.path()}); }) ==
        "data set 'mnist' in '" + dir.path().string() +
            "': training samples are [1, 28, 28], test samples [1, 27, 28]");
}

TEST_CASE("the validation split takes each training image once and keeps the file's order") {
  const TempDir dir;
  write_idx_dataset(dir.path(), 60, 5);
  const DataOptions options{.name = "mnist", .root = dir.path(), .validation = 13, .split_seed = 4};
  const DataSplits data = load_data(options);
  const auto train = origins(data.train, 60);
  const auto validation = origins(data.validation, 60);
  CHECK(train.size() == 47);
  CHECK(validation.size() == 13);
  CHECK(std::is_sorted(train.begin(), train.end()));
  CHECK(std::is_sorted(validation.begin(), validation.end()));
  std::set<std::uint32_t> all(train.begin(), train.end());
  all.insert(validation.begin(), validation.end());
  CHECK(all.size() == 60);
  // Another seed, another split; the same seed, the same.
  DataOptions other = options;
  other.split_seed = 5;
  CHECK(origins(load_data(other).validation, 60) != validation);
  CHECK(origins(load_split(options, Split::kValidation), 60) == validation);
  CHECK(origins(load_split(options, Split::kTrain), 60) == train);
}

TEST_CASE("limits: first keeps the first images after the split and leave validation alone") {
  const TempDir dir;
  write_idx_dataset(dir.path(), 60, 5);
  DataOptions options{.name = "mnist", .root = dir.path(), .validation = 13, .split_seed = 4};
  const DataSplits whole = load_data(options);
  options.limits = LimitRule::kFirst;
  options.train_limit = 10;
  options.test_limit = 2;
  const DataSplits limited = load_data(options);
  auto expected = origins(whole.train, 60);
  expected.resize(10);
  CHECK(origins(limited.train, 60) == expected);
  CHECK(images_of(limited.validation).pixels == images_of(whole.validation).pixels);
  CHECK(limited.test->size() == 2);
  options.train_limit = 1000;
  CHECK(load_data(options).train->size() == 47);
}

TEST_CASE("impossible splits and limits name the key, the value and the limit") {
  const TempDir dir;
  write_idx_dataset(dir.path(), 60, 5);
  for (const std::int64_t validation : {60, -1}) {
    CHECK(message_of<ConfigError>([&] {
            load_data({.name = "mnist", .root = dir.path(), .validation = validation});
          }) == "data.validation: cannot hold out " + std::to_string(validation) +
                    " samples of the 60 training samples of 'mnist'; it must be 0 to 59, such as "
                    "data.validation=6");
  }
  CHECK(says(message_of<ConfigError>([&] {
               load_data({.name = "mnist", .root = dir.path(), .validation = kUsualValidation});
             }),
             {"cannot hold out 5,000 samples, the default, of the 60 training samples"}));
  CHECK(kUsualValidation == DataConfig{}.validation);
  const auto notes = [&](std::int64_t validation) {
    return load_data({.name = "mnist", .root = dir.path(), .validation = validation}).notes;
  };
  CHECK(notes(30).empty());
  CHECK(notes(31) ==
        std::vector<std::string>{
            "31 training samples of 'mnist' are held out for validation, which leaves 29 "
            "samples to train on: set data.validation (its default is 5,000)"});
  CHECK(message_of<ConfigError>([&] {
          load_data({.name = "mnist", .root = dir.path(), .train_limit = -2});
        }) == "data.train_limit: -2 is negative; 0 uses all samples");
}

TEST_CASE("channel statistics equal the mean and deviation of a two-pass sum in float64") {
  ImageSet set{
      .channels = 3, .height = 4, .width = 5, .pixels = {}, .labels = {}, .class_names = {}};
  CounterRng rng(99);
  for (int i = 0; i < 50 * 60; ++i) set.pixels.push_back(static_cast<std::uint8_t>(rng.below(256)));
  set.labels.resize(50);
  const ChannelStatistics statistics = channel_statistics(set);
  for (std::size_t c = 0; c < 3; ++c) {
    std::vector<double> values;
    for (std::size_t n = 0; n < 50; ++n) {
      for (std::size_t k = 0; k < 20; ++k) values.push_back(set.pixels[n * 60 + c * 20 + k]);
    }
    double mean = 0;
    for (const double value : values) mean += value / 1000;
    double variance = 0;
    for (const double value : values) variance += (value - mean) * (value - mean) / 1000;
    CHECK(statistics.mean[c] == Approx(mean).epsilon(1e-12));
    CHECK(statistics.deviation[c] == Approx(std::sqrt(variance)).epsilon(1e-12));
  }
}

TEST_CASE("a constant channel has deviation zero") {
  const ImageSet set{.channels = 1,
                     .height = 1,
                     .width = 3,
                     .pixels = {7, 7, 7, 7, 7, 7},
                     .labels = {0, 0},
                     .class_names = {"a"}};
  CHECK(channel_statistics(set).mean == std::vector<double>{7.0});
  CHECK(channel_statistics(set).deviation == std::vector<double>{0.0});
}
