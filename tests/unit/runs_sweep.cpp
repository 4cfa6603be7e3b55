// A sweep's settings: which values they have, and which runs they make.
#include "runs/sweep.h"

#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;
using tbn::test::message_of;

namespace {

using Texts = std::vector<std::string>;

Texts names_of(const std::vector<SweepRun>& runs) {
  Texts names;
  for (const SweepRun& run : runs) names.push_back(run.name);
  return names;
}

std::vector<SweepAxis> axes(const Texts& settings) {
  std::vector<SweepAxis> all;
  for (const std::string& setting : settings) all.push_back(sweep_axis(setting));
  return all;
}

std::string refusal(const std::string& setting) {
  return message_of<ConfigError>([&] { sweep_axis(setting); });
}

}  // namespace

TEST_CASE("the values of a setting are parted at commas") {
  const SweepAxis axis = sweep_axis("weights.p=2,4,8");
  CHECK(axis.key == "weights.p");
  CHECK(axis.values == Texts{"2", "4", "8"});
  CHECK(sweep_axis("a=b").values == Texts{"b"});
  CHECK(sweep_axis("a=b=c,d").values == Texts{"b=c", "d"});
  CHECK(sweep_axis("teacher.from=").values == Texts{""});
}

TEST_CASE("commas in brackets, braces and quotes part nothing") {
  CHECK(sweep_axis("model.hidden=[32,16],[64]").values == Texts{"[32,16]", "[64]"});
  CHECK(sweep_axis("g=[{match: a, lr: 1},{lr: 2}],[]").values ==
        Texts{"[{match: a, lr: 1},{lr: 2}]", "[]"});
  CHECK(sweep_axis("m={type: mlp, hidden: [8, 4]},{type: dlinear}").values ==
        Texts{"{type: mlp, hidden: [8, 4]}", "{type: dlinear}"});
  CHECK(sweep_axis("a=\"x,y\",'z,\"'").values == Texts{"\"x,y\"", "'z,\"'"});
  CHECK(sweep_axis("a=[\"]\",b],c").values == Texts{"[\"]\",b]", "c"});
  // What is not closed is one value, which the configuration refuses.
  CHECK(sweep_axis("a=[1,2").values == Texts{"[1,2"});
  CHECK(sweep_axis("a='1,2").values == Texts{"'1,2"});
}

TEST_CASE("a range is of whole numbers, and runs up") {
  CHECK(sweep_axis("train.seed=1..4").values == Texts{"1", "2", "3", "4"});
  CHECK(sweep_axis("a=-1..1").values == Texts{"-1", "0", "1"});
  CHECK(sweep_axis("a=7..7").values == Texts{"7"});
  CHECK(sweep_axis("a=0,5..6,9").values == Texts{"0", "5", "6", "9"});
  CHECK(sweep_axis("a=1..1000").values.size() == 1000);
  // Other texts with two dots are texts.
  for (const std::string text : {"../data", "1..", "..3", "a..b", "1.5..2", "1..3..5", "1 ..3"}) {
    CAPTURE(text);
    CHECK(sweep_axis("a=" + text).values == Texts{text});
  }
  for (const std::string text : {"2..1", "1..1001", "-1000..1", "0..9223372036854775807"}) {
    CAPTURE(text);
    CHECK(refusal("a=" + text) == "a=" + text + ": a range runs up, over 1000 values at most");
  }
}

TEST_CASE("a value is there, and once") {
  CHECK(refusal("a=1,,2") == "a=1,,2: a value between commas is missing");
  CHECK(refusal("a=1,") == "a=1,: a value between commas is missing");
  CHECK(refusal("a=,") == "a=,: a value between commas is missing");
  CHECK(refusal("a=1,2,1") == "a=1,2,1: the value '1' is there twice");
  CHECK(refusal("a=1..3,2") == "a=1..3,2: the value '2' is there twice");
  CHECK(refusal("a=[1],[1]") == "a=[1],[1]: the value '[1]' is there twice");
}

TEST_CASE("runs are all combinations, the last setting running fastest") {
  const auto runs = sweep_runs("net", axes({"weights.p=2,4", "train.epochs=3", "train.seed=1..2"}));
  CHECK(names_of(runs) == Texts{"net_p2_seed1", "net_p2_seed2", "net_p4_seed1", "net_p4_seed2"});
  CHECK(runs[1].settings == Texts{"weights.p=2", "train.epochs=3", "train.seed=2"});
  CHECK(runs[2].settings == Texts{"weights.p=4", "train.epochs=3", "train.seed=1"});
  const auto one = sweep_runs("net", {});
  CHECK(names_of(one) == Texts{"net"});
  CHECK(one[0].settings.empty());
}

TEST_CASE("names have what a folder's name may have") {
  const auto name = [](const std::string& setting) {
    return names_of(sweep_runs("n", axes({setting})))[0];
  };
  CHECK(name("model.hidden=[32,16],[64]") == "n_hidden32-16");
  CHECK(name("optim.weight_decay=1e-4,0") == "n_weight-decay1e-4");
  CHECK(name("data.root=../a b/c,d") == "n_root..-a-b-c");
  CHECK(name("weights.rules[0].p=2,4") == "n_p2");
  CHECK(name("model.hidden[0]=2,4") == "n_hidden-02");
  CHECK(name("init.from=\x1b(2J\xE2\x80\xAEx,y") == "n_from2J-x");
  CHECK(name("seed=-1,1") == "n_seed-1");
}

TEST_CASE("two runs of one name are refused") {
  CHECK(message_of<ConfigError>([] { sweep_runs("n", axes({"a=x,[x]"})); }) ==
        "two runs of the sweep would be called 'n_ax'; give them values that differ in letters and "
        "digits");
  CHECK_THROWS_AS(sweep_runs("n", axes({"a=[],{}"})), ConfigError);
  // Settings whose last parts are the same are told apart by their order.
  CHECK(sweep_runs("n", axes({"a.p=1,2", "b.p=1,2"})).size() == 4);
}

TEST_CASE("a sweep has 10,000 runs at most") {
  CHECK(sweep_runs("n", axes({"a=1..100", "b=1..100"})).size() == 10000);
  CHECK(message_of<ConfigError>([] {
          sweep_runs("n", axes({"a=1..100", "b=1..101"}));
        }) == "a sweep of more than 10000 runs");
  const Texts many(20, "x=1..1000");
  CHECK_THROWS_AS(sweep_runs("n", axes(many)), ConfigError);
}
