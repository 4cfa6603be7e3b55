// Precedence, bases, inheritance of rules and groups, and what printing keeps.
#include <sys/stat.h>

#include <cstdlib>
#include <string>

#include "config/keys.h"
#include "config/load.h"
#include "support/catch.h"
#include "support/source_dir.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

namespace tbn {
namespace {

using test::read_file;
using test::TempDir;
using test::write_file;

Config parsed(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  return parse_config(yaml, "t.yaml", overrides);
}

std::string load_refusal(const std::filesystem::path& path) {
  try {
    load_config(path);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

const std::filesystem::path kConfigs = test::source_dir() / "configs";

}  // namespace

TEST_CASE("defaults give way to bases, bases to the file, the file to the command line") {
  TempDir dir;
  write_file(dir.path() / "deep/a.yaml",
             "optim: {lr: 1, momentum: 0.1}\ntrain: {epochs: 1, seed: 5}\n");
  write_file(dir.path() / "b.yaml",
             "base: deep/a.yaml\noptim: {lr: 2}\nschedule: {milestones: [1, 2]}\n");
  write_file(dir.path() / "c.yaml", "optim: {momentum: 0.2}\n");
  write_file(dir.path() / "run.yaml",
             "base: [b.yaml, c.yaml]\ntrain: {epochs: 3}\nschedule: {milestones: [7]}\noptim:\n");
  const Config config = load_config(dir.path() / "run.yaml",
                                    {"train.epochs=5", "model.width=0.5", "schedule={type: step}"});
  CHECK(config.name == "run");
  CHECK(config.optim.fields.lr == 2);
  CHECK(config.optim.fields.momentum == 0.2);
  CHECK(config.optim.fields.eps == OptimFields{}.eps);
  CHECK(config.train.epochs == 5);
  CHECK(config.train.seed == 5);
  CHECK(config.schedule.milestones == std::vector<std::int64_t>{7});
  CHECK(config.schedule.type == ScheduleType::kStep);
  CHECK(std::get<double>(config.model.options.at("width")) == 0.5);
}

TEST_CASE("a recorded configuration keeps what keys meant before there were such") {
  const std::string yaml = "data: {name: image_folder, test_limit: 40}";
  CHECK(parse_config(yaml, "t.yaml").data.limits == LimitRule::kClass);
  CHECK(parse_recorded_config(yaml, "t.yaml").data.limits == LimitRule::kFirst);
  CHECK(parse_recorded_config(yaml, "t.yaml", {"data.limits=class"}).data.limits ==
        LimitRule::kClass);
  CHECK(parse_config(yaml, "t.yaml").data.decode == Decode::kAuto);
  CHECK(parse_recorded_config(yaml, "t.yaml").data.decode == Decode::kReduce);
  CHECK(parse_recorded_config(yaml, "t.yaml").data.skip_most == 1);
  // What today's runs record says it itself.
  const Config config = parse_config(yaml, "t.yaml");
  CHECK(parse_recorded_config(print_config(config), "t.yaml") == config);
}

TEST_CASE("another model type drops the options of the earlier one") {
  TempDir dir;
  write_file(dir.path() / "a.yaml", "model: {width: 0.5, stem: imagenet}\n");
  write_file(dir.path() / "b.yaml", "base: a.yaml\nmodel: {type: mlp, hidden: [8, 9]}\n");
  const Config config = load_config(dir.path() / "b.yaml");
  CHECK(config.model.type == "mlp");
  CHECK(std::get<std::vector<std::int64_t>>(config.model.options.at("hidden")) ==
        std::vector<std::int64_t>{8, 9});
  const OptionMap other =
      load_config(dir.path() / "a.yaml", {"model.type=vgg_small"}).model.options;
  CHECK(std::get<double>(other.at("width")) == 1.0);
  CHECK_FALSE(other.contains("stem"));
}

TEST_CASE("missing, endless and nested bases are refused where they are named") {
  TempDir dir;
  const std::string at = dir.path().string() + "/";
  write_file(dir.path() / "a.yaml", "name: a\nbase: [b.yaml, gone.yaml]\n");
  write_file(dir.path() / "b.yaml", "base: a.yaml\n");
  CHECK(load_refusal(dir.path() / "a.yaml") ==
        at + "b.yaml:1:7: base: 'a.yaml' includes this file, and so itself\n" + at +
            "a.yaml:2:16: base: 'gone.yaml', named from the folder of this file, is not read: no "
            "such file");
  write_file(dir.path() / "own.yaml", "base: own.yaml\n");
  CHECK(load_refusal(dir.path() / "own.yaml") ==
        at + "own.yaml:1:7: base: a file cannot be its own base");
  CHECK(load_refusal(dir.path() / "none.yaml") == at + "none.yaml: no such file");
  CHECK(load_refusal(dir.path()) == dir.path().string() + ": is a folder; name a YAML file in it");
  write_file(dir.path() / "n0.yaml", "name: n\n");
  for (int i = 1; i <= 9; ++i) {
    write_file(dir.path() / ("n" + std::to_string(i) + ".yaml"),
               "base: n" + std::to_string(i - 1) + ".yaml\n");
  }
  CHECK(load_config(dir.path() / "n8.yaml").name == "n");
  CHECK(load_refusal(dir.path() / "n9.yaml") ==
        at + "n1.yaml:1:7: base: files are nested more than 8 deep");
}

TEST_CASE("pipes and devices are refused at once, as a configuration and as its base") {
  TempDir dir;
  const std::filesystem::path pipe = dir.path() / "pipe.yaml";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(load_refusal(pipe) == pipe.string() + ": is no regular file; a pipe is read as /dev/stdin");
  CHECK(load_refusal("/dev/zero").find("is no regular file") != std::string::npos);
  write_file(dir.path() / "a.yaml", "base: pipe.yaml\n");
  CHECK(load_refusal(dir.path() / "a.yaml").find("is no regular file") != std::string::npos);
}

TEST_CASE("a whole number may be written with an exponent") {
  CHECK(parsed("train: {epochs: 1e3}").train.epochs == 1000);
  CHECK(parsed("train: {epochs: 10.0}").train.epochs == 10);
  CHECK(parsed("train: {epochs: +7}").train.epochs == 7);
  CHECK(parsed("train: {seed: 9223372036854775807}").train.seed == 9223372036854775807);
  CHECK(parsed("optim: {lr: 1}").optim.fields.lr == 1.0);
  CHECK(parsed("optim: {lr: .5}").optim.fields.lr == 0.5);
}

TEST_CASE("a rule takes what it does not say from weights") {
  const Config config = parsed(
      "weights:\n  p: 8\n  alpha: layer\n  rules:\n"
      "    - {match: a, p: 2}\n    - {match: [b, c], p: 1}\n    - {match: d, encoding: binary}\n"
      "    - {match: e, encoding: float}\n    - {match: f, alpha: tile}\n");
  const WeightPolicy policy = weight_policy(config.weights);
  const auto tiled_with = [](std::int64_t p, AlphaScope scope) {
    return WeightEncoding(TiledWeights{.p = p, .alpha = scope});
  };
  CHECK(policy.standard == tiled_with(8, AlphaScope::kLayer));
  REQUIRE(policy.rules.size() == 5);
  CHECK(policy.rules[0].encoding == tiled_with(2, AlphaScope::kLayer));
  CHECK(policy.rules[1].encoding == tiled_with(1, AlphaScope::kLayer));
  CHECK(policy.rules[1].match == std::vector<std::string>{"b", "c"});
  CHECK(policy.rules[2].encoding == tiled_with(1, AlphaScope::kLayer));
  CHECK(policy.rules[3].encoding == WeightEncoding(FloatWeights{}));
  CHECK(policy.rules[4].encoding == tiled_with(8, AlphaScope::kTile));
}

TEST_CASE("a rule that says p alone is tiled even where weights are float or binary") {
  for (const std::string encoding : {"float", "binary"}) {
    const Config config =
        parsed("weights: {encoding: " + encoding + ", rules: [{match: a, p: 4}]}");
    CHECK(config.weights.rules[0].fields.encoding == "tiled");
    CHECK(config.weights.rules[0].fields.number("p") == 4);
  }
}

TEST_CASE("the float twin of a configuration is float below min_size too") {
  WeightsConfig weights = parsed("weights: {min_size: 100, small: binary}").weights;
  CHECK(weight_policy(weights).small == binary());
  weights.small = "float";
  CHECK(weight_policy(weights).small == WeightEncoding(FloatWeights{}));
  weights = parsed("weights: {min_size: 100}", {"weights.encoding=float"}).weights;
  CHECK(weight_policy(weights).standard == WeightEncoding(FloatWeights{}));
  CHECK(weight_policy(weights).small == WeightEncoding(FloatWeights{}));
}

TEST_CASE("the order of tiles is left to the network unless it is said") {
  const WeightPolicy open = weight_policy(
      parsed("weights: {p: 4, rules: [{match: a, p: 2}, {match: b, order: repeat}]}").weights);
  CHECK(open.order_by_steps);
  CHECK(open.rules[0].order_by_steps);
  CHECK_FALSE(open.rules[1].order_by_steps);
  for (const std::string order : {"repeat", "interleave"}) {
    const WeightPolicy said = weight_policy(parsed("weights: {p: 4, order: " + order +
                                                   ", rules: [{match: a, p: 2}, "
                                                   "{match: b, order: auto}]}")
                                                .weights);
    CHECK_FALSE(said.order_by_steps);
    CHECK_FALSE(said.rules[0].order_by_steps);
    CHECK(said.rules[1].order_by_steps);
    const TileOrder expected = order == "repeat" ? TileOrder::kRepeat : TileOrder::kInterleave;
    CHECK(std::get<TiledWeights>(said.standard).order == expected);
  }
}

TEST_CASE("every word of weights reaches the policy") {
  const Config config =
      parsed("weights: {p: 2, alpha: layer, alpha_from: scores, latent: full, min_size: 7}");
  const WeightPolicy policy = weight_policy(config.weights);
  CHECK(policy.min_size == 7);
  CHECK(policy.standard == WeightEncoding(TiledWeights{.p = 2,
                                                       .alpha = AlphaScope::kLayer,
                                                       .alpha_from = AlphaSource::kScores,
                                                       .latent = LatentForm::kFull}));
}

TEST_CASE("an optimiser group takes what it does not say from optim") {
  const Config config = parsed(
      "optim: {lr: 2, weight_decay: 0.5, groups: [{match: latents, type: adam, lr: 3}, {match: "
      "[norms, biases], weight_decay: 0}]}");
  REQUIRE(config.optim.groups.size() == 2);
  CHECK(config.optim.groups[0].fields.weight_decay == 0.5);
  CHECK(config.optim.groups[0].fields.lr == 3);
  CHECK(config.optim.groups[1].fields.type == OptimizerType::kSgd);
  CHECK(config.optim.groups[1].fields.lr == 2);
  CHECK(config.optim.groups[1].fields.weight_decay == 0);
}

TEST_CASE("a printed configuration loads back to the same one") {
  const std::vector<std::string> texts = {
      "name: a",
      "name: '010'\noutput: \"yes: \\\"no\\\" # \\\\ \\t\"\ndata: {root: '~'}",
      "output: \"\\xe4\\u20ac\"\ndata: {root: ' two  spaces '}",
      ("model: {type: resnet_small, channels: [8, 16], strides: [1, 2]}\n"
       "optim: {lr: 1e-17, eps: 0.1234567890123456}\n"
       "schedule: {milestones: [1, 5]}"),
      ("weights: {encoding: binary, rules: [{match: a, p: 4, alpha: layer}, "
       "{match: '*.b?', encoding: float}]}\n"
       "optim: {groups: [{match: latents, type: adamw, lr: 1}]}"),
  };
  for (const std::string& text : texts) {
    INFO(text);
    const Config config = parsed(text);
    const std::string printed = print_config(config);
    INFO(printed);
    CHECK(parsed(printed) == config);
    CHECK(print_config(parsed(printed)) == printed);
  }
}

TEST_CASE("the reference lists every key with its default") {
  const std::string reference = read_file(kConfigs / "reference.yaml");
  if (std::getenv("TBN_APPROVE") != nullptr && reference != reference_config()) {
    write_file(kConfigs / "reference.yaml", reference_config());
    FAIL("reference.yaml was rewritten; look at the difference, then run the test again");
  }
  CHECK(reference == reference_config());
  Config expected = parsed("name: reference");
  CHECK(load_config(kConfigs / "reference.yaml") == expected);
  expected.model.options.clear();
  CHECK(expected == Config{.name = "reference"});
  for (const std::string& key : config_keys("resnet18")) {
    const std::string leaf = key.substr(key.rfind('.') + 1);
    INFO(key);
    CHECK((reference.find(" " + leaf + ":") != std::string::npos ||
           reference.find("\n" + leaf + ":") != std::string::npos || leaf == "base"));
  }
}

TEST_CASE("every value of the reference may be given back on the command line") {
  const std::vector<std::string> keys = config_keys("resnet18");
  for (const std::string& key : keys) {
    const bool is_section = key.find('.') == std::string::npos ||
                            std::any_of(keys.begin(), keys.end(), [&](const std::string& other) {
                              return other.starts_with(key + ".");
                            });
    if (is_section || key.find("[]") != std::string::npos) continue;
    INFO(key);
    // A map is no value of any key: a key that exists is refused for its value, not as unknown.
    // Text of any kind is taken as it is typed, and may do nothing beside the other settings.
    try {
      parsed("name: a", {key + "={}"});
      CHECK(is_text_key(key, "resnet18"));
    } catch (const ConfigError& error) {
      const std::string start = "command line: " + key + ": ";
      const std::string said = error.what();
      CHECK((said.starts_with(start + "must be ") ||
             (is_text_key(key, "resnet18") && said.starts_with(start + "does nothing "))));
    }
  }
}

}  // namespace tbn
