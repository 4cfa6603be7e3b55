// The parts around the training loop: run directories, and what a resumed run may change.
#include "train/run/trainer.h"

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

#include "config/data_options.h"
#include "config/load.h"
#include "config/storable.h"
#include "data/images/memory_images.h"
#include "data/registry.h"
#include "eval/fit.h"
#include "support/catch.h"
#include "tbn/error.h"
#include "train/run/trainer_graph.h"
#include "train/run/trainer_resume.h"
#include "train/run/trainer_setup.h"

namespace fs = std::filesystem;

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

TEST_CASE(
    "a run that gives way leaves the checkpoint that is written over and what is none of it") {
  const TemporaryFolder folder;
  const tbn::RunDirectory run(folder.path / "r");
  touch(run.config());
  touch(run.last());
  touch(run.best());
  touch(run.summary());
  touch(run.events() / "events.1");
  touch(run.folder() / "notes.txt");
  run.give_way(run.last());
  CHECK(fs::exists(run.last()));
  CHECK_FALSE(fs::exists(run.best()));
  CHECK_FALSE(fs::exists(run.summary()));
  CHECK_FALSE(fs::exists(run.events()));
  CHECK(fs::exists(run.folder() / "notes.txt"));
}

TEST_CASE("a file is no run directory") {
  const TemporaryFolder folder;
  touch(folder.path / "file");
  CHECK(message_of([&] {
          tbn::RunDirectory(folder.path / "file").look();
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
  // Whoever asks for a run is not given its last for something else in the place of its best.
  fs::remove(run.best());
  REQUIRE(::mkfifo(run.best().c_str(), 0600) == 0);
  CHECK(message_of([&] { tbn::find_checkpoint(folder.path); })
            .ends_with(
                "best.safetensors' is a pipe, where a run has a checkpoint; move it away, or name "
                "the checkpoint itself"));
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

TEST_CASE("runs of before tiles' order was left open resume, and those that said another do not") {
  tbn::Config first = tbn::parse_config("weights: {rules: [{match: a, p: 2}]}", "first");
  const tbn::Config next = first;  // says nothing: auto
  for (tbn::WeightFields* fields : {&first.weights.fields, &first.weights.rules[0].fields}) {
    fields->settings["order"] = "repeat";
  }
  CHECK(message_of([&] { tbn::check_resumable(next, tbn::print_config(first), "c"); }).empty());
  tbn::Config other = next;
  other.weights.fields.settings["order"] = "interleave";
  CHECK(message_of([&] {
          tbn::check_resumable(other, tbn::print_config(first), "c");
        }).find("'order: interleave'") != std::string::npos);
}

TEST_CASE(
    "a run of an earlier version goes on by its rules, and what is said against them is heard") {
  // As such a run recorded it: without the settings that came later.
  std::string stored;
  std::istringstream printed(tbn::print_config(
      tbn::parse_config("data: {name: image_folder, train_limit: 5, on_error: skip}", "first")));
  for (std::string line; std::getline(printed, line);) {
    const auto is = [&](const char* key) { return line.find(key) != std::string::npos; };
    if (!is("  limits:") && !is("  decode:") && !is("  skip_most:")) stored += line + "\n";
  }
  const TemporaryFolder folder;
  const fs::path file = folder.path / "unnamed.yaml";
  std::ofstream(file) << "data: {name: image_folder, train_limit: 5, on_error: skip}\n";
  const auto resumed = [&](const std::vector<std::string>& settings) {
    const tbn::ResumedConfig asked = tbn::load_resumed_config(file, settings);
    const tbn::Config config =
        tbn::resumed_config(asked.config, asked.as_earlier, stored, "checkpoint");
    tbn::check_resumable(config, stored, "checkpoint");
    return config.data;
  };
  CHECK(resumed({}).limits == tbn::LimitRule::kFirst);
  CHECK(resumed({}).decode == tbn::Decode::kReduce);
  CHECK(resumed({}).skip_most == 1);
  CHECK(resumed({"data.limits=first", "data.decode=reduce"}).limits == tbn::LimitRule::kFirst);
  const std::vector<std::pair<std::string, std::string>> against = {
      {"data.limits=class", "'limits: class' in section 'data' was 'limits: first'"},
      {"data.decode=auto", "'decode: auto' in section 'data' was 'decode: reduce'"},
      {"data.skip_most=0.1", "'skip_most: 0.1' in section 'data' was 'skip_most: 1'"}};
  for (const auto& [setting, said] : against) {
    INFO(setting);
    CHECK(message_of([&] { resumed({setting}); }).find(said) != std::string::npos);
    // The same where the run's own configuration is what is continued.
    const tbn::Config own = tbn::parse_recorded_config(stored, "checkpoint", {setting});
    CHECK(message_of([&] {
            tbn::check_resumable(tbn::resumed_config(own, own, stored, "checkpoint"), stored, "c");
          }).find(said) != std::string::npos);
  }
}

TEST_CASE("one configuration orders the tiles of a forecast by the season of its series") {
  const auto orders = [](const std::string& data, const std::string& setting) {
    const tbn::Config config =
        tbn::parse_config("model: {type: tsmixer}\nweights: {encoding: tiled, p: 4}\n", "test",
                          {"data.name=" + data, "data.series.horizon=96", setting});
    const tbn::Graph graph =
        tbn::training_graph(config, tbn::describe_data(tbn::data_options(config.data)));
    std::vector<std::string> interleaved;
    for (const tbn::Node& node : graph.nodes) {
      const tbn::WeightEncoding* encoding = tbn::weights_of(node.op);
      const auto* tiled = encoding ? std::get_if<tbn::TiledWeights>(encoding) : nullptr;
      if (tiled && tiled->order == tbn::TileOrder::kInterleave) interleaved.push_back(node.name);
    }
    return interleaved;
  };
  using Names = std::vector<std::string>;
  CHECK(orders("etth1", "name=a") == Names{});
  CHECK(orders("ettm1", "name=a") == Names{"temporal_projection"});
  CHECK(orders("ettm1", "weights.order=repeat") == Names{});
  CHECK(orders("ettm1", "data.series.season=24") == Names{});
  CHECK(orders("etth1", "data.series.season=168") == Names{"temporal_projection"});
}

TEST_CASE("a configuration that a checkpoint could not keep is refused with its key") {
  const auto refusal = [](tbn::Config config) {
    return message_of([&] { tbn::check_storable(config); });
  };
  const tbn::Config good = tbn::parse_config("{name: a}", "test");
  CHECK(refusal(good).empty());
  tbn::Config config = good;
  config.data.root = "/data/caf\xc3\xa9 #2: \"quoted\"";
  CHECK(refusal(config).empty());
  config.data.root = "/data/caf\xe9";
  CHECK(
      refusal(config) ==
      "data.root: '/data/caf?' is not UTF-8, which checkpoints keep; rename it, or make a link to "
      "it");
  config = good;
  config.output = "\xff";
  CHECK(refusal(config).starts_with("output: '?' is not UTF-8"));
}

TEST_CASE("a class whose name is not UTF-8 is refused by its name") {
  CHECK(message_of([] {
          tbn::check_class_names(tbn::image_spec({1, 8, 8}, {"good", "b\xe9"}), "folder");
        }) ==
        "data set 'folder': the name of class 'b?' is not UTF-8, which the results of a run must "
        "be; rename its folder");
  CHECK(message_of([] {
          tbn::check_class_names(tbn::image_spec({1, 8, 8}, {"\xc3\xa9t\xc3\xa9"}), "folder");
        }).empty());
}

TEST_CASE("a run that becomes longer says where its learning rate goes on") {
  const tbn::Config then =
      tbn::parse_config("{name: a, optim: {lr: 0.5}, train: {epochs: 2}}", "test");
  tbn::Config now = then;
  const tbn::ScheduleSpan two{.steps_per_epoch = 10, .total_steps = 20};
  CHECK(tbn::changed_schedule(now, then, two, 20).empty());
  now.train.epochs = 4;
  const tbn::ScheduleSpan four{.steps_per_epoch = 10, .total_steps = 40};
  // Half of a cosine, after the last of 20 steps: 0.25 (1 + cos(19 pi / 20)) = 0.00308.
  CHECK(tbn::changed_schedule(now, then, four, 20) ==
        "train.epochs was 2 and is 4: the learning rate goes on at 0.25, after 0.00308 in the last "
        "step");
}

TEST_CASE("a network whose inputs or classes are not the data set's is refused") {
  tbn::Config config = tbn::parse_config("{name: a, model: {type: mlp}}", "test");
  const tbn::Graph graph = tbn::training_graph(config, tbn::describe_data({.name = "mnist"}));
  CHECK(message_of([&] {
          tbn::check_data_fits(graph, tbn::image_spec({3, 32, 32}, {"a", "b"}), "m");
        }) ==
        "m: the network takes [1, 28, 28], and the samples are [3, 32, 32]; name the data set that "
        "it was trained on");
  CHECK(message_of([&] {
          tbn::check_data_fits(graph, tbn::image_spec({1, 28, 28}, {"a", "b"}), "m");
        }) ==
        "m: the network tells 10 classes apart, and the data set has 2; name the data set that it "
        "was trained on");
}

TEST_CASE("a channel that is constant is normalised by its mean alone") {
  const tbn::Config config = tbn::parse_config("{name: a, model: {type: mlp}}", "test");
  const tbn::ChannelStatistics statistics{.mean = {12}, .deviation = {0}};
  const tbn::Graph graph =
      tbn::training_graph(config, tbn::describe_data({.name = "mnist"}), &statistics);
  for (const tbn::Node& node : graph.nodes) {
    if (const auto* normalize = std::get_if<tbn::Normalize>(&node.op)) {
      CHECK(normalize->mean == std::vector<float>{12});
      CHECK(normalize->std == std::vector<float>{1});
      return;
    }
  }
  FAIL("no normalize node");
}

TEST_CASE("without centring, pixels are divided alone") {
  const tbn::Config config =
      tbn::parse_config("{name: a, model: {type: mlp}, data: {center: false}}", "test");
  const tbn::ChannelStatistics statistics{.mean = {33}, .deviation = {78}};
  const tbn::Graph graph =
      tbn::training_graph(config, tbn::describe_data({.name = "mnist"}), &statistics);
  const auto& normalize = std::get<tbn::Normalize>(graph.nodes.at(1).op);
  CHECK(normalize.mean == std::vector<float>{0});
  CHECK(normalize.std == std::vector<float>{78});
}
