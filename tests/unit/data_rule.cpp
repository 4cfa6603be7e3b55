// What data sets say of themselves in a rule: every setting of `data:` belongs somewhere, and what
// is the rule's changes its text.
#include "data/data_rule.h"

#include <map>
#include <set>

#include "config/data_options.h"
#include "config/load.h"
#include "data/registry.h"
#include "support/catch.h"
#include "support/errors.h"
#include "support/jpeg_writer.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

namespace fs = std::filesystem;

// Images of three classes in train/ and test/.
void write_folders(const fs::path& root) {
  const std::string jpeg = jpeg_bytes(gradient_pixels(20, 24), 20, 24, 90);
  for (const char* split : {"train", "test"}) {
    for (const char* name : {"a", "b", "c"}) {
      for (int i = 0; i < 4; ++i)
        write_file(root / split / name / (std::to_string(i) + ".jpg"), jpeg);
    }
  }
}

void write_modelnet(const fs::path& root) {
  std::string cloud;
  for (int i = 0; i < 20; ++i) cloud += std::to_string(i) + ",1,2,0,0,1\n";
  for (const char* split : {"train", "test"}) {
    write_file(root / (std::string("modelnet40_") + split + ".txt"), "bed_0001\nbed_0002\n");
  }
  for (const char* id : {"bed_0001", "bed_0002"}) {
    write_file(root / "bed" / (std::string(id) + ".txt"), cloud);
  }
}

void write_csv(const fs::path& path) {
  std::string text = "date,load,oil,wind\n";
  for (int i = 0; i < 200; ++i) {
    text += "2020-01-" + std::to_string(10 + i / 24) + " " + (i % 24 < 10 ? "0" : "") +
            std::to_string(i % 24) + ":00:00," + std::to_string(i * i % 37) + "," +
            std::to_string(i * 7 % 11) + "," + std::to_string(i * 5 % 13) + "\n";
  }
  write_file(path, text);
}

class Data {
 public:
  Data() {
    write_folders(dir_ / "folders");
    write_modelnet(dir_ / "modelnet");
    write_csv(dir_ / "s.csv");
  }
  // The rule's texts with these settings.
  std::map<std::string, std::string> rule(const std::string& name,
                                          std::vector<std::string> settings) const {
    return metadata_of(load_data(options(name, std::move(settings))).rule);
  }
  DataOptions options(const std::string& name, std::vector<std::string> settings) const {
    const fs::path root = name == "csv"          ? dir_ / "s.csv"
                          : name == "modelnet40" ? dir_ / "modelnet"
                                                 : dir_ / "folders";
    for (std::string& setting : settings) setting.insert(0, "data.");
    settings.insert(settings.begin(), {"data.name=" + name, "data.root=" + root.string()});
    const char* const small =
        "data: {validation: 0, image_size: 8, points: {count: 16}, series: {window: 8, horizon: "
        "4}}";
    return data_options(parse_config(small, "test", settings).data);
  }

 private:
  TempDir dir_;
};

struct Change {
  const char* data;
  std::vector<std::string> before, after;
};

// What the rule says: each with a change that its text must show.
const std::map<std::string, Change>& rules() {
  static const std::map<std::string, Change> all = {
      {"data.name", {"image_folder", {"name=image_folder"}, {"name=csv"}}},  // see the test
      {"data.validation", {"image_folder", {}, {"validation=2"}}},
      {"data.split_seed", {"image_folder", {}, {"split_seed=9"}}},
      {"data.train_limit", {"image_folder", {}, {"train_limit=5"}}},
      {"data.test_limit", {"image_folder", {}, {"test_limit=5"}}},
      {"data.limits", {"image_folder", {"test_limit=5"}, {"test_limit=5", "limits=first"}}},
      {"data.resize", {"image_folder", {}, {"resize=19"}}},
      {"data.on_error", {"image_folder", {}, {"on_error=skip"}}},
      {"data.skip_most", {"image_folder", {"on_error=skip"}, {"on_error=skip", "skip_most=0.5"}}},
      {"data.decode", {"image_folder", {}, {"decode=reduce"}}},
      {"data.exif", {"image_folder", {}, {"exif=turn"}}},
      {"data.points.normals", {"modelnet40", {}, {"points.normals=true"}}},
      {"data.series.columns", {"csv", {}, {"series.columns=[oil, load]"}}},
  };
  return all;
}

// The graph says these: sizes, and the normalisation of images.
const std::set<std::string> kGraph = {
    "data.normalize",     "data.center",         "data.image_size", "data.points.count",
    "data.series.window", "data.series.horizon", "data.classes",    "data.series.season"};
const std::set<std::string> kTraining = {
    "data.crop_padding",   "data.flip",         "data.randaugment",  "data.magnitude",
    "data.cutout",         "data.mixup",        "data.cutmix",       "data.crop_min_area",
    "data.points.dropout", "data.points.scale", "data.points.shift", "data.points.jitter",
    "data.points.rotate"};
const std::set<std::string> kMachine = {"data.root", "data.resident", "data.threads"};
const std::set<std::string> kSections = {"data", "data.points", "data.series"};

}  // namespace

TEST_CASE("every setting of data is the rule's, the graph's, training's or the machine's") {
  for (const std::string& key : config_keys("resnet18")) {
    if (!key.starts_with("data") || kSections.count(key) > 0) continue;
    INFO(
        key << ": say in this test whose it is; if it changes inputs, outputs or splits, the rule");
    CHECK(rules().count(key) + kGraph.count(key) + kTraining.count(key) + kMachine.count(key) == 1);
  }
}

TEST_CASE("what the rule says of a setting changes with it") {
  const Data data;
  for (const auto& [key, change] : rules()) {
    INFO(key);
    if (key == "data.name") {
      CHECK(data.rule("image_folder", {}).at("tbn.measured") !=
            data.rule("csv", {}).at("tbn.measured"));
      continue;
    }
    CHECK(data.rule(change.data, change.before) != data.rule(change.data, change.after));
  }
  for (const std::string setting :
       {"flip=true", "crop_min_area=0.5", "threads=2", "normalize=false"}) {
    CHECK(data.rule("image_folder", {setting}) == data.rule("image_folder", {}));
  }
}

TEST_CASE("a rule says how inputs are made and what outputs are called") {
  const Data data;
  const Rule folders = rule_from(data.rule("image_folder", {"resize=10"}), "t");
  REQUIRE(folders.input);
  CHECK(folders.input->kind == "image");
  CHECK(std::get<ResizeStep>(folders.input->steps.end()[-2]).shorter == 10);
  CHECK(folders.input->check.has_value());
  CHECK(folders.output == OutputRule{.kind = "class", .classes = {"a", "b", "c"}});
  CHECK(folders.measured->splits.at("train").count == 12);
  CHECK(folders.measured->test_folder == "test");
  const Rule points = rule_from(data.rule("modelnet40", {}), "t");
  CHECK(points.input->steps ==
        std::vector<InputStep>{FirstStep{2048}, CentreStep{}, ScaleStep{}, ChooseStep{false}});
  CHECK(points.input->columns == std::vector<std::string>{"x", "y", "z"});
  CHECK(points.input->up == "y");
  CHECK(points.output->classes.size() == 40);
  const Rule series = rule_from(data.rule("csv", {}), "t");
  CHECK(series.output->kind == "forecast");
  CHECK(series.input->columns == std::vector<std::string>{"load", "oil", "wind"});
  CHECK(series.input->seconds == 3600);
  CHECK(std::get<StandardiseStep>(series.input->steps.at(0)).mean.size() == 3);
  CHECK(series.measured->rows == std::vector<std::int64_t>{140, 20, 40});
}

TEST_CASE("what a rule says of a series reads the table again as it was, to the bit") {
  const Data data;
  const Rule rule = rule_from(data.rule("csv", {}), "t");
  REQUIRE(is_of_series(rule));
  const SeriesRule series = series_of(rule, true);
  CHECK(series.rows == SeriesRows{.train = 140, .validation = 20, .test = 40});
  CHECK(series_of(rule, false).rows == SeriesRows{});
  DataOptions options = data.options("csv", {});
  options.series.rule = series;
  const DataSplits splits = load_data(options);
  CHECK(splits.notes.empty());
  CHECK(splits.series == series);
  CHECK(splits.rule == rule);
  CHECK(!is_of_series(rule_from(data.rule("image_folder", {}), "t")));
}

TEST_CASE("generated parts of objects name their categories, and are drawn") {
  const DataOptions options = data_options(
      parse_config("name: test", "test",
                   {"data.name=shape_parts", "data.points.count=32", "data.validation=0"})
          .data);
  const Rule rule = load_data(options).rule;
  CHECK(rule.input->steps == std::vector<InputStep>{CentreStep{}, ScaleStep{}, ChooseStep{true}});
  CHECK(rule.output->kind == "point_class");
  REQUIRE(rule.output->categories.size() == 6);
  CHECK(rule.output->categories[1] == LabelRange{"chair", 2, 4});
  CHECK(rule.output->classes[2] == "chair seat");
}

TEST_CASE("data that changed is told from data that did not") {
  const MeasuredRule then{.data = "image_folder",
                          .test_folder = "val",
                          .splits = {{"train", {12, 7u}}, {"test", {5, 9u}}}};
  CHECK(difference(then, then, "r").of_training.empty());
  CHECK(difference(then, then, "r").of_test.empty());
  MeasuredRule now = then;
  now.splits["train"].count = 13;
  CHECK(difference(then, now, "r").of_training ==
        "'r' knew 12 train samples, and there are 13 now");
  CHECK(difference(then, now, "r").of_test.empty());
  now = then;
  now.splits["test"].listing = 8u;
  CHECK(says(difference(then, now, "r").of_test, {"5 test samples", "00000009", "00000008"}));
  now = then;
  now.test_folder = "test";
  CHECK(says(difference(then, now, "r").of_training, {"'val'", "'test'"}));
  CHECK(says(difference(then, now, "r").of_test, {"'val'", "'test'"}));
  now = then;
  now.splits["validation"] = {4, 3u};
  CHECK(says(difference(then, now, "r").of_training, {"'r' held", "out of training", "own now"}));
  CHECK(says(difference(now, then, "r").of_training, {"'r' was trained beside", "none now"}));
  now.splits.erase("train");
  CHECK(difference(then, now, "r").of_training.empty());
  now = then;
  now.data = "csv";
  now.test_folder = "test";
  CHECK(difference(then, now, "r").of_training.empty());

  Rule trained{.output = OutputRule{.kind = "class", .classes = {"a", "b"}}, .measured = then};
  Rule found = trained;
  CHECK(check_same_data(trained, found, "r").empty());
  found.output->classes = {"a", "c"};
  CHECK(says(message_of<DataError>([&] { check_same_data(trained, found, "r"); }),
             {"r: the data has no class 'b' any more, and has a class 'c'; ",
              "name the classes as they were, or start another run from its weights with name=... "
              "init.from=r"}));
  const auto other = [&](const std::vector<std::string>& classes) {
    found.output->classes = classes;
    return message_of<DataError>([&] { check_same_data(trained, found, "r"); });
  };
  CHECK(says(other({"a"}), {"the data has no class 'b' any more (1 now, and 2 then)"}));
  CHECK(says(other({"a", "b", "c"}), {"has a class 'c', which it had not (3 now, and 2 then)"}));
  CHECK(says(other({"b", "a"}), {"'b' is where the class 'a' was"}));
  CHECK(says(other({"a", "b", "b"}), {"a class is twice (3 now, and 2 then)"}));
  CHECK(check_same_data({}, found, "r").empty());
}
