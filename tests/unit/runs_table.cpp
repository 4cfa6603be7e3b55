// Runs side by side: what differs, groups, spreads, and what each format gives a meaning.
#include "runs/run_table.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;
using Catch::Matchers::WithinRel;
using tbn::test::message_of;

namespace {

RunRecord run(const std::string& name, std::vector<RunSetting> settings) {
  RunRecord record{.folder = "runs/" + name, .name = name};
  record.settings = std::move(settings);
  return record;
}

// A complete run of a network of p, with a seed.
RunRecord complete(const std::string& p, const std::string& seed, double test) {
  RunRecord record = run("p" + p + "_" + seed, {{"weights.p", p}, {"train.seed", seed}});
  record.progress = RunProgress::kComplete;
  record.measure = "accuracy";
  record.validation = test - 1;
  record.test = test;
  record.summary = Json::object({{"bits_per_weight", 0.25}, {"bytes", 1000}});
  return record;
}

std::ptrdiff_t count(const std::string& text, char c) { return std::ranges::count(text, c); }

}  // namespace

TEST_CASE("a spread is the mean and the deviation of a sample") {
  struct Case {
    std::vector<std::optional<double>> values;
    double mean;
    double deviation;
  };
  // 1 to n have the variance n (n + 1) / 12; two values differ from their mean by half of what they
  // differ by; a constant moves the mean alone.
  const std::vector<Case> cases = {{{1, 2, 3, 4, 5}, 3, std::sqrt(5 * 6 / 12.0)},
                                   {{1, 2, 3, 4, 5, 6, 7}, 4, std::sqrt(7 * 8 / 12.0)},
                                   {{90, 93}, 91.5, 3 / std::sqrt(2.0)},
                                   {{1e9 + 1, 1e9 + 2, 1e9 + 3}, 1e9 + 2, 1},
                                   {{-4, 4}, 0, 8 / std::sqrt(2.0)},
                                   {{7, 7, 7}, 7, 0},
                                   {{1, std::nullopt, 3, std::nullopt}, 2, std::sqrt(2.0)}};
  for (const Case& each : cases) {
    const auto spread = spread_of(each.values);
    REQUIRE(spread);
    CHECK_THAT(spread->mean, WithinRel(each.mean, 1e-12));
    REQUIRE(spread->deviation);
    CHECK_THAT(*spread->deviation, WithinRel(each.deviation, 1e-9));
  }
}

TEST_CASE("of one value there is no deviation, and of none no spread") {
  const auto one = spread_of({std::nullopt, 4.5});
  REQUIRE(one);
  CHECK(one->count == 1);
  CHECK(one->mean == 4.5);
  CHECK_FALSE(one->deviation);
  CHECK_FALSE(spread_of({}));
  CHECK_FALSE(spread_of({std::nullopt, std::nullopt}));
}

TEST_CASE("figures have the decimals of their measure") {
  CHECK(score_text(91.278, "accuracy") == "91.28");
  CHECK(score_text(5, "miou") == "5.00");
  CHECK(score_text(0.37504, "mse") == "0.3750");
  CHECK(spread_text({.count = 3, .mean = 92.164, .deviation = 0.123}, "accuracy") ==
        "92.16 \xC2\xB1 0.12");
  CHECK(spread_text({.count = 3, .mean = 0.5, .deviation = 0.00012}, "mse") ==
        "0.5000 \xC2\xB1 0.0001");
  CHECK(spread_text({.count = 1, .mean = 7, .deviation = {}}, "miou") == "7.00");
}

TEST_CASE("runs differ in what their configurations say, and not in where they are") {
  const std::vector<RunRecord> runs = {
      run("a", {{"name", "a"}, {"weights.p", "4"}, {"optim.lr", "0.1"}, {"train.threads", "1"}}),
      run("b", {{"name", "b"}, {"weights.p", "4"}, {"optim.lr", "0.2"}, {"train.threads", "2"}}),
      run("c", {{"name", "c"}, {"weights.p", "4"}, {"optim.lr", "0.1"}, {"model.depth", "3"}})};
  const std::vector<Difference> found = differences(runs);
  REQUIRE(found.size() == 2);
  CHECK(found[0].key == "optim.lr");
  CHECK(found[0].values == std::vector<std::string>{"0.1", "0.2", "0.1"});
  CHECK(found[1].key == "model.depth");
  CHECK(found[1].values == std::vector<std::string>{"", "", "3"});
  std::vector<std::string> keys;
  for (const Difference& each : differences(runs, true)) keys.push_back(each.key);
  CHECK(keys == std::vector<std::string>{"name", "optim.lr", "train.threads", "model.depth"});
  CHECK(differences({runs[0]}, true).empty());
  CHECK(differences({}).empty());
}

TEST_CASE("groups are in the order of their first runs, and have all of them") {
  const std::vector<RunRecord> runs = {complete("8", "1", 90), complete("2", "1", 95),
                                       complete("8", "2", 92), complete("2", "2", 96)};
  const auto groups = group_by(runs, {"weights.p"});
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].values == std::vector<std::string>{"8"});
  CHECK(groups[0].runs == std::vector<const RunRecord*>{&runs[0], &runs[2]});
  CHECK(groups[1].runs == std::vector<const RunRecord*>{&runs[1], &runs[3]});
  CHECK(group_by(runs, {"train.seed", "weights.p"}).size() == 4);
  const auto all = group_by(runs, {});
  REQUIRE(all.size() == 1);
  CHECK(all[0].runs.size() == 4);
}

TEST_CASE("a key that no run has is named with the nearest") {
  const std::vector<RunRecord> runs = {complete("8", "1", 90)};
  CHECK(message_of<ConfigError>([&] { group_by(runs, {"weights.pp"}); }) ==
        "--by: no run has the setting 'weights.pp' (did you mean 'weights.p'?)");
  CHECK_THROWS_AS(group_by(runs, {"weights.p", ""}), ConfigError);
}

TEST_CASE("a row has the figures of its complete runs alone") {
  std::vector<RunRecord> runs = {complete("8", "1", 90), complete("8", "2", 93),
                                 complete("8", "3", 10), complete("2", "1", 95)};
  runs[2].progress = RunProgress::kStopped;
  runs[2].summary = Json();
  const TextTable table = group_table(group_by(runs, {"weights.p"}), {"weights.p"});
  REQUIRE(table.size() == 3);
  CHECK(table[0] == std::vector<std::string>{"weights.p", "runs", "validation accuracy, %",
                                             "test accuracy, %", "bits per weight",
                                             "bytes of layers", "training, s"});
  CHECK(table[1][1] == "2 of 3");
  CHECK(table[1][3] == "91.50 \xC2\xB1 2.12");
  CHECK(table[1][4] == "0.250");
  CHECK(table[1][6].empty());
  CHECK(table[2][1] == "1");
  CHECK(table[2][3] == "95.00");
}

TEST_CASE("numbers that no file of a run should have stay out of a table") {
  for (const double wrong : {1e300, -1e300, -1.0}) {
    CAPTURE(wrong);
    std::vector<RunRecord> runs = {complete("8", "1", 90)};
    runs[0].summary["bytes"] = wrong;
    runs[0].summary["train_seconds"] = wrong;
    const TextTable table = group_table(group_by(runs, {}), {});
    for (const std::string& cell : table[1]) {
      CHECK(cell.find("9,223,372,036") == std::string::npos);
      CHECK(cell.find("18,446,744,073") == std::string::npos);
    }
  }
}

TEST_CASE("a table as text has its numbers to the right") {
  const TextTable table = {{"run", "score"}, {"a", "9.00"}, {"long", "10.00 \xC2\xB1 1.00"}};
  CHECK(print_table(table, TableFormat::kText) ==
        "run          score\n"
        "a             9.00\n"
        "long  10.00 \xC2\xB1 1.00\n");
  CHECK(print_table(TextTable(1, {"only"}), TableFormat::kText) == "only\n");
}

TEST_CASE("what a format gives a meaning is escaped") {
  const TextTable table = {{"a_b", "n"}, {"x|y_%&#$~^\\{}", "1"}, {"say \"a, b\"", "2"}};
  const std::string markdown = print_table(table, TableFormat::kMarkdown);
  CHECK(markdown.starts_with("| a\\_b | n |\n|---|---:|\n| x\\|y\\_%&#$~^\\\\{} | 1 |\n"));
  CHECK(print_table(table, TableFormat::kCsv) ==
        "a_b,n\nx|y_%&#$~^\\{},1\n\"say \"\"a, b\"\"\",2\n");
  const std::string latex = print_table(table, TableFormat::kLatex);
  CHECK(latex.starts_with("\\begin{tabular}{lr}\n\\hline\na\\_b & n \\\\\n\\hline\n"));
  CHECK(latex.find("y\\_\\%\\&\\#\\$\\~{}\\^{}\\textbackslash{}\\{\\} & 1 \\\\\n") !=
        std::string::npos);
  CHECK(latex.ends_with("\\hline\n\\end{tabular}\n"));
  CHECK(count(latex, '&') == 4);  // one of them escaped
}

TEST_CASE("every deviation of a LaTeX cell is a sign of its own") {
  const std::string text = "1 \xC2\xB1 2, 3 \xC2\xB1 4";
  const TextTable table = {{"a"}, {text}};
  const std::string latex = print_table(table, TableFormat::kLatex);
  CHECK(latex.find("1 $\\pm$ 2, 3 $\\pm$ 4") != std::string::npos);
}

TEST_CASE("a list at the head of a LaTeX row is not the length of a skip") {
  const TextTable table = {{"hidden", "n"}, {"[64]", "1"}, {"[32, 16]", "2"}, {"*", "3"}};
  const std::string latex = print_table(table, TableFormat::kLatex);
  CHECK(latex.find("\\\\\n[") == std::string::npos);
  CHECK(latex.find("\\\\\n*") == std::string::npos);
}
