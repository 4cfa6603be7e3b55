// The parts around the training loop: metrics, run directories, and what a resumed run may change.
#include "train/trainer.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <functional>

#include <unistd.h>

#include "config/load.h"
#include "support/catch.h"
#include "tbn/error.h"
#include "train/evaluate_checkpoint.h"
#include "train/trainer_graph.h"
#include "train/trainer_resume.h"

namespace fs = std::filesystem;
using tbn::RunMode;

namespace {

struct TemporaryFolder {
  fs::path path = fs::temp_directory_path() / ("tbn-run-" + std::to_string(::getpid()));
  TemporaryFolder() { fs::create_directories(path); }
  ~TemporaryFolder() { fs::remove_all(path); }
};

void touch(const fs::path& path) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << "x";
}

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const tbn::Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("metrics count hits among one and five and average the cross entropy") {
  tbn::MetricSums sums;
  const std::vector<float> logits = {0, 1, 2, 3, 4, 5,   // label 5: right
                                     5, 4, 3, 2, 1, 0,   // label 5: sixth of six
                                     1, 1, 0, 0, 0, 0};  // label 1: a tie that the first wins
  const std::vector<std::int64_t> labels = {5, 5, 1};
  sums.add(logits, 6, labels);
  const tbn::EvalMetrics metrics = sums.result();
  CHECK(metrics.images == 3);
  CHECK(metrics.top1 == Approx(100.0 / 3));
  CHECK(metrics.top5 == Approx(200.0 / 3));
  CHECK(sums.predictions() == std::vector<std::int32_t>{5, 0, 0});
  double all = 0;
  for (int k = 0; k < 6; ++k) all += std::exp(k);
  const double tie = std::log(2 * std::exp(1.0) + 4) - 1;
  CHECK(metrics.loss == Approx((std::log(all) - 5 + std::log(all) + tie) / 3));
}

TEST_CASE("metrics stay exact for logits that overflow an exponential") {
  tbn::MetricSums sums;
  sums.add(std::vector<float>{1000, 0}, 2, std::vector<std::int64_t>{1});
  CHECK(sums.result().loss == Approx(1000));
}

TEST_CASE("metrics of no image are zero") {
  CHECK(tbn::MetricSums().result().images == 0);
  CHECK(tbn::MetricSums().result().loss == 0);
}

TEST_CASE("overwriting a run removes what runs are made of and nothing else") {
  const TemporaryFolder folder;
  const tbn::RunDirectory run(folder.path / "r");
  touch(run.config());
  touch(run.last());
  touch(run.events() / "events.1");
  touch(run.folder() / "notes.txt");
  run.check(RunMode::kOverwrite);
  run.create(RunMode::kOverwrite);
  CHECK_FALSE(fs::exists(run.config()));
  CHECK_FALSE(fs::exists(run.events()));
  CHECK_FALSE(run.has_checkpoint());
  CHECK(fs::exists(run.folder() / "notes.txt"));
  CHECK(fs::is_directory(run.last().parent_path()));
}

TEST_CASE("an empty folder may become a run directory, and a file may not") {
  const TemporaryFolder folder;
  CHECK(message_of([&] { tbn::RunDirectory(folder.path).check(RunMode::kNew); }).empty());
  touch(folder.path / "file");
  CHECK(message_of([&] {
          tbn::RunDirectory(folder.path / "file").check(RunMode::kNew);
        }).ends_with("is a file; choose another with name=..."));
}

TEST_CASE("the checkpoint of a run is its best, else its last") {
  const TemporaryFolder folder;
  const tbn::RunDirectory run(folder.path);
  CHECK(message_of([&] {
          tbn::find_checkpoint(folder.path);
        }).ends_with("is it a run directory of tbn-train?"));
  touch(run.last());
  CHECK(tbn::find_checkpoint(folder.path) == run.last());
  touch(run.best());
  CHECK(tbn::find_checkpoint(folder.path) == run.best());
  CHECK(tbn::find_checkpoint(run.last()) == run.last());
}

TEST_CASE("a resumed run may be longer or elsewhere, but not another experiment") {
  const tbn::Config first = tbn::parse_config("{name: a}", "first");
  tbn::Config next = first;
  next.train.epochs = 99;
  next.train.device = "cuda";
  next.output = "elsewhere";
  next.data.root = "/data";
  CHECK(message_of([&] { tbn::check_resumable(next, tbn::print_config(first), "c"); }).empty());
  next.optim.fields.lr = 0.25;
  CHECK(message_of([&] { tbn::check_resumable(next, tbn::print_config(first), "c"); }) ==
        "--resume: 'lr: 0.25' in section 'optim' was 'lr: 0.1' when the run began (c); change it "
        "back, or start another run with name=...");
}

TEST_CASE("a network whose inputs or classes are not the data set's is refused") {
  tbn::Config config = tbn::parse_config("{name: a, model: {type: mlp}}", "test");
  const tbn::Graph graph = tbn::training_graph(config, tbn::dataset_info("mnist"));
  tbn::ImageSet images{.channels = 3, .height = 32, .width = 32, .class_names = {"a", "b"}};
  CHECK(
      message_of([&] { tbn::check_images_fit(graph, images, "m"); }) ==
      "m: the network takes [1, 28, 28], and the images are [3, 32, 32]; name the data set that it "
      "was trained on");
  images.channels = 1;
  images.height = images.width = 28;
  CHECK(message_of([&] { tbn::check_images_fit(graph, images, "m"); }) ==
        "m: the network tells 10 classes apart, and the data set has 2; name the data set that it "
        "was "
        "trained on");
}

TEST_CASE("a channel that is constant is normalised by its mean alone") {
  const tbn::Config config = tbn::parse_config("{name: a, model: {type: mlp}}", "test");
  const tbn::ChannelStatistics statistics{.mean = {12}, .deviation = {0}};
  const tbn::Graph graph = tbn::training_graph(config, tbn::dataset_info("mnist"), &statistics);
  for (const tbn::Node& node : graph.nodes) {
    if (const auto* normalize = std::get_if<tbn::Normalize>(&node.op)) {
      CHECK(normalize->mean == std::vector<float>{12});
      CHECK(normalize->std == std::vector<float>{1});
      return;
    }
  }
  FAIL("no normalize node");
}
