// Inputs of data as those of a network that was trained elsewhere: what is another thing, what was
// made a little otherwise, and what is the same.
#include "data/input_match.h"

#include <string_view>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"

using namespace tbn;
using tbn::test::says;

namespace {

Rule series() {
  return {.input = InputRule{.kind = "series",
                             .steps = {StandardiseStep{{1, 10}, {2, 5}}},
                             .columns = {"flow", "level"},
                             .seconds = 900}};
}

Rule images() {
  return {.input = InputRule{.kind = "image", .steps = {ResizeStep{72}, CropStep{}}}};
}

Rule clouds() {
  return {.input = InputRule{.kind = "points",
                             .steps = {CentreStep{}, ScaleStep{}, ChooseStep{}},
                             .columns = {"x", "y", "z"},
                             .up = "y"},
          .output = OutputRule{.kind = "point_class",
                               .classes = {"p", "q", "r"},
                               .categories = {{"bag", 0, 1}, {"mug", 1, 2}}}};
}

StandardiseStep& statistics(Rule& rule) {
  return std::get<StandardiseStep>(rule.input->steps.front());
}

struct Case {
  const char* name;
  Rule network;
  void (*change)(Rule& data);
  bool is_other;  // else it is alike
  std::vector<std::string_view> words;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"columns permuted",
       series(),
       [](Rule& r) {
         r.input->columns = {"level", "flow"};
       },
       true,
       {"its columns are in another order ('level' is where 'flow' was)"}},
      {"other columns",
       series(),
       [](Rule& r) { r.input->columns[1] = "load"; },
       true,
       {"its columns are others ('load' is where 'level' was)"}},
      {"more columns",
       series(),
       [](Rule& r) { r.input->columns.emplace_back("load"); },
       true,
       {"its columns are others ('load' is where none was)"}},
      {"units by mean",
       series(),
       [](Rule& r) { statistics(r).mean[1] = 1000; },
       true,
       {"its columns had other units ('level' has mean 1000 and deviation 5, and had 10 and 5)"}},
      {"units by deviation",
       series(),
       [](Rule& r) { statistics(r).deviation[0] = 2000; },
       true,
       {"other units ('flow' has mean 1 and deviation 2000, and had 1 and 2)"}},
      {"other rows",
       series(),
       [](Rule& r) { statistics(r).mean[0] = 1.5; },
       false,
       {"its columns had other values ('flow' has mean 1.5"}},
      {"other steps in time",
       series(),
       [](Rule& r) { r.input->seconds = 3600; },
       false,
       {"its rows were 900 s apart, and those of the data are 3600"}},
      {"another kind",
       series(),
       [](Rule& r) { r = clouds(); },
       true,
       {"takes inputs of the kind 'series', and those of the data are 'points'"}},
      {"other sizes",
       images(),
       [](Rule& r) { r.input->steps[0] = ResizeStep{96}; },
       false,
       {"shorter side of 72 pixels", "shorter side of 96 pixels"}},
      {"turned photos",
       images(),
       [](Rule& r) { r.input->steps.insert(r.input->steps.begin(), OrientStep{}); },
       false,
       {"turned upright"}},
      {"normals first",
       clouds(),
       [](Rule& r) {
         r.input->columns = {"nx", "y", "z"};
       },
       true,
       {"its columns are others ('nx' is where 'x' was)"}},
      {"another axis",
       clouds(),
       [](Rule& r) { r.input->up = "z"; },
       true,
       {"its vertical axis is y, and that of the data z"}},
      {"drawn points",
       clouds(),
       [](Rule& r) { r.input->steps[2] = ChooseStep{true}; },
       false,
       {"drawn by a fixed seed"}},
      {"categories permuted",
       clouds(),
       [](Rule& r) {
         r.output->categories = {{"mug", 0, 2}, {"bag", 2, 1}};
       },
       true,
       {"its categories of parts are in another order ('mug' is where 'bag' was)"}},
      {"other categories",
       clouds(),
       [](Rule& r) { r.output->categories[0].name = "car"; },
       true,
       {"its categories of parts are others ('car' is where 'bag' was)"}},
  };
  return all;
}

}  // namespace

TEST_CASE("each difference of two rules is said once, and told from what is another thing") {
  for (const Case& each : cases()) {
    INFO(each.name);
    Rule data = each.network;
    each.change(data);
    const InputMatch match = match_inputs(each.network, data);
    CHECK(match.others.size() == (each.is_other ? 1 : 0));
    CHECK(match.alike.size() == (each.is_other ? 0 : 1));
    const std::vector<std::string>& found = each.is_other ? match.others : match.alike;
    if (!found.empty()) CHECK(says(found.front(), each.words));
  }
}

TEST_CASE("what is the same, or not known, is not said") {
  for (const Rule& rule : {series(), images(), clouds(), Rule{}}) {
    for (const auto& [network, data] : {std::pair(rule, rule), {rule, Rule{}}, {Rule{}, rule}}) {
      const InputMatch match = match_inputs(network, data);
      CHECK((match.others.empty() && match.alike.empty()));
    }
  }
  Rule unnamed = series();
  unnamed.input->columns.clear();
  unnamed.input->seconds = 0;
  CHECK(match_inputs(unnamed, series()).others.empty());
  Rule rounded = series();
  statistics(rounded).mean[0] += 1e-9;
  CHECK(match_inputs(series(), rounded).alike.empty());
}
