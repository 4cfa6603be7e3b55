// Values of the command line: as typed where a key holds text, YAML elsewhere; and what is advised
// for numbers that are none.
#include <algorithm>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/keys.h"
#include "config/load.h"
#include "config/number_advice.h"
#include "support/catch.h"
#include "support/temp_dir.h"
#include "tbn/error.h"

namespace tbn {
namespace {

Config configured(const std::vector<std::string>& settings, const std::string& yaml = "name: a") {
  return parse_config(yaml, "t.yaml", settings);
}

const std::string kNotText =
    "is not UTF-8, which checkpoints keep; rename it, or make a link to it";

std::string refusal(const std::vector<std::string>& settings, const std::string& yaml = "name: a") {
  try {
    configured(settings, yaml);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "accepted";
}

// Texts that YAML reads as something else, or not at all.
const std::vector<std::string> kTexts = {"mnist #2",
                                         "#2",
                                         " # ",
                                         "null",
                                         "~",
                                         "yes",
                                         "1e5",
                                         " a: b",
                                         "a: b",
                                         "*x",
                                         "&x",
                                         "!t",
                                         "[",
                                         "]",
                                         "{",
                                         "}",
                                         "'x'",
                                         "\"x\"",
                                         "'",
                                         "\"",
                                         "a,b",
                                         "- a",
                                         "-",
                                         "?",
                                         "| ",
                                         ">",
                                         "%x",
                                         "@x",
                                         "`x`",
                                         "  x  ",
                                         "a\tb",
                                         "a\\nb",
                                         "a\nb",
                                         "x\n",
                                         "...",
                                         "---",
                                         "010",
                                         "0x1F",
                                         "true",
                                         ".nan",
                                         "=",
                                         "a=b=c",
                                         "<<",
                                         "\x7f",
                                         "\xc3\xa9",
                                         "\xc2\x85",
                                         "\xe2\x80\xa8",
                                         "\xef\xbb\xbfx",
                                         "2026-01-01",
                                         "12:30:45",
                                         "$HOME",
                                         "a\rb",
                                         ""};

}  // namespace

TEST_CASE("text of the command line is taken as it was typed, and lasts through a printed file") {
  for (const std::string& text : kTexts) {
    INFO("'" << text << "'");
    const Config config = configured(
        {"data.root=" + text, "init.from=" + text, "teacher.from=" + text, "output=o" + text});
    CHECK(config.data.root == text);
    CHECK(config.init.from == text);
    CHECK(config.teacher.from == text);
    CHECK(config.output == "o" + text);
    CHECK(parse_config(print_config(config), "again", {}) == config);
  }
}

TEST_CASE("the name of a run is the folder that was typed, or a message that shows it") {
  for (const std::string name :
       {"good #2", "null", "~", "yes", "1e5", " a: b", "*x", "!t", "[", "'x'", "- a", "#", "010"}) {
    CHECK(configured({"name=" + name}).name == name);
  }
  CHECK(refusal({"name=a\nb"}) ==
        "command line: name: must be a plain folder name of at most 200 bytes, is 'a?b'");
  // Empty is what a file's empty text is: the name comes from elsewhere.
  CHECK(configured({"name="}).name == "unnamed");
  CHECK(refusal({"output="}) == "command line: output: must name a folder, is empty");
}

TEST_CASE("choices of the command line are compared as typed") {
  CHECK(configured({"data.name=mnist"}).data.name == "mnist");
  CHECK(refusal({"optim.type= adam"}).find("is ' adam' (did you mean adam?)") != std::string::npos);
  CHECK(refusal({"optim.type=\"adam\""}).find("is '\"adam\"'") != std::string::npos);
  CHECK(refusal({"optim.type=adam # fast"}).find("is 'adam # fast'") != std::string::npos);
  CHECK(refusal({"data.name="}).find("command line: data.name: must be mnist, ") == 0);
  CHECK(refusal({"model.type=mlp #"}).find("command line: model.type: must be mlp, ") == 0);
  CHECK(refusal({"model.stem=cifar #"}).find("is 'cifar #'") != std::string::npos);
  CHECK(refusal({"train.device=cpu #"}).find("is 'cpu #'") != std::string::npos);
}

TEST_CASE("every key of one text takes a bracket as a bracket, and every other key is YAML") {
  const std::string model = "resnet18";
  const std::vector<std::string> keys = config_keys(model);
  std::size_t texts = 0;
  for (const std::string& key : keys) {
    const bool is_section = std::any_of(keys.begin(), keys.end(), [&](const std::string& other) {
      return other.starts_with(key + ".") || other.starts_with(key + "[]");
    });
    if (is_section || key == "base" || key.find("[]") != std::string::npos) continue;
    INFO(key);
    const std::string message = refusal({key + "=["});
    const bool is_yaml = message.find("is a bracket left open?") != std::string::npos;
    CHECK(is_yaml == !is_text_key(key, model));
    texts += is_yaml ? 0 : 1;
  }
  CHECK(texts >= 25);
}

TEST_CASE("lists, maps, numbers and layers of the command line are YAML") {
  const Config config = configured(
      {"weights.rules=[{match: \"a #1\", p: 2}] # two", "optim={lr: 0.5, momentum: 0} # fast",
       "schedule.milestones=[1, 2]", "schedule.type=step", "data.flip=true # mirror"});
  CHECK(config.weights.rules.at(0).match == std::vector<std::string>{"a #1"});
  CHECK(config.optim.fields.lr == 0.5);
  CHECK(config.schedule.milestones == std::vector<std::int64_t>{1, 2});
  CHECK(config.data.flip);
  const Config custom =
      configured({"model.layers=[{linear: {out_features: classes}}]", "model.type=custom"});
  CHECK(std::get<LayerList>(custom.model.options.at("layers")).size() == 1);
  for (const std::string key : {"optim.lr", "train.epochs", "data.flip"}) {
    CHECK(refusal({key + "="}).find("command line: " + key + ": has no value, must be ") == 0);
  }
  CHECK(refusal({"schedule.milestones="}) ==
        "command line: schedule.milestones: must be a list, is empty");
}

TEST_CASE("options of a network count wherever its type stands among the settings") {
  const std::vector<std::int64_t> hidden = {32};
  for (const std::vector<std::string>& settings :
       {std::vector<std::string>{"model.type=mlp", "model.hidden=[32]"},
        std::vector<std::string>{"model.hidden=[32]", "model.type=mlp"}}) {
    const Config config = configured(settings, "model: {type: resnet18, width: 0.5}");
    CHECK(std::get<std::vector<std::int64_t>>(config.model.options.at("hidden")) == hidden);
  }
  CHECK(refusal({"model.hidden=[32]"}).find("model.hidden: unknown key") != std::string::npos);
}

TEST_CASE("a key that does not exist is refused for that, whatever its value") {
  for (const std::string value : {"mnist #2", "[", "*x", "{", "a: b: c"}) {
    CHECK(refusal({"data.rot=" + value}) ==
          "command line: data.rot: unknown key (did you mean data.root?)");
  }
}

TEST_CASE("bytes that are no UTF-8 are refused before any file is named after them") {
  CHECK(refusal({"data.root=\xff"}) == "command line: data.root: " + kNotText);
  CHECK(refusal({"name=a\xe9"}) == "command line: name: " + kNotText);
}

TEST_CASE("the advice for a number that is none is the number that was meant") {
  struct Case {
    std::string text, real, whole;
  };
  const std::vector<Case> cases = {
      {"0,001", "0.001", ""},
      {"0,9", "0.9", ""},
      {"4,8", "4.8", ""},
      {"-0,5", "-0.5", ""},
      {"1,5e-3", "1.5e-3", ""},
      {",5", "", ""},
      {"1,000", "1000 or 1.000", "1000"},
      {"12,345", "12345 or 12.345", "12345"},
      {"1,000,000", "1000000", "1000000"},
      {"1.000.000", "1000000", "1000000"},
      {"1.000,5", "1000.5", ""},
      {"1,000.5", "1000.5", ""},
      {"1_000", "1000", "1000"},
      {"1'000", "1000", "1000"},
      {"1 000", "1000", "1000"},
      {"1_0.5", "10.5", "10.5"},
      {"0x10", "16", "16"},
      {"-0xff", "-255", "-255"},
      {"0o17", "15", "15"},
      {"0b101", "5", "5"},
      {"\xe2\x88\x92"
       "3",
       "-3", "-3"},
      {"0.1,0.2", "", ""},
      {"4,8,2", "", ""},
      {"1,2,3.5", "", ""},
      {"1e-3x", "", ""},
      {"1e", "", ""},
      {"0_1", "", ""},
      {"0x", "", ""},
      {"0xfg", "", ""},
      {"1.2.3", "", ""},
      {"many", "", ""},
      {"-", "", ""},
  };
  for (const Case& c : cases) {
    INFO(c.text);
    CHECK(number_advice(c.text, false) == c.real);
    CHECK(number_advice(c.text, true) == c.whole);
  }
}

TEST_CASE("numbers with commas are refused with what to write, never read as others") {
  CHECK(refusal({"optim.lr=0,001"}) ==
        "command line: optim.lr: must be a number, is '0,001' (write 0.001)");
  CHECK(refusal({"weights.p=4,8"}) ==
        "command line: weights.p: must be a whole number, is '4,8' (one value)");
  CHECK(
      refusal({"optim.lr=0.1,0.2"}) ==
      "command line: optim.lr: must be a number, is '0.1,0.2' (one value, decimals after a point)");
  CHECK(refusal({"train.epochs=1e-3x"}) ==
        "command line: train.epochs: must be a whole number, is '1e-3x'");
  CHECK(refusal({"optim.betas=0.9,0.99"}) ==
        "command line: optim.betas: must be a list, is '0.9,0.99' (write [0.9,0.99])");
  for (const std::string& key : config_keys("resnet18")) {
    if (key.find("[]") != std::string::npos) continue;
    INFO(key);
    const std::string message = refusal({key + "=0,001"});
    CHECK(message.find("0001") == std::string::npos);
  }
}

TEST_CASE("counts of samples that no rule of a packed file could say are refused at the start") {
  for (const std::string key : {"validation", "split_seed", "train_limit", "test_limit"}) {
    CHECK(refusal({"data." + key + "=9007199254740993"})
              .starts_with("command line: data." + key + ": must be "));
    CHECK(refusal({"data." + key + "=1000000"}) == "accepted");
  }
}

TEST_CASE("of two values that are given to one key none is silently left out") {
  // Every key that takes a value, and both ways to say a section.
  const std::string model = "resnet18";
  const std::vector<std::string> keys = config_keys(model);
  std::size_t refused = 0;
  for (const std::string& key : keys) {
    const bool is_section = std::any_of(keys.begin(), keys.end(), [&](const std::string& other) {
      return other.starts_with(key + ".") || other.starts_with(key + "[]");
    });
    if (is_section || key == "base" || key.find("[]") != std::string::npos) continue;
    INFO(key);
    const std::string once = "command line: " + key + ": is given by '" + key + "=1' and by '" +
                             key + "=2'; give one of them";
    const std::string said = refusal({key + "=1", key + "=2"});
    CHECK(("\n" + said + "\n").find("\n" + once + "\n") != std::string::npos);
    const std::string same = refusal({key + "=1", key + "=1"});
    CHECK(same.find("is given by") == std::string::npos);
    ++refused;
  }
  CHECK(refused >= 80);
  CHECK(refusal({"optim={lr: 0.5, momentum: 0}", "optim.lr=0.1"}) ==
        "command line: optim.lr: is given by 'optim={lr: 0.5, momentum: 0}' and by 'optim.lr=0.1'; "
        "give one of them");
  CHECK(refusal({"optim.lr=0.1", "optim={lr: 0.5}"}).find("optim.lr: is given by") !=
        std::string::npos);
  CHECK(configured({"optim={lr: 0.5}", "optim.momentum=0"}).optim.fields.lr == 0.5);
  CHECK_THROWS_AS(change_data({}, {"data.test_limit=1", "data.test_limit=2"}, 0), ConfigError);
}

TEST_CASE("a printed configuration has nothing in it that commands a terminal") {
  for (const std::string bad : {"\x1b", "\x7f", "\u009b", "\u061c", "\u200b", "\u200d", "\u202e",
                                "\u2066", "\u2028", "\ufeff", "\U000e0041"}) {
    const Config config = configured({"data.root=a" + bad + "b"});
    const std::string printed = print_config(config);
    CHECK(printed.find(bad) == std::string::npos);
    CHECK(parse_config(printed, "again", {}) == config);
  }
  CHECK(print_config(configured({"data.root=r\u00e9d"})).find("r\u00e9d") != std::string::npos);
}

}  // namespace tbn
