// Metrics of all tasks against values worked out by hand.
#include <cmath>
#include <limits>

#include "eval/metrics.h"
#include "support/catch.h"
#include "support/errors.h"
#include "tbn/error.h"

using namespace tbn;
using namespace tbn::test;

namespace {

using Labels = std::vector<std::int64_t>;
using Values = std::vector<float>;

SampleSpec classification(std::int64_t classes) {
  SampleSpec spec;
  spec.input = {1, 1, 1};
  spec.task.output = {classes};
  for (std::int64_t k = 0; k < classes; ++k) {
    spec.class_names.push_back(std::string(1, static_cast<char>('a' + k)));
  }
  return spec;
}

SampleSpec segmentation(std::int64_t points, std::int64_t classes) {
  SampleSpec spec = classification(classes);
  spec.task = {.task = Task::kSegmentation, .output = {points, classes}, .condition = 0};
  return spec;
}

SampleSpec forecasting(std::int64_t horizon, std::int64_t columns) {
  SampleSpec spec;
  spec.task = {.task = Task::kForecasting, .output = {horizon, columns}, .condition = 0};
  return spec;
}

// Logits that call each label's class: 1 for it, 0 for the others.
Values calling(const Labels& classes, std::size_t width) {
  Values logits(classes.size() * width, 0);
  for (std::size_t i = 0; i < classes.size(); ++i) {
    logits[i * width + static_cast<std::size_t>(classes[i])] = 1;
  }
  return logits;
}

}  // namespace

TEST_CASE("metrics count hits among one and five and average the cross entropy") {
  MetricSums sums(classification(6));
  const Values logits = {0, 1, 2, 3, 4, 5,   // label 5: right
                         5, 4, 3, 2, 1, 0,   // label 5: sixth of six
                         1, 1, 0, 0, 0, 0};  // label 1: a tie that the first wins
  sums.add(logits, Labels{5, 5, 1}, {}, 3);
  const EvalMetrics metrics = sums.result();
  CHECK(metrics.samples == 3);
  CHECK(metrics.top1 == Approx(100.0 / 3));
  CHECK(metrics.top5 == Approx(200.0 / 3));
  CHECK(sums.predictions() == std::vector<std::int32_t>{5, 0, 0});
  double all = 0;
  for (int k = 0; k < 6; ++k) all += std::exp(k);
  const double tie = std::log(2 * std::exp(1.0) + 4) - 1;
  CHECK(metrics.loss == Approx((std::log(all) - 5 + std::log(all) + tie) / 3));
}

TEST_CASE("metrics stay exact for logits that overflow an exponential") {
  MetricSums sums(classification(2));
  sums.add(Values{1000, 0}, Labels{1}, {}, 1);
  CHECK(sums.result().loss == Approx(1000));
}

TEST_CASE("metrics of no sample are zero") {
  for (const SampleSpec& spec : {classification(3), segmentation(2, 3), forecasting(2, 1)}) {
    const EvalMetrics metrics = MetricSums(spec).result();
    CHECK(metrics.samples == 0);
    CHECK(metrics.loss == 0);
    CHECK(metrics.score() == 0);
    CHECK(metrics_table(metrics).empty());
    CHECK_NOTHROW(metrics_json(metrics).compact());
  }
}

TEST_CASE("top-5 is told of more than five classes alone") {
  for (const std::int64_t classes : {2, 5, 6}) {
    MetricSums sums(classification(classes));
    sums.add(calling({0, 1}, classes), Labels{0, 0}, {}, 2);
    INFO(classes << " classes: " << sums.result().headline());
    CHECK((sums.result().headline().find(", top-5 ") != std::string::npos) == (classes > 5));
    CHECK(metrics_json(sums.result()).contains("top5"));
  }
}

TEST_CASE(
    "the confusion matrix has a row for what an image is and a column for what it is called") {
  MetricSums sums(classification(4));
  // is:     a a a b b c; called: a a b b c b; nothing is d or is called d.
  sums.add(calling({0, 0, 1, 1}, 4), Labels{0, 0, 0, 1}, {}, 4);
  sums.add(calling({2, 1}, 4), Labels{1, 2}, {}, 2);
  const EvalMetrics metrics = sums.result();
  CHECK(metrics.confusion == Labels{2, 1, 0, 0,  //
                                    0, 1, 1, 0,  //
                                    0, 1, 0, 0,  //
                                    0, 0, 0, 0});
  REQUIRE(metrics.classes.size() == 4);
  const ClassMetrics& a = metrics.classes[0];
  CHECK(a.name == "a");
  CHECK(a.count == 3);
  CHECK(a.recall.value() == Approx(200.0 / 3));
  CHECK(a.precision.value() == Approx(100));
  const ClassMetrics& b = metrics.classes[1];
  CHECK(b.recall.value() == Approx(50));
  CHECK(b.precision.value() == Approx(100.0 / 3));
  CHECK(b.iou.value() == Approx(25));  // one right of {2 that are b} + {3 called b} - 1
  CHECK(metrics.classes[2].recall.value() == 0);
  CHECK_FALSE(metrics.classes[3].recall.has_value());
  CHECK_FALSE(metrics.classes[3].precision.has_value());
  CHECK(metrics.score() == metrics.top1);
  CHECK(metrics.headline() == "top-1 50.00 %, loss 1.2437");

  const Json json = metrics_json(metrics);
  CHECK(json.at("task").as_string() == "classification");
  CHECK(json.at("top1").as_double() == 50);
  CHECK(json.at("top5").as_double() == 100);
  CHECK(json.at("images").as_int() == 6);
  CHECK(json.at("confusion").at(1).at(2).as_int() == 1);
  CHECK(json.at("per_class").at(0).at("precision").as_double() == 100);
  CHECK_FALSE(json.at("per_class").at(3).contains("recall"));
  CHECK(metrics_table(metrics) ==
        "class  samples   recall  precision\n"
        "a            3  66.67 %   100.00 %\n"
        "b            2  50.00 %    33.33 %\n"
        "c            1   0.00 %     0.00 %\n"
        "d            0        -          -\n");
  CHECK(metrics_table(metrics, 3).empty());
}

TEST_CASE("a table of classes shows names in UTF-8 and is aligned by characters") {
  EvalMetrics metrics;
  metrics.classes = {{.name = "gro\xC3\x9F", .count = 1}, {.name = "ab\x1B[\xFF", .count = 20}};
  metrics.classes.push_back({.name = std::string(79, 'x') + "\xC3\xA9\xC3\xA9"});
  const std::string wide(80, ' ');
  CHECK(metrics_table(metrics) == "class" + wide + "samples  recall  precision\n" + "gro\xC3\x9F " +
                                      wide + "      1       -          -\n" + "ab?[?" + wide +
                                      "     20       -          -\n" + std::string(79, 'x') +
                                      "\xC3\xA9...        0       -          -\n");
}

TEST_CASE("too many classes are counted without a confusion matrix") {
  SampleSpec spec = classification(1);
  spec.task.output = {MetricSums::kMaxConfusionClasses + 1};
  MetricSums sums(spec);
  sums.add(Values(257, 0), Labels{0}, {}, 1);
  CHECK(sums.result().confusion.empty());
  CHECK(sums.result().classes.size() == 257);
  CHECK(sums.result().classes[256].name == "256");
  CHECK_FALSE(metrics_json(sums.result()).contains("confusion"));
}

TEST_CASE("a scene's mIoU leaves out classes that neither occur nor are predicted") {
  MetricSums sums(segmentation(4, 4));
  sums.add(calling({0, 0, 1, 1, 1, 2, 2, 2}, 4), Labels{0, 0, 0, 1, 1, 1, 1, 1}, {}, 2);
  const EvalMetrics metrics = sums.result();
  // a: 2 of 3 + 2 - 2; b: 2 of 5 + 3 - 2; c: occurs nowhere, is predicted: 0; d: left out.
  CHECK(metrics.samples == 2);
  CHECK(metrics.accuracy == Approx(50));
  CHECK(metrics.miou == Approx(100 * (2.0 / 3 + 2.0 / 6 + 0) / 3));
  CHECK(metrics.class_accuracy == Approx(100 * (2.0 / 3 + 2.0 / 5) / 2));
  CHECK_FALSE(metrics.instance_miou.has_value());
  CHECK(metrics.score() == metrics.miou);
  const double right = std::log(std::exp(1.0) + 3) - 1;
  CHECK(metrics.loss == Approx((4 * right + 4 * (right + 1)) / 8));
  CHECK(sums.predictions() == std::vector<std::int32_t>{0, 0, 1, 1, 1, 2, 2, 2});
  CHECK(metrics.headline() ==
        "mIoU 33.33 %, accuracy 50.00 %, class accuracy 53.33 %, loss 1.2437");
  CHECK(metrics_json(metrics).at("per_class").at(1).at("iou").as_double() == Approx(100.0 / 3));
  CHECK_FALSE(metrics_json(metrics).contains("instance_miou"));
  CHECK(metrics_table(metrics) ==
        "class  points   recall      IoU\n"
        "a           3  66.67 %  66.67 %\n"
        "b           5  40.00 %  33.33 %\n"
        "c           0        -   0.00 %\n"
        "d           0        -        -\n");
}

TEST_CASE("an object's mIoU is the mean over its category's parts, absent ones being right") {
  SampleSpec spec = segmentation(4, 6);
  // Labels a, b, c are the parts of lamps, d, e those of mugs; f is the only part of a rug.
  spec.categories = {{"lamp", 0, 3}, {"mug", 3, 2}, {"rug", 5, 1}};
  MetricSums sums(spec);
  // A lamp of a, a, b, b called a, b, b, b: a 1/2, b 2/3, c absent in both: 1.
  sums.add(calling({0, 1, 1, 1}, 6), Labels{0, 0, 1, 1}, {}, 1);
  // A lamp of a alone called a, a, a, c: a 3/4, b absent in both 1, c is called and is not: 0.
  sums.add(calling({0, 0, 0, 2}, 6), Labels{0, 0, 0, 0}, {}, 1);
  // A mug of d, d, e, e, all of whose largest logits are a lamp's: among a mug's, all say d.
  Values logits(24, 0);
  for (std::size_t i = 0; i < 4; ++i) {
    logits[6 * i] = 9;
    logits[6 * i + 3] = 1;
  }
  sums.add(logits, Labels{3, 3, 4, 4}, {}, 1);

  const double first = (1.0 / 2 + 2.0 / 3 + 1) / 3;
  const double second = (3.0 / 4 + 1 + 0) / 3;
  const double mug = (2.0 / 4 + 0) / 2;
  const EvalMetrics metrics = sums.result();
  CHECK(metrics.instance_miou.value() == Approx(100 * (first + second + mug) / 3));
  // No rug was seen: the mean is over lamps and mugs.
  CHECK(metrics.class_miou.value() == Approx(100 * ((first + second) / 2 + mug) / 2));
  CHECK(metrics.accuracy == Approx(100 * (3 + 3 + 2) / 12.0));
  CHECK(metrics.score() == metrics.instance_miou.value());
  CHECK(sums.predictions() == std::vector<std::int32_t>{0, 1, 1, 1, 0, 0, 0, 2, 3, 3, 3, 3});
  REQUIRE(metrics.categories.size() == 3);
  CHECK(metrics.categories[0].objects == 2);
  CHECK(metrics.categories[1].miou.value() == Approx(100 * mug));
  CHECK_FALSE(metrics.categories[2].miou.has_value());
  CHECK_THAT(metrics.headline(),
             StartsWith("instance mIoU 51.85 %, class mIoU 45.14 %, accuracy 66.67 %, loss "));
  // The cross entropy is over all labels, as in training.
  const double right = std::log(std::exp(1.0) + 5) - 1;
  const double misled = std::log(std::exp(9.0) + std::exp(1.0) + 4);
  CHECK(metrics.loss == Approx((6 * right + 2 * (right + 1) + 2 * (misled - 1) + 2 * misled) / 12));

  const Json json = metrics_json(metrics);
  CHECK(json.at("instance_miou").as_double() == metrics.instance_miou.value());
  CHECK(json.at("per_category").at(0).at("name").as_string() == "lamp");
  CHECK_FALSE(json.at("per_category").at(2).contains("miou"));
  CHECK_THAT(metrics_table(metrics), EndsWith("\n"
                                              "category  objects     mIoU\n"
                                              "lamp            2  65.28 %\n"
                                              "mug             1  25.00 %\n"
                                              "rug             0        -\n"));
}

TEST_CASE("objects whose labels are of two categories are refused") {
  SampleSpec spec = segmentation(2, 3);
  spec.categories = {{"lamp", 0, 2}, {"mug", 2, 1}};
  MetricSums sums(spec);
  CHECK_THROWS_AS(sums.add(Values(6, 0), Labels{0, 2}, {}, 1), InternalError);
  spec.categories = {{"lamp", 0, 2}};
  MetricSums some(spec);
  CHECK_THROWS_AS(some.add(Values(6, 0), Labels{2, 2}, {}, 1), InternalError);
}

TEST_CASE("errors of series are the means of squares and of absolute values") {
  MetricSums sums(forecasting(2, 2));
  sums.add(Values{1, 2, 3, 4}, {}, Values{1, 0, 6, 4}, 1);
  sums.add(Values{0, 0, 0, 0, 1, 1, 1, 1}, {}, Values{0.5, 0, 0, 0, 1, 1, 1, -1}, 2);
  const EvalMetrics metrics = sums.result();
  CHECK(metrics.samples == 3);
  CHECK(metrics.mse == Approx((4 + 9 + 0.25 + 4) / 12));
  CHECK(metrics.mae == Approx((2 + 3 + 0.5 + 2) / 12));
  CHECK(metrics.loss == metrics.mse);
  CHECK(metrics.score() == -metrics.mse);
  CHECK(metrics.headline() == "MSE 1.4375, MAE 0.6250");
  CHECK(sums.predictions().empty());
  CHECK(metrics_table(metrics).empty());
  CHECK(metrics_json(metrics) == Json::object({{"task", "forecasting"},
                                               {"mse", 1.4375},
                                               {"mae", 0.625},
                                               {"loss", 1.4375},
                                               {"samples", 3}}));
}

TEST_CASE("errors of series are summed in double") {
  // In float, adding 1e-4 to 2^24 would change nothing.
  MetricSums sums(forecasting(1, 1));
  sums.add(Values{4096}, {}, Values{0}, 1);
  const std::int64_t small = 100000;
  sums.add(Values(static_cast<std::size_t>(small), 0.0078125f), {},
           Values(static_cast<std::size_t>(small), 0), small);
  const double expected = (4096.0 * 4096 + static_cast<double>(small) * 0.0078125 * 0.0078125) /
                          static_cast<double>(small + 1);
  CHECK(sums.result().mse == Approx(expected).epsilon(1e-13));
}

TEST_CASE("metrics that are not finite are null in JSON") {
  MetricSums sums(forecasting(1, 1));
  sums.add(Values{std::numeric_limits<float>::quiet_NaN()}, {}, Values{0}, 1);
  CHECK(metrics_json(sums.result()).at("mse").is_null());
  CHECK_NOTHROW(metrics_json(sums.result()).compact());
  CHECK_FALSE(sums.result().score() > -std::numeric_limits<double>::infinity());
}

TEST_CASE("samples that were left out keep their places among the predictions") {
  SampleSpec spec;
  spec.input = {1};
  spec.task = {.task = Task::kClassification, .output = {3}};
  MetricSums sums(spec);
  const std::vector<std::int64_t> first{0};
  const std::vector<std::int64_t> labels{2, 1};
  const std::vector<float> logits{0, 0, 1, 0, 1, 0};
  sums.leave_out(first);
  sums.add(logits, labels, {}, 2);
  const std::vector<std::int64_t> last{4, 3};
  sums.leave_out(last);
  CHECK(sums.predictions() == std::vector<std::int32_t>{2, 1});
  CHECK(sums.predictions_by_place() == std::vector<std::int32_t>{-1, 2, 1, -1, -1});
  CHECK(sums.result().samples == 2);
  CHECK(sums.result().top1 == 100);
}

TEST_CASE("a sample whose outputs are not finite is never right, whatever its label") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float inf = std::numeric_limits<float>::infinity();
  for (const float bad : {nan, inf, -inf}) {
    CAPTURE(bad);
    for (std::size_t place = 0; place < 4; ++place) {
      for (std::int64_t label = 0; label < 4; ++label) {
        Values logits = {0, 1, 2, 3};
        logits[place] = bad;
        MetricSums sums(classification(4));
        sums.add(logits, Labels{label}, {}, 1);
        sums.add(calling({2}, 4), Labels{2}, {}, 1);
        const EvalMetrics metrics = sums.result();
        CHECK(metrics.not_finite == 1);
        CHECK(metrics.top1 == 50);
        CHECK(metrics.top5 == 50);
        CHECK(std::isnan(metrics.loss));
        CHECK(sums.predictions() == std::vector<std::int32_t>{-1, 2});
        CHECK(metrics_json(metrics).at("not_finite").as_int() == 1);
        CHECK(metrics.headline().starts_with("1 of 2 outputs not finite, top-1 50.00 %"));
      }
    }
  }
}

TEST_CASE("points and series that are not finite are counted by object") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  MetricSums points(segmentation(2, 2));
  points.add(Values{1, 0, nan, 0, 1, 0, 0, 1}, Labels{0, 0, 0, 1}, {}, 2);
  CHECK(points.result().not_finite == 1);
  CHECK(points.result().accuracy == 75);
  CHECK(points.result().classes.at(0).count == 3);
  CHECK(points.predictions() == std::vector<std::int32_t>{0, -1, 0, 1});
  MetricSums series(forecasting(2, 1));
  series.add(Values{0, nan, 0, 0}, {}, Values{0, 0, 0, 0}, 2);
  CHECK(series.result().not_finite == 1);
  CHECK(message_of<NonFiniteError>([&] {
          series.expect_finite("m.tbn");
        }).starts_with("m.tbn: the outputs of 1 of 2 samples are infinite or not a number"));
  MetricSums good(classification(2));
  good.add(Values{0, 1}, Labels{1}, {}, 1);
  CHECK_NOTHROW(good.expect_finite("m.tbn"));
  CHECK(metrics_json(good.result()).find("not_finite") == nullptr);
}

TEST_CASE("outputs and labels of the wrong number are refused") {
  MetricSums sums(classification(3));
  CHECK_THROWS_AS(sums.add(Values(3, 0), Labels{0, 1}, {}, 1), InternalError);
  CHECK_THROWS_AS(sums.add(Values(4, 0), Labels{0}, {}, 1), InternalError);
  CHECK_THROWS_AS(sums.add(Values(3, 0), Labels{3}, {}, 1), InternalError);
  CHECK_THROWS_AS(sums.add(Values(3, 0), Labels{-1}, {}, 1), InternalError);
  MetricSums series(forecasting(2, 1));
  CHECK_THROWS_AS(series.add(Values(2, 0), {}, Values(1, 0), 1), InternalError);
  CHECK_THROWS_AS(MetricSums().add(Values(1, 0), Labels{0}, {}, 1), InternalError);
}
