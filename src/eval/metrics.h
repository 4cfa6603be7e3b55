// How good predictions are, counted on the host in double: one counting for the trainer,
// checkpoints and packed files, and for every task. No LibTorch.
//
//   MetricSums sums(data.spec());
//   for (const Batch& b : batches) sums.add(outputs_of(b), b.labels, b.targets, b.count);
//   fmt::print("{}\n", sums.result().headline());
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/source/dataset.h"
#include "file/json.h"

namespace tbn {

// Of one class. Shares in per cent; absent where there is nothing to take the share of.
struct ClassMetrics {
  std::string name;
  std::int64_t count = 0;           // samples (classification) or points (segmentation) that are it
  std::optional<double> recall;     // of those that are this class, how many were found
  std::optional<double> precision;  // of those called this class, how many are it
  std::optional<double> iou;        // right / (is or is called this class)
};

// The figures of one kind of object whose parts are segmented.
struct CategoryMetrics {
  std::string name;
  std::int64_t objects = 0;
  std::optional<double> miou;  // per cent, mean over its objects; absent without objects
};

struct EvalMetrics {
  Task task = Task::kClassification;
  std::int64_t samples = 0;
  // Samples of which an output is infinite or not a number. None of them counts as right, they are
  // called nothing, and a loss over one is not a number.
  std::int64_t not_finite = 0;
  // Mean cross entropy in nats over samples or points, with no label ruled out; the MSE for series.
  double loss = 0;

  // Classification, per cent.
  double top1 = 0;
  double top5 = 0;  // 100 with five classes or fewer

  // Segmentation, per cent.
  double accuracy = 0;        // of all points ("overall accuracy")
  double class_accuracy = 0;  // mean recall over the classes that occur
  double miou = 0;            // mean IoU over the classes that occur or are predicted
  // Of objects with categories, as in PointNet (Qi et al. 2017, section 5.1): a shape's value is
  // the mean IoU over its category's parts, 1 for a part that neither occurs nor is predicted.
  std::optional<double> instance_miou;  // mean over shapes
  std::optional<double> class_miou;     // mean over categories of the mean over their shapes

  // Forecasting: mean squared and mean absolute error of all standardised values.
  double mse = 0;
  double mae = 0;

  std::vector<ClassMetrics> classes;
  std::vector<CategoryMetrics> categories;
  // [K, K], row: the class it is, column: the class it was called. Empty beyond
  // MetricSums::kMaxConfusionClasses classes.
  std::vector<std::int64_t> confusion;

  // What chooses the best epoch; higher is better: top-1, instance mIoU or mIoU in per cent, -MSE.
  // Not a number where the outputs are not.
  double score() const;
  // Its name in a sentence, with what is printed for it: "top-1 91.20 %", "MSE 0.3750".
  std::string score_name() const;  // "top-1", "instance mIoU", "mIoU", "MSE"
  std::string score_text() const;  // "91.20 %", "0.3750"

  // "top-1 91.20 %, top-5 99.80 %, loss 0.2510"; top-5 of more than five classes alone
  // "instance mIoU 83.10 %, class mIoU 80.00 %, accuracy 93.20 %, loss 0.2000"
  // "mIoU 43.70 %, accuracy 78.90 %, class accuracy 52.00 %, loss 0.9000"
  // "MSE 0.3750, MAE 0.3990"
  std::string headline() const;
};

class MetricSums {
 public:
  static constexpr std::int64_t kMaxConfusionClasses = 256;

  MetricSums() = default;  // takes no samples
  explicit MetricSums(const SampleSpec& spec);

  // `outputs` [samples, task.output]; `labels` [samples] or [samples, N], each 0 .. K - 1;
  // `targets` [samples, H, C]; what the task does not have is empty. Among equal logits the first
  // counts. Where objects have categories, an object is of the one that its first label is of, and
  // its points are given that category's labels alone.
  void add(std::span<const float> outputs, std::span<const std::int64_t> labels,
           std::span<const float> targets, std::int64_t samples);

  // Samples, by their numbers in the set, that could not be read and count in no figure.
  void leave_out(std::span<const std::int64_t> samples);

  EvalMetrics result() const;
  // The predicted class of each sample or of each point, in order, -1 where its logits are not all
  // finite; none for forecasting.
  const std::vector<std::int32_t>& predictions() const { return predictions_; }
  // The same with kUnread, once or for each point, in the place of each sample that was left out,
  // so that line i is of sample i where add() went through a set in order.
  std::vector<std::int32_t> predictions_by_place() const;
  static constexpr std::int32_t kUnread = -1;
  const SampleSpec& spec() const { return spec_; }
  // Throws NonFiniteError where outputs were not finite: "<where>: the outputs of 3 of 500 samples
  // ...".
  void expect_finite(const std::string& where) const;

 private:
  struct ClassCounts {
    std::int64_t is = 0;      // have this label
    std::int64_t called = 0;  // were given this label
    std::int64_t both = 0;
  };
  struct CategorySum {
    std::int64_t objects = 0;
    double iou = 0;  // sum over objects
  };

  std::size_t classes() const { return counts_.size(); }
  const LabelRange* category_of(std::int64_t label) const;
  void add_classified(std::span<const float> logits, std::span<const std::int64_t> labels);
  void add_object(std::span<const float> logits, std::span<const std::int64_t> labels);
  void add_series(std::span<const float> values, std::span<const float> targets);
  void count(std::size_t label, std::size_t predicted);
  void count_not_finite(std::size_t label);
  void put_classes(EvalMetrics& metrics) const;
  void put_categories(EvalMetrics& metrics) const;

  SampleSpec spec_;
  std::int64_t samples_ = 0;
  std::int64_t not_finite_ = 0;
  std::vector<std::int32_t> predictions_;
  std::vector<std::int64_t> left_out_;
  std::vector<ClassCounts> counts_;      // [K]
  std::vector<std::int64_t> confusion_;  // [K, K] or empty
  std::vector<CategorySum> categories_;
  std::int64_t correct_ = 0;
  std::int64_t among_five_ = 0;
  double loss_ = 0;
  double squares_ = 0;
  double absolutes_ = 0;
  std::int64_t values_ = 0;
};

// Classification: {"task", "top1", "top5", "loss", "images", "per_class", "confusion"};
// segmentation: {"task", "accuracy", "class_accuracy", "miou", "instance_miou", "class_miou",
// "loss", "samples", "per_class", "per_category", "confusion"}; forecasting: {"task", "mse", "mae",
// "loss", "samples"}; "not_finite", a number of samples, where there are any. What is absent is
// left out; what is not finite is null.
Json metrics_json(const EvalMetrics& metrics);

// The classes and categories as aligned columns, a line each, for people to read; empty for
// forecasting and beyond `most` classes.
std::string metrics_table(const EvalMetrics& metrics, std::size_t most = 100);

}  // namespace tbn
