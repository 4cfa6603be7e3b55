// Rules of packed files: their texts byte by byte, what is refused, and whether one fits a network.
#include "tbn/rule.h"

#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

using Metadata = std::map<std::string, std::string>;

Rule folder_rule() {
  return {
      .input =
          InputRule{.kind = "image", .steps = {ResizeStep{72}, CropStep{}}, .check = 0x5c0e91d2},
      .output = OutputRule{.kind = "class", .classes = {"blue", "green"}},
      .measured = MeasuredRule{.data = "image_folder", .validation = 24, .seed = 7}};
}

std::string refused(const char* key, const std::string& text) {
  return message_of<DataError>([&] { rule_from({{key, text}}, "f.tbn"); });
}

}  // namespace

TEST_CASE("a rule is written as the format says") {
  const Metadata folder = metadata_of(folder_rule());
  CHECK(
      folder.at("tbn.input") ==
      R"({"check":"5c0e91d2","kind":"image","steps":[{"do":"resize","shorter":72},{"do":"crop"}]})");
  CHECK(folder.at("tbn.output") == R"({"classes":["blue","green"],"kind":"class"})");
  CHECK(folder.at("tbn.measured") ==
        R"({"data":"image_folder","split":{"seed":7,"validation":24}})");
  const Rule points{.input = InputRule{.kind = "points",
                                       .steps = {CentreStep{}, ScaleStep{}, ChooseStep{}},
                                       .columns = {"x", "y", "z"},
                                       .up = "y"}};
  CHECK(metadata_of(points) ==
        Metadata{
            {"tbn.input",
             R"({"columns":["x","y","z"],"kind":"points","steps":[{"do":"centre"},{"do":"scale"},)"
             R"({"do":"choose","how":"first"}],"up":"y"})"}});
  const Rule series{
      .input = InputRule{
          .kind = "series", .columns = {"HUFL", "OT"}, .seconds = 3600, .units_in_graph = true}};
  CHECK(
      metadata_of(series) ==
      Metadata{
          {"tbn.input",
           R"({"columns":["HUFL","OT"],"kind":"series","seconds":3600,"steps":[],"units":"graph"})"}});
}

TEST_CASE("every member of a rule reads back as it was written") {
  const Rule rule{
      .input = InputRule{.kind = "series",
                         .steps = {DecodeStep{4}, OrientStep{}, FirstStep{2048}, ChooseStep{true},
                                   StandardiseStep{{0.1, -3e9}, {1e-7, 2}}, UnknownStep{"blur"}},
                         .columns = {"é", "b\"\\"},
                         .up = "z",
                         .seconds = 0.1},
      .output = OutputRule{.kind = "point_class",
                           .classes = {"a 1", "a 2", "b 1"},
                           .folders = {"n1", "n2", "n3"},
                           .categories = {{"a", 0, 2}, {"b", 2, 1}}},
      .measured = MeasuredRule{.data = "csv",
                               .validation = 3,
                               .seed = std::numeric_limits<std::int64_t>::max(),
                               .train_limit = 5,
                               .test_limit = 6,
                               .limits = "first",
                               .on_error = "skip",
                               .skip_most = 0.25,
                               .test_folder = "val",
                               .splits = {{"train", {7, 0x0000000au}}, {"test", {8, {}}}},
                               .rows = {8640, 2880, 2880}}};
  CHECK(rule_from(metadata_of(rule), "f") == rule);
  CHECK(rule_from({}, "f").empty());
  CHECK(rule_from({{"tbn.input", R"({"kind":"image","steps":[],"later":[1]})"}}, "f").input ==
        InputRule{.kind = "image"});
}

TEST_CASE("a text that is no rule is refused with its key and its place") {
  const auto input = [](const std::string& steps) {
    return refused("tbn.input", R"({"kind":"image","steps":[)" + steps + "]}");
  };
  CHECK(refused("tbn.input", "[1]") == "f.tbn: tbn.input: is no JSON object");
  CHECK(says(refused("tbn.input", "{"), {"f.tbn: tbn.input", "byte 1"}));
  CHECK(says(refused("tbn.input", "{}"), {"f.tbn: tbn.input", "kind"}));
  CHECK(says(input(R"({"do":"resize","shorter":0})"), {"tbn.input", "0", "1"}));
  CHECK(says(input(R"({"do":"resize","shorter":4097})"), {"4097", "4096"}));
  CHECK(says(input(R"({"do":"decode","reduce":3})"), {"reduce 3 is not one of 2, 4, 8"}));
  CHECK(says(input(R"({"do":"choose"})"), {"does not say how"}));
  CHECK(says(input(R"({"do":"choose","how":"best"})"), {"'best'", "first, drawn"}));
  CHECK(says(input(R"({"do":"standardise","mean":[1,2],"deviation":[1]})"),
             {"2 means and 1 deviation"}));
  CHECK(says(input(R"({"do":"standardise","mean":[1],"deviation":[0]})"), {"not above 0"}));
  std::string many = R"({"do":"blur"})";
  for (int i = 0; i < 16; ++i) many += R"(,{"do":"blur"})";
  CHECK(says(input(many), {"17 steps; there may be 16"}));
  CHECK(says(refused("tbn.input", R"({"kind":"image","steps":[],"check":"5C0E91D2"})"),
             {"no checksum"}));
  CHECK(says(refused("tbn.input", R"({"kind":"image","steps":[],"check":""})"), {"checksum"}));
  CHECK(says(refused("tbn.output", R"({"kind":"class","classes":["a",""]})"), {"is no name"}));
  CHECK(says(refused("tbn.output", R"({"kind":"class","classes":["a\u0007"]})"), {"is no name"}));
  CHECK(says(
      refused("tbn.output", R"({"kind":"class","classes":[")" + std::string(257, 'a') + "\"]}"),
      {"256 bytes"}));
  CHECK(says(refused("tbn.output", R"({"kind":"class","classes":["a"],"folders":["x","y"]})"),
             {"2 folders for 1 class"}));
  CHECK(says(refused("tbn.output", R"({"kind":"class","categories":[["a",0]]})"), {"category"}));
  CHECK(says(refused("tbn.measured", R"({"data":"mnist","split":{"validation":-1}})"), {"-1"}));
  CHECK(says(refused("tbn.measured", R"({"data":"mnist","rows":[1]})"), {"rows"}));
  for (const std::string key : {"split", "count", "listing"}) {
    for (const char* value : {"7", "true", "null", "[1]", R"("x")"}) {
      const std::string text = R"({"data":"mnist",")" + key + "\":" + value + "}";
      CHECK(says(refused("tbn.measured", text), {"tbn.measured: '" + key + "' is no JSON object"}));
    }
  }
  const std::string deep = R"({"kind":"class","x":[[[[[[[]]]]]]]})";
  CHECK(says(refused("tbn.output", deep), {"6"}));
  CHECK(says(refused("tbn.output", "\"" + std::string(5u << 20, 'x') + "\""), {"tbn.output"}));
}

TEST_CASE("names are UTF-8 without control characters") {
  for (const char* good : {"a", "ankle boot", "é", "\xf0\x9f\x98\x80", "a\"b", "\xc2\xa0"}) {
    CHECK(is_rule_name(good));
  }
  for (const char* bad : {"", "\n", "a\x7f", "\xff", "\xc3", "\xc2\x85", "\xed\xa0\x80"}) {
    CHECK_FALSE(is_rule_name(bad));
  }
}

TEST_CASE("a rule of another network is refused") {
  const auto misfit = [](const Rule& rule, const Shape& input, const Shape& output) {
    return message_of<DataError>([&] { check_rule_fits(rule, input, output, "f.tbn"); });
  };
  check_rule_fits(folder_rule(), {3, 64, 64}, {2}, "f.tbn");
  CHECK(says(misfit(folder_rule(), {3, 64, 64}, {3}), {"2 classes", "[3]"}));
  CHECK(says(misfit(folder_rule(), {3, 73, 64}, {2}), {"72 pixels", "[3, 73, 64]"}));
  CHECK(says(misfit(folder_rule(), {64, 3}, {2}), {"images", "[64, 3]"}));
  Rule points{
      .input = InputRule{.kind = "points", .steps = {ChooseStep{}}, .columns = {"x", "y", "z"}},
      .output = OutputRule{.kind = "point_class",
                           .classes = {"p", "q", "r"},
                           .categories = {{"a", 0, 1}, {"b", 1, 2}}}};
  check_rule_fits(points, {64, 5}, {64, 3}, "f.tbn");
  CHECK(says(misfit(points, {64, 4}, {64, 3}), {"3 columns and 2 categories"}));
  points.output->categories[1].count = 3;
  CHECK(says(misfit(points, {64, 5}, {64, 3}), {"'b' ends at label 4"}));
  const Rule series{.input = InputRule{.kind = "series", .steps = {StandardiseStep{{1}, {1}}}}};
  CHECK(says(misfit(series, {96, 2}, {24, 2}), {"means of 1 column"}));
}

TEST_CASE("the rows of a series and the samples counted in them are those of one network") {
  // Inputs reach back over the border of a split, but not before the first row.
  const Shape input = {24, 2};
  const Shape output = {6, 2};
  const auto rule = [](const std::map<std::string, MeasuredSplit>& splits) {
    return Rule{.measured = MeasuredRule{.data = "csv", .splits = splits, .rows = {490, 70, 140}}};
  };
  const std::map<std::string, MeasuredSplit> right = {
      {"train", {.count = 461}}, {"validation", {.count = 65}}, {"test", {.count = 135}}};
  check_rule_fits(rule(right), input, output, "f.tbn");
  check_rule_fits(rule({}), input, output, "f.tbn");
  for (const auto& [split, found] : right) {
    for (const std::int64_t wrong :
         {std::int64_t{0}, found.count - 1, found.count + 1, std::int64_t{1} << 53}) {
      std::map<std::string, MeasuredSplit> splits = right;
      splits[split].count = wrong;
      CHECK(says(
          message_of<DataError>([&] { check_rule_fits(rule(splits), input, output, "f.tbn"); }),
          {"f.tbn: tbn.measured: 'rows' has ", " of " + split + ", which are ",
           std::to_string(found.count) + " samples", "'count' says " + std::to_string(wrong)}));
    }
  }
  // A split that is shorter than what is to be forecast has none.
  Rule none = rule({{"validation", {.count = 0}}});
  none.measured->rows = {490, 3, 140};
  check_rule_fits(none, input, output, "f.tbn");
}
