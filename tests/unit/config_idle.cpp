// Settings that do nothing: every key with every data set and in every tool, typed, in a file of
// the user's and in a base.
#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "config/data_options.h"
#include "config/key_use.h"
#include "config/load.h"
#include "config/schema.h"
#include "data/registry.h"
#include "support/catch.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

namespace tbn {
namespace {

using test::TempDir;
using test::write_file;

// What each key means something for, written down a second time. Data: i images in memory, f
// folders of pictures, c clouds, p clouds with a validation split, g generated points, s series.
// Uses: T training, then a trained network on the test (t), validation (v) and training (r) split,
// and tbn-bench's d data, s train and i infer.
struct Expected {
  std::string key;
  std::string value;  // other than the default
  std::string data = "ifcpgs";
  std::string uses = "T";
  std::vector<std::string> beside = {};  // settings that it needs
};

const std::vector<Expected> kExpected = {
    {"name", "x", "ifcpgs", "Tdsi"},
    {"output", "x"},
    {"init.from", "x"},
    {"init.share", "0.4", "ifcpgs", "T", {"init.from=x"}},
    {"weights.encoding", "float", "ifcpgs", "Tsi"},
    {"weights.p", "8", "ifcpgs", "Tsi"},
    {"weights.alpha", "layer", "ifcpgs", "Tsi"},
    {"weights.alpha_from", "weight", "ifcpgs", "Tsi"},
    {"weights.latent", "full", "ifcpgs", "Tsi"},
    {"weights.order", "repeat", "ifcpgs", "Tsi"},
    {"weights.bits", "4", "ifcpgs", "Tsi", {"weights.encoding=uniform"}},
    {"weights.min_size", "9", "ifcpgs", "Tsi"},
    {"weights.small", "float", "ifcpgs", "Tsi", {"weights.min_size=9"}},
    {"weights.rules", "[{match: a, p: 2}]", "ifcpgs", "Tsi"},
    {"init.latent_scale", "0.2", "ifcpgs", "Ts"},
    {"init.latents", "kaiming_uniform", "ifcpgs", "Ts"},
    {"init.alphas", "both_signs", "ifcpgs", "Ts"},
    {"init.norms", "identity", "ifcpgs", "Ts"},
    {"init.norm_bias", "0.1", "ifcpgs", "Ts"},
    {"data.name", "", "ifcpgs", "Ttvrdsi"},
    {"data.root", "x", "ifcps", "Ttvrdsi"},
    {"data.validation", "7", "ifcg", "Tvrd"},
    {"data.split_seed", "7", "ifcpg", "Ttvrd", {"data.test_limit=5"}},
    {"data.limits", "first", "ifcpg", "Ttrd", {"data.train_limit=5", "data.test_limit=5"}},
    {"data.train_limit", "7", "ifcpgs", "Trd"},
    {"data.test_limit", "7", "ifcpgs", "Tt"},
    {"data.normalize", "false", "if", "Tsi"},
    {"data.center", "false", "if", "Tsi"},
    {"data.crop_padding", "2", "if", "Td"},
    {"data.flip", "true", "if", "Td"},
    {"data.randaugment", "2", "if", "Td"},
    {"data.magnitude", "5", "if", "Td", {"data.randaugment=1"}},
    {"data.cutout", "2", "if", "Td"},
    {"data.mixup", "0.2", "if", "Td"},
    {"data.cutmix", "0.2", "if", "Td"},
    {"data.image_size", "64", "f", "Ttvrdsi"},
    {"data.classes", "5", "f", "Ttvrdsi"},
    {"data.resize", "300", "f", "Ttvrd"},
    {"data.decode", "exact", "f", "Ttvrd"},
    {"data.exif", "turn", "f", "Ttvrd"},
    {"data.crop_min_area", "0.5", "f", "Td"},
    {"data.points.count", "64", "cpg", "Ttvrdsi"},
    {"data.points.normals", "true", "cpg", "Ttvrdsi"},
    {"data.points.dropout", "0.1", "cpg", "Td"},
    {"data.points.scale", "2", "cpg", "Td"},
    {"data.points.shift", "1", "cpg", "Td"},
    {"data.points.jitter", "1", "cpg", "Td"},
    {"data.points.rotate", "up", "cpg", "Td"},
    {"data.series.window", "24", "s", "Ttvrdsi"},
    {"data.series.horizon", "24", "s", "Ttvrdsi"},
    {"data.series.columns", "[a]", "s", "Ttvrdsi"},
    {"data.series.season", "24", "s", "Tsi"},
    {"data.on_error", "skip", "fcps", "Ttvrd"},
    {"data.skip_most", "0.5", "fcps", "Ttvrd", {"data.on_error=skip"}},
    {"data.resident", "off", "i"},
    {"data.threads", "2", "ifcpgs", "Ttvrd"},
    {"optim.type", "adam", "ifcpgs", "Ts"},
    {"optim.lr", "0.2", "ifcpgs", "Ts"},
    {"optim.weight_decay", "0.2", "ifcpgs", "Ts"},
    {"optim.momentum", "0.2", "ifcpgs", "Ts"},
    {"optim.nesterov", "true", "ifcpgs", "Ts"},
    {"optim.betas", "[0.5, 0.5]", "ifcpgs", "Ts", {"optim.type=adam"}},
    {"optim.second_moment", "row", "ifcpgs", "Ts", {"optim.type=adam"}},
    {"optim.rho", "0.5", "ifcpgs", "Ts", {"optim.type=adadelta"}},
    {"optim.eps", "0.5", "ifcpgs", "Ts", {"optim.type=adamw"}},
    {"optim.threshold", "0.5", "ifcpgs", "Ts", {"optim.type=bop"}},
    {"optim.groups", "[{match: norms, weight_decay: 0.5}]", "ifcpgs", "Ts"},
    {"schedule.type", "constant"},
    {"schedule.warmup_epochs", "1"},
    {"schedule.final_factor", "0.5"},
    {"schedule.peak_at", "0.5", "ifcpgs", "T", {"schedule.type=one_cycle"}},
    {"schedule.start_factor", "0.5", "ifcpgs", "T", {"schedule.type=one_cycle"}},
    {"schedule.milestones", "[2]", "ifcpgs", "T", {"schedule.type=step"}},
    {"schedule.every", "2", "ifcpgs", "T", {"schedule.type=step"}},
    {"schedule.gamma", "0.5", "ifcpgs", "T", {"schedule.type=step", "schedule.every=2"}},
    {"schedule.norm_gamma", "0.5", "ifcpgs", "T", {"schedule.type=step", "schedule.every=2"}},
    {"teacher.from", "x", "ifcpgs", "Ts"},
    {"teacher.weight", "0.5", "ifcpgs", "Ts", {"teacher.from=x"}},
    {"teacher.temperature", "3", "ifcpg", "Ts", {"teacher.from=x"}},
    {"teacher.views", "4", "ifcpgs", "T", {"teacher.from=x"}},
    {"teacher.cache", "x", "ifcpgs", "T", {"teacher.from=x", "teacher.views=4"}},
    {"train.epochs", "5"},
    {"train.batch_size", "5", "ifcpgs", "Tds"},
    {"train.eval_batch_size", "5"},
    {"train.label_smoothing", "0.1", "ifcpg", "Ts"},
    {"train.clip_norm", "1", "ifcpgs", "Ts"},
    {"train.ema", "0.5", "ifcpgs", "Ts"},
    {"train.orthogonal_penalty",
     "0.5",
     "cpg",
     "Ts",
     {"model.type=pointnet", "model.feature_transform=true"}},
    {"train.seed", "5", "ifcpgs", "Ts"},
    {"train.deterministic", "true", "ifcpgs", "Tsi"},
    {"train.device", "cpu", "ifcpgs", "Ts"},
    {"train.precision", "bf16", "ifcpgs", "Ts"},
    {"train.fused_optimizer", "on", "ifcpgs", "Ts"},
    {"train.cuda_graph", "on", "ifcpgs", "Ts"},
    {"train.channels_last", "false", "if", "Ts"},
    {"train.threads", "2", "ifcpgs", "Tsi"},
    {"train.checkpoint_every", "2"},
    {"train.checkpoint_minutes", "2"},
    {"train.epoch_steps", "2"},
    {"train.max_steps", "2"},
    {"export.scalars", "f16"},
};

char letter_of(const std::string& data_set) {
  switch (data_kind(data_set)) {
    case kStoredImageData:
      return 'i';
    case kPictureData:
      return 'f';
    case kCloudData:
      return 'c';
    case kPartCloudData:
      return 'p';
    case kSolidData:
      return 'g';
    case kSeriesData:
      return 's';
  }
  return '?';
}

bool has(const std::string& letters, char letter) { return letters.find(letter) != letters.npos; }

// "data: {flip: true}"
std::string yaml_of(const std::string& key, const std::string& value) {
  const std::size_t dot = key.find('.');
  if (dot == std::string::npos) return key + ": " + value;
  return key.substr(0, dot) + ": {" + yaml_of(key.substr(dot + 1), value) + "}";
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

std::vector<std::string> with(std::vector<std::string> settings, const std::string& more) {
  settings.push_back(more);
  return settings;
}

// A file whose data set is `data_set`, on a base that says `yaml`, or that says it itself.
struct Files {
  TempDir dir;

  std::string load(const std::string& base, const std::string& own,
                   const std::vector<std::string>& settings = {}) {
    write_file(dir / "base.yaml", (base.empty() ? "{}" : base) + "\n");
    write_file(dir / "own.yaml", "base: base.yaml\n" + own + "\n");
    return message_of([&] { config = load_config(dir / "own.yaml", settings); });
  }
  Config config;
};

}  // namespace

TEST_CASE("every key of the reference is in the table of uses, once") {
  std::multiset<std::string> rows;
  for (const KeyUse& use : key_uses()) rows.insert(std::string(use.key));
  std::set<std::string> values;
  const std::vector<std::string> keys = config_keys("resnet18");
  for (const std::string& key : keys) {
    const bool is_section = std::any_of(keys.begin(), keys.end(), [&](const std::string& other) {
      return other.starts_with(key + ".");
    });
    const bool is_element = has(key, '[');
    if (is_section || is_element || key.starts_with("model.") || key == "base") continue;
    INFO(key << ": say in src/config/key_use.cpp and in this test what it means something for");
    CHECK(rows.count(key) == 1);
    CHECK(std::count_if(kExpected.begin(), kExpected.end(),
                        [&](const Expected& each) { return each.key == key; }) == 1);
    values.insert(key);
  }
  CHECK(rows.size() == values.size());
  CHECK(kExpected.size() == values.size());
}

TEST_CASE("the kinds of data sets are those that their readers describe") {
  CHECK(kDataSets == dataset_names());
  for (const std::string& name : kDataSets) {
    INFO(name);
    const DatasetReader& reader = find_dataset(name);
    const DataKind kind = data_kind(name);
    CHECK((kind == kStoredImageData) == (reader.read != nullptr));
    CHECK((kind == kPictureData) == reader.folders_are_classes);
    CHECK((kind == kSolidData) == (reader.marker_files.empty() && name != "csv"));
    if (name == "csv" || kind == kPictureData) continue;
    const SampleSpec spec = reader.describe({.name = name});
    CHECK((kind == kSeriesData) == (spec.task.task == Task::kForecasting));
    CHECK((kind == kStoredImageData) == spec.bytes);
  }
}

TEST_CASE("a setting of other data is refused where it is typed or in the user's own file") {
  Files files;
  for (const std::string& data_set : kDataSets) {
    const std::string name = "data.name=" + data_set;
    for (const Expected& each : kExpected) {
      if (each.key == "data.name") continue;
      INFO(each.key << " with " << data_set);
      const bool means = has(each.data, letter_of(data_set));
      std::vector<std::string> typed = {name, each.key + "=" + each.value};
      if (means) typed.insert(typed.end(), each.beside.begin(), each.beside.end());
      const std::string said = message_of([&] { parse_config("name: a", "t", typed); });
      if (means) {
        CHECK(said == "");
        continue;
      }
      CHECK(said.starts_with("command line: " + each.key + ": is for "));
      CHECK(said.ends_with("; leave it out"));
      // A file that says its data set, and that is told its data set by the command line.
      const std::string base = "data: {name: " + data_set + "}";
      const std::string own = yaml_of(each.key, each.value);
      CHECK(files.load(base, own).find("own.yaml:2:") != std::string::npos);
      CHECK(files.load("", own, {name}) == "");
      // A shared recipe may say it, and what it says is left out.
      CHECK(files.load(own, base) == "");
      const Config expected = parse_config("name: own", "t", {name});
      CHECK(files.config == expected);
    }
  }
}

TEST_CASE("a setting that a tool does not look at is refused") {
  const std::vector<std::pair<char, ConfigUse>> uses = {
      {'T', kUseTraining},     {'d', kUseTimedReading}, {'s', kUseTimedStep},
      {'i', kUseTimedForward}, {'t', kUseTestSplit},    {'v', kUseValidationSplit},
      {'r', kUseTrainingSplit}};
  Files files;
  write_file(files.dir / "own.yaml", "{}\n");
  for (const Expected& each : kExpected) {
    for (const auto& [letter, use] : uses) {
      INFO(each.key << " in " << letter);
      CHECK(idle_in(each.key, use).empty() == has(each.uses, letter));
    }
  }
  for (const ConfigUse use : {kUseTimedReading, kUseTestSplit}) {
    CHECK_FALSE(idle_in("model.width", use).empty());
  }
  CHECK(message_of([] { change_data({}, {"optim.lr=3"}, kUseTestSplit); }) ==
        "command line: optim.lr: does nothing for a network that is trained already; leave it out");
  CHECK(message_of([] { change_data({}, {"data.validation=3"}, kUseTestSplit); }) ==
        "command line: data.validation: does nothing for the test split; leave it out");
  // Of whatever family.
  CHECK(message_of([] { change_data({}, {"model.heads=3"}, kUseTrainingSplit); }) ==
        "command line: model.heads: does nothing for a network that is trained already; leave it "
        "out");
  CHECK(change_data({}, {"data.test_limit=3"}, kUseTestSplit).test_limit == 3);
  CHECK(message_of([&] {
          load_config(files.dir / "own.yaml", {"model.width=0.5"}, kUseTimedReading);
        }) == "command line: model.width: does nothing for tbn-bench data; leave it out");
}

TEST_CASE("a setting that another one switches off is refused where it is typed") {
  for (const Expected& each : kExpected) {
    if (each.beside.empty() || each.key == "data.split_seed") continue;  // that one is below
    INFO(each.key);
    const char kind = each.data.front();
    const std::string name = kind == 'i' ? "mnist" : kind == 'c' ? "modelnet40" : "image_folder";
    const std::string alone = each.key + "=" + each.value;
    std::vector<std::string> settings = {"data.name=" + name, "data.validation=0", alone};
    const std::string said = message_of([&] { parse_config("name: a", "t", settings); });
    CHECK(said.starts_with("command line: " + each.key + ": "));
    settings = with(each.beside, "data.name=" + name);
    CHECK(message_of([&] { parse_config("name: a", "t", with(settings, alone)); }) == "");
  }
  CHECK(message_of([] {
          parse_config("name: a", "t", {"optim.type=adam", "optim.momentum=0.5"});
        }) == "command line: optim.momentum: does nothing without optim.type: sgd; leave it out");
  CHECK(message_of([] { change_data({}, {"data.split_seed=3"}, kUseTestSplit); }) ==
        "command line: data.split_seed: does nothing without samples that are held out or limited "
        "by class; leave it out");
  CHECK(change_data({}, {"data.split_seed=3", "data.test_limit=9"}, kUseTestSplit).split_seed == 3);
  // Not judged yet.
  CHECK(change_data({}, {"data.split_seed=3"}, 0).split_seed == 3);
  // A group has another optimiser.
  const std::string group = "optim: {groups: [{match: latents, type: adam, lr: 0.1}]}";
  CHECK(parse_config(group, "t", {"optim.eps=0.5"}).optim.groups.at(0).fields.eps == 0.5);
}

TEST_CASE(
    "steps of a schedule that come after the end are refused where typed, and said elsewhere") {
  const std::string step = "schedule.type=step";
  const auto typed = [&](const std::string& setting, const std::string& epochs) {
    return message_of([&] {
      parse_config("name: a", "t", {step, setting, "train.epochs=" + epochs});
    });
  };
  CHECK(typed("schedule.milestones=[20,30]", "20") ==
        "command line: schedule.milestones: does nothing without a milestone below train.epochs; "
        "leave it out");
  CHECK(typed("schedule.milestones=[20,30]", "21") == "");
  CHECK(typed("schedule.every=20", "20") ==
        "command line: schedule.every: does nothing without train.epochs above it; leave it out");
  CHECK(typed("schedule.every=20", "21") == "");
  const auto said = [](const std::string& schedule, const std::string& epochs) {
    return beyond_end(parse_config("schedule: " + schedule, "t", {"train.epochs=" + epochs}));
  };
  const std::string late = "{type: step, milestones: [20, 30, 40]}";
  CHECK(said(late, "41") == "");
  CHECK(said(late, "30") ==
        "schedule.milestones: 30, 40 not below train.epochs (30): the learning "
        "rate is not lowered there");
  CHECK(said("{type: step, every: 9}", "9") ==
        "schedule.every: 9 not below train.epochs (9): the learning rate is not lowered there");
  CHECK(said("{type: step, every: 9}", "10") == "");
  CHECK(said("{type: cosine}", "1") == "");
}

TEST_CASE("that nothing is held out may be said of all data") {
  for (const std::string& data_set : kDataSets) {
    const std::vector<std::string> none = {"data.name=" + data_set, "data.validation=0"};
    CHECK(parse_config("name: a", "t", none).data.validation == 0);
  }
}

TEST_CASE("what a program keeps is no mistake of the user's") {
  Files files;
  CHECK(files.load("data: {name: cifar10, flip: true}", "data: {name: etth1}") == "");
  const std::string printed = print_config(files.config);
  CHECK(printed.find("flip: false") != std::string::npos);
  CHECK(files.load("", printed) == "");  // says every default, of every kind of data
  CHECK(parse_recorded_config("data: {name: etth1, flip: true}", "t").data.flip == false);
  CHECK(message_of([] { parse_recorded_config("data: {name: etth1}", "t", {"data.flip=true"}); }) !=
        "");
  // Values that are wrong are wrong, whether they are used or not.
  CHECK(files.load("data: {flip: 3}", "data: {name: etth1}") != "");
}

TEST_CASE("what a resumed run is told on purpose is told from the defaults") {
  Files files;
  write_file(files.dir / "a.yaml", "data: {limits: class}\n");
  const ResumedConfig said = load_resumed_config(
      files.dir / "a.yaml", {"data.decode=auto", "data.name=image_folder", "data.train_limit=5"});
  CHECK(said.as_earlier.data.limits == LimitRule::kClass);
  CHECK(said.as_earlier.data.decode == Decode::kAuto);
  CHECK(said.config.data.skip_most == 0.1);
  CHECK(said.as_earlier.data.skip_most == 1);
  CHECK(said.as_earlier.name == "a");
}

}  // namespace tbn
