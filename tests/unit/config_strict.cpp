// What the loader refuses, with the exact sentence and place of each refusal.
#include <string>
#include <vector>

#include "config/load.h"
#include "config/problems.h"
#include "support/catch.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// The message of the ConfigError, or "accepted".
std::string refusal(const std::string& yaml, const std::vector<std::string>& overrides = {}) {
  try {
    parse_config(yaml, "t.yaml", overrides);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

struct Case {
  std::string yaml;
  std::string message;
};

}  // namespace

TEST_CASE("all problems of a file are reported together, by line") {
  CHECK(refusal("optim:\n  lrr: 0.1\n  lr: 2\n  lr: 3\n  momentum: 1\ntrain:\n  epochs: many\n",
                {"schedule.type=cosin", "data.flips=true"}) ==
        "t.yaml:2:3: optim.lrr: unknown key (did you mean optim.lr?)\n"
        "t.yaml:4:3: optim.lr: duplicate key, given on line 3 before\n"
        "t.yaml:5:13: optim.momentum: must be between 0 and 1 (1 excluded), is 1\n"
        "t.yaml:7:11: train.epochs: must be a whole number, is 'many'\n"
        "command line: data.flips: unknown key (did you mean data.flip?)\n"
        "command line: schedule.type: must be constant, cosine, one_cycle or step, is 'cosin' (did "
        "you mean cosine?)");
}

TEST_CASE(
    "an element of a list that is refused is one problem, whatever the list would then mean") {
  const std::string longer(4097, 'x');
  CHECK(refusal("weights: {rules: [{match: " + longer + ", p: 2}]}") ==
        "t.yaml:1:27: weights.rules[0].match[0]: is longer than 4,096 bytes");
  CHECK(refusal("weights: {rules: [{match: [a, [b]], p: 2}]}") ==
        "t.yaml:1:31: weights.rules[0].match[1]: must be text, is a list");
  CHECK(refusal("optim: {groups: [{match: [" + longer + "], lr: 1}]}") ==
        "t.yaml:1:27: optim.groups[0].match[0]: is longer than 4,096 bytes");
  CHECK(refusal("schedule: {type: step, milestones: [5, x]}") ==
        "t.yaml:1:40: schedule.milestones[1]: must be a whole number, is 'x'");
}

TEST_CASE("a value of the wrong type is refused with what it is") {
  const std::vector<Case> cases = {
      {"train: {epochs: 1.5}", "1:17: train.epochs: must be a whole number, is 1.5"},
      {"train: {epochs: '3'}", "1:17: train.epochs: must be a whole number, is the text '3'"},
      {"train: {epochs: 010}",
       "1:17: train.epochs: '010' is ambiguous (octal to some readers of YAML); leave out the "
       "zero"},
      {"train: {epochs: 0x10}", "1:17: train.epochs: must be a whole number, is '0x10' (write 16)"},
      {"train: {epochs: 1_000}",
       "1:17: train.epochs: must be a whole number, is '1_000' (write 1000)"},
      {"train: {epochs: }", "1:17: train.epochs: has no value, must be a whole number"},
      {"data: {resident: }", "1:18: data.resident: has no value, must be auto, on or off"},
      {"optim: {type: [adam]}",
       "1:15: optim.type: must be sgd, adam, adamw, adadelta or bop, is a list"},
      {"init: {norms: {a: 1}}", "1:15: init.norms: must be apart or identity, is a map"},
      {"train: {epochs: 0}", "1:17: train.epochs: must be between 1 and 1000000, is 0"},
      {"train: {seed: 9223372036854775808}",
       "1:15: train.seed: 9223372036854775808 does not fit into 64 bits"},
      {"optim: {lr: .nan}", "1:13: optim.lr: must be finite, is .nan"},
      {"optim: {lr: -.inf}", "1:13: optim.lr: must be finite, is -.inf"},
      {"optim: {lr: 1e999}", "1:13: optim.lr: 1e999 is beyond the range of a double"},
      {"optim: {lr: [1]}", "1:13: optim.lr: must be a number, is a list"},
      {"optim: {eps: 0}", "1:14: optim.eps: must be above 0, is 0"},
      {"optim: {nesterov: yes}", "1:19: optim.nesterov: must be true or false, is 'yes'"},
      {"optim: {nesterov: on}", "1:19: optim.nesterov: must be true or false, is 'on'"},
      {"optim: {nesterov: True}", "1:19: optim.nesterov: must be true or false, is 'True'"},
      {"optim: {betas: 0.9}", "1:16: optim.betas: must be a list, is '0.9' (write [0.9])"},
      {"schedule: {milestones: abc}", "1:24: schedule.milestones: must be a list, is 'abc'"},
      {"optim: {betas: [0.9, 1]}",
       "1:22: optim.betas[1]: must be between 0 and 1 (1 excluded), is 1"},
      {"optim: 3", "1:8: optim: must be a map of keys, is '3'"},
      {"weights: {rules: {}}", "1:18: weights.rules: must be a list, is a map (write [] for none)"},
      {"data: {root: [a]}", "1:14: data.root: must be text, is a list"},
      {"model: {type: resnet81}",
       "1:15: model.type: must be mlp, vgg_small, resnet_small, resnet18, resnet34, resnet50, "
       "convmixer, mlp_mixer, vit, vit_tiny, vit_imagenet, swin_t, swin_t_imagenet, pointnet, "
       "pointnet_part_seg, pointnet_sem_seg, series_transformer, itransformer, dlinear, tsmixer or "
       "custom, is 'resnet81' (did you mean resnet18?)"},
      {"model: {width: 40}", "1:16: model.width: must be between 0.05 and 16, is 40"},
      {"model: {widht: 2}", "1:9: model.widht: unknown key (did you mean model.width?)"},
      {"lr: 2", "1:1: lr: unknown key (did you mean optim.lr?)"},
      {"optim.lr: 2",
       "1:1: optim.lr: dotted keys are for the command line; in a file, indent 'lr:' under its "
       "section"},
  };
  for (const Case& c : cases) {
    INFO(c.yaml);
    CHECK(refusal(c.yaml) == "t.yaml:" + c.message);
  }
}

TEST_CASE("YAML that surprises is refused with its place") {
  const std::vector<Case> cases = {
      {"", ": must be a map of keys, is empty"},
      {"# nothing\n", ": must be a map of keys, is empty"},
      {"[1]", ":1:1: must be a map of keys, is a list"},
      {"name", ":1:1: must be a map of keys, is 'name'"},
      {"optim: {lr: 1", ":2:1: not valid YAML: end of map flow not found"},
      {"name: 'x", ":2:1: not valid YAML: a quote is not closed"},
      {"optim:\n\tlr: 1", ":2:1: a tab in the indentation; use spaces"},
      {std::string("name: a\nname\x04: b"),
       ":2:5: control character 4; a configuration is UTF-8 text"},
      {"name: \"\xe9\"", ":1:8: byte 233 is no character; a configuration is UTF-8 text"},
      {"name: a\n---\nname: b",
       ":2:1: a second document begins here; a configuration is one document"},
      {"name: &n a\noutput: *n",
       ":2:9: output: aliases (*) are not supported; use base: or write it out"},
      {"optim:\n  <<: {lr: 1}",
       ":2:3: optim.<<: merge keys are not supported; use base: or write the keys out"},
      {"train: {epochs: !!int 3}",
       ":1:17: train.epochs: tags are not supported, is 'tag:yaml.org,2002:int'"},
      {"? [1]\n: 2", ":1:3: a key must be a word; is a bracket left open?"},
      {"base: x.yaml", ":1:7: base: is only for files"},
  };
  for (const Case& c : cases) {
    INFO(c.yaml);
    const std::string message = refusal(c.yaml);
    CHECK(message.substr(0, message.find('\n')) == "t.yaml" + c.message);
  }
}

TEST_CASE("settings that contradict each other are refused") {
  const std::vector<Case> cases = {
      {"optim: {betas: [0.9]}", "1:9: optim.betas: must be two numbers, is 1"},
      {"optim: {nesterov: true, momentum: 0}", "1:9: optim.nesterov: needs momentum above 0, is 0"},
      {"optim: {type: bop, lr: 2}",
       "1:20: optim.lr: of bop is the newest gradient's share of the mean: at most 1, is 2"},
      {"{teacher: {from: t, views: 4}, data: {cutmix: 1}}",
       "1:21: teacher.views: keeps the teacher's outputs for single images, and data.cutmix mixes "
       "images anew in every epoch; leave one of the two out"},
      {"weights: {alpha_from: scores}",
       "1:11: weights.alpha_from: scores of shared latents give each slice the same scalars; use "
       "alpha: layer, or latent: full"},
      {"weights: {rules: [{p: 2}]}",
       "1:19: weights.rules[0].match: is missing: say which names this is for"},
      {"weights: {rules: [{match: [], p: 2}]}",
       "1:27: weights.rules[0].match: must name something, is empty"},
      {"weights: {rules: [{match: a, encoding: binary, p: 2}]}",
       "1:51: weights.rules[0].p: binary weights have p = 1, is 2; write encoding: tiled"},
      {"weights: {rules: [{match: a, encoding: float, p: 2}]}",
       "1:50: weights.rules[0].p: has no meaning for float weights; leave it out"},
      {"optim: {groups: [{match: latents, type: adam}]}",
       "1:18: optim.groups[0].lr: is missing: adam needs a learning rate of its own beside sgd"},
      {"schedule: {type: step}",
       "1:12: schedule.type: step needs schedule.milestones or schedule.every"},
      {"schedule: {type: step, every: 2, milestones: [3]}",
       "1:12: schedule.type: step takes schedule.milestones or schedule.every, not both"},
      {"schedule: {type: step, milestones: [3, 2]}", "1:24: schedule.milestones: must ascend"},
      {"schedule: {warmup_epochs: 10}",
       "1:12: schedule.warmup_epochs: must be below train.epochs (10), is 10"},
      {"train: {device: cuda:x}",
       "1:9: train.device: must be auto, cpu, cuda or cuda:N with N below 100, is 'cuda:x'"},
      {"name: a/b", "1:1: name: must be a plain folder name of at most 200 bytes, is 'a/b'"},
  };
  for (const Case& c : cases) {
    INFO(c.yaml);
    CHECK(refusal(c.yaml) == "t.yaml:" + c.message);
  }
}

TEST_CASE("overrides that are no settings are refused by name") {
  CHECK(refusal("name: a", {"verbose"}) ==
        "command line: 'verbose' is no setting: write key.sub=value");
  CHECK(refusal("name: a", {"optim..lr=1"}) ==
        "command line: optim..lr: is no key: write section.key=value");
  CHECK(refusal("name: a", {"weights.rules[0].p=2"}) ==
        "command line: weights.rules[0].p: elements of a list cannot be set one by one: give all "
        "of it");
  CHECK(refusal("name: a", {"optim.lr=[1"}) ==
        "command line: optim.lr: a key must be a word; is a bracket left open?");
  CHECK(refusal("name: a", {"base=x"}) == "command line: base: is only for files");
  CHECK(refusal("name: a", {std::string(100000, '.') + "=1"}).find("is no key") !=
        std::string::npos);
}

TEST_CASE("hostile YAML ends in a message within bounds") {
  CHECK(refusal(std::string(1000001, 'a')) == "t.yaml: larger than 1,000,000 bytes");
  CHECK(refusal(std::string(500000, '[')).find("t.yaml:1:") == 0);
  CHECK(
      refusal("a: " + std::string(90, '[') + std::string(90, ']')).find("nested deeper than 80") !=
      std::string::npos);
  std::string many;
  for (int i = 0; i < 60000; ++i) many += "k" + std::to_string(i) + ": 1\n";
  CHECK(refusal(many).find("more than 100,000 values") != std::string::npos);
  std::string unknown;
  for (int i = 0; i < 40000; ++i) unknown += "k" + std::to_string(i) + ": 1\n";
  const std::string message = refusal(unknown);
  CHECK(message.size() < 10000);
  CHECK(message.find("and 39950 more problems") != std::string::npos);
}

TEST_CASE("every prefix of a configuration is read or refused, never a crash") {
  const std::string text =
      "name: \"a\\n\"\noptim: {lr: 1e-2, betas: [0.9, 0.99]}\nweights:\n  rules:\n"
      "    - match: ['a*', b]\n      p: 8\n    - {match: c, encoding: float}\n";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    for (const char c : {'\0', '\t', '{', '*', '\xff', ':'}) {
      const std::string message = refusal(text.substr(0, length) + c);
      if (message != "accepted") CHECK(message.rfind("t.yaml", 0) == 0);
    }
  }
}

TEST_CASE("edit distance counts a swap as one") {
  CHECK(edit_distance("", "abc") == 3);
  CHECK(edit_distance("kitten", "sitting") == 3);
  CHECK(edit_distance("widht", "width") == 1);
  CHECK(edit_distance("same", "same") == 0);
  CHECK(nearest("optim.zzzzzzz", {"optim.lr", "train.seed"}).empty());
}

}  // namespace tbn
