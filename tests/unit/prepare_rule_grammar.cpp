// The grammar of rules, over every sequence of steps and every member of every kind: what is read
// is what the grammar's words allow, and all else is refused in one sentence.
#include "prepare/rule_grammar.h"

#include <algorithm>
#include <regex>
#include <set>

#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"
#include "tbn/rule.h"

using namespace tbn;
using namespace tbn::test;

namespace {

using Metadata = std::map<std::string, std::string>;

struct Written {
  char letter;  // in the patterns below
  const char* text;
};

constexpr Written kSteps[] = {
    {'d', R"({"do":"decode","reduce":4})"},
    {'o', R"({"do":"orient"})"},
    {'r', R"({"do":"resize","shorter":72})"},
    {'c', R"({"do":"crop"})"},
    {'f', R"({"do":"first","most":9})"},
    {'m', R"({"do":"centre"})"},
    {'s', R"({"do":"scale"})"},
    {'n', R"({"do":"choose","how":"drawn"})"},
    {'z', R"({"do":"standardise","mean":[1,2],"deviation":[3,4]})"},
};

std::string input_text(const std::string& kind, const std::string& steps,
                       const std::string& members = "") {
  std::string list;
  for (const char letter : steps) {
    const auto* found = std::ranges::find(kSteps, letter, &Written::letter);
    list += (list.empty() ? "" : ",") + std::string(found->text);
  }
  return R"({"kind":")" + kind + R"(","steps":[)" + list + "]" + members + "}";
}

// The sentence of the refusal; empty where the rule is read.
std::string refusal(const Metadata& metadata) {
  std::string said;
  try {
    rule_from(metadata, "f.tbn");
  } catch (const DataError& error) {
    said = error.what();
    CHECK(said.starts_with("f.tbn: tbn."));
    CHECK(said.find('\n') == std::string::npos);
  }
  return said;
}

std::string refused_input(const std::string& text) { return refusal({{"tbn.input", text}}); }

// Calls `use` for every sequence of at most `most` letters.
template <class Use>
void every_sequence(std::size_t most, const Use& use, const std::string& begun = "") {
  use(begun);
  if (begun.size() == most) return;
  for (const Written& step : kSteps) every_sequence(most, use, begun + step.letter);
}

}  // namespace

TEST_CASE("every sequence of steps is held to the grammar of its kind") {
  const struct {
    const char* kind;
    const char* members;
    std::regex allowed;
  } kinds[] = {{"image", "", std::regex("(d?o?rc)?")},
               {"points", "", std::regex("f?m?s?n")},
               {"series", "", std::regex("z")},
               {"series", R"(,"units":"graph")", std::regex("")}};
  for (const auto& [kind, members, allowed] : kinds) {
    std::size_t read = 0;
    every_sequence(
        4, [&, &kind = kind, &members = members, &allowed = allowed](const std::string& steps) {
          const std::string said = refused_input(input_text(kind, steps, members));
          if (said.empty()) ++read;
          if (said.empty() != std::regex_match(steps, allowed))
            FAIL(kind << " " << steps << ": " << said);
        });
    CHECK(read > 0);
  }
}

TEST_CASE("a rule with a step or a kind of a later tbn is left to it") {
  CHECK(refused_input(R"({"kind":"image","steps":[{"do":"crop"},{"do":"blur"}]})").empty());
  CHECK(refused_input(R"({"kind":"sound","steps":[{"do":"choose","how":"first"}],"up":"y"})")
            .empty());
}

TEST_CASE("a member of one kind is refused beside another") {
  const struct {
    const char* kind;
    const char* steps;
    const char* members;
    const char* said;  // null: read
  } rules[] = {
      {"image", "rc", R"(,"check":"00000001")", nullptr},
      {"image", "rc", R"(,"columns":["x"])", "'columns'"},
      {"image", "rc", R"(,"up":"y")", "'up'"},
      {"image", "rc", R"(,"seconds":1)", "'seconds'"},
      {"image", "rc", R"(,"units":"graph")", "'units'"},
      {"points", "n", R"(,"columns":["x","y","z"],"up":"y","check":"00000001")", nullptr},
      {"points", "n", R"(,"columns":["x","y"])", "2 columns"},
      {"points", "n", R"(,"columns":["x","y","x"])", "'x' is there twice"},
      {"points", "n", R"(,"columns":2)", "expected an array"},
      {"points", "n", R"(,"seconds":1)", "'seconds'"},
      {"points", "n", R"(,"units":"graph")", "'units'"},
      {"series", "z", R"(,"columns":["a","b"],"seconds":60)", nullptr},
      {"series", "z", R"(,"columns":["a"])", "2 means for 1 column"},
      {"series", "z", R"(,"up":"y")", "'up'"},
      {"series", "z", R"(,"check":"00000001")", "'check'"},
      {"series", "z", R"(,"units":"graph")", "twice"},
      {"series", "", "", "neither"},
  };
  for (const auto& rule : rules) {
    INFO(rule.kind << " " << rule.members);
    const std::string said = refused_input(input_text(rule.kind, rule.steps, rule.members));
    if (rule.said == nullptr) {
      CHECK(said.empty());
    } else {
      CHECK(says(said, {rule.said}));
    }
  }
}

TEST_CASE("outputs and samples are of the kind of the inputs") {
  const char* inputs[] = {"image", "points", "series"};
  const char* steps[] = {"rc", "n", "z"};
  const std::map<std::string, std::string> outputs = {
      {"class", R"({"kind":"class","classes":["a","b"]})"},
      {"point_class",
       R"({"kind":"point_class","classes":["a","b"],"categories":[["m",0,1],["n",1,1]]})"},
      {"forecast", R"({"kind":"forecast"})"},
      {"later", R"({"kind":"later","classes":["a","a"]})"}};
  const std::set<std::string> allowed = {"image class",     "points class", "points point_class",
                                         "series forecast", "image later",  "points later",
                                         "series later"};
  for (std::size_t i = 0; i < 3; ++i) {
    const std::string text = input_text(inputs[i], steps[i]);
    for (const auto& [kind, output] : outputs) {
      INFO(inputs[i] << " " << kind);
      const std::string said = refusal({{"tbn.input", text}, {"tbn.output", output}});
      CHECK(said.empty() == allowed.contains(std::string(inputs[i]) + " " + kind));
    }
    const bool series = std::string(inputs[i]) == "series";
    for (const char* measured :
         {R"({"data":"d","rows":[7,8,9]})", R"({"data":"d","columns":"chosen"})"}) {
      CHECK(refusal({{"tbn.input", text}, {"tbn.measured", measured}}).empty() == series);
    }
  }
}

TEST_CASE("names that tell classes apart are there once") {
  const auto output = [](const std::string& members) {
    return refusal({{"tbn.output", R"({"kind":)" + members + "}"}});
  };
  CHECK(says(output(R"("class","classes":["crane","dog","crane"])"), {"'crane' is there twice"}));
  CHECK(output(R"("class","classes":["crane","crane"],"folders":["n1","n2"])").empty());
  CHECK(says(output(R"("class","classes":["crane","dog"],"folders":["n1","n1"])"),
             {"folder 'n1' is there twice"}));
  CHECK(says(output(R"("point_class","classes":["a","b"],"categories":[["m",0,1],["m",1,1]])"),
             {"category 'm' is there twice"}));
  CHECK(says(output(R"("class","classes":["a","b"],"categories":[["m",0,2]])"), {"point_class"}));
  CHECK(says(output(R"("forecast","classes":["a"])"), {"forecast"}));
}

TEST_CASE("what a figure was measured on does not contradict itself") {
  const auto measured = [](const std::string& members) {
    return refusal({{"tbn.measured", R"({"data":"d",)" + members + "}"}});
  };
  CHECK(measured(R"("rows":[1,2,3])").empty());
  CHECK(says(measured(R"("rows":[0,0,0])"), {"no rows of training"}));
  CHECK(says(measured(R"("rows":[5,0,1])"), {"no rows of validation"}));
  CHECK(says(measured(R"("rows":[5,5,0])"), {"no rows of test"}));
  CHECK(says(measured(R"("rows":[1,2,3,4])"), {"rows"}));
  CHECK(measured(R"("split":{"test_limit":4,"limits":"class"})").empty());
  CHECK(says(measured(R"("split":{"test_limit":4})"), {"'limits' is missing"}));
  CHECK(says(measured(R"("split":{"limits":"first"})"), {"'limits' without"}));
  CHECK(measured(R"("split":{"on_error":"skip","skip_most":0.5})").empty());
  CHECK(says(measured(R"("split":{"skip_most":0.5})"), {"'skip_most' without"}));
}

TEST_CASE("a rule is of its network: units, points, ranks") {
  const auto units = [](const InputRule& input, bool in_graph) {
    return message_of<DataError>([&] { check_rule_units({.input = input}, in_graph, "f.tbn"); });
  };
  const InputRule raw{.kind = "series", .units_in_graph = true};
  const InputRule made{.kind = "series", .steps = {StandardiseStep{{1}, {2}}}};
  check_rule_units({.input = raw}, true, "f");
  check_rule_units({.input = made}, false, "f");
  check_rule_units({}, true, "f");
  CHECK(says(units(raw, false), {"f.tbn: tbn.input", "does not standardise"}));
  CHECK(says(units(made, true), {"f.tbn: tbn.input", "standardises its inputs itself"}));
  const auto misfit = [](const Rule& rule, const Shape& input, const Shape& output) {
    return message_of<DataError>([&] { check_rule_fits(rule, input, output, "f.tbn"); });
  };
  const Rule points{.input = InputRule{.kind = "points", .steps = {ChooseStep{}}}};
  check_rule_fits(points, {64, 3}, {4}, "f");
  check_rule_fits(points, {64, 3}, {64, 4}, "f");
  CHECK(says(misfit(points, {64, 2}, {4}), {"three coordinates", "[64, 2]"}));
  CHECK(says(misfit(points, {96, 7}, {24, 7}), {"points", "[24, 7]"}));
  const Rule forecast{.output = OutputRule{.kind = "forecast"}};
  CHECK(says(misfit(forecast, {96, 7}, {4}), {"forecast", "[4]"}));
  const Rule classes{.output = OutputRule{.kind = "class", .classes = {"a", "b"}}};
  CHECK(says(misfit(classes, {3, 8, 8}, {8, 2}), {"class", "[8, 2]"}));
}
