// Counts hits, overlaps of labels and errors of values, and what follows from them.
#include "eval/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "tbn/error.h"

namespace tbn {
namespace {

// -log softmax(logits)[label], stable for large logits.
double cross_entropy_of(std::span<const float> logits, std::size_t label) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - largest);
  return std::log(sum) + largest - logits[label];
}

std::size_t largest_of(std::span<const float> logits) {
  return static_cast<std::size_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

double per_cent(std::int64_t part, std::int64_t whole) {
  return 100 * static_cast<double>(part) / static_cast<double>(whole);
}

std::optional<double> share(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return per_cent(part, whole);
}

// The mean of the values that there are; 0 where there is none.
struct Mean {
  double sum = 0;
  std::int64_t count = 0;

  void add(const std::optional<double>& value) {
    if (!value) return;
    sum += *value;
    ++count;
  }
  double value() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
};

}  // namespace

MetricSums::MetricSums(const SampleSpec& spec) : spec_(spec) {
  if (spec.task.task == Task::kForecasting) return;
  const std::int64_t classes = spec.task.output.back();
  TBN_CHECK(classes > 0, "an output has a logit for each class");
  counts_.resize(static_cast<std::size_t>(classes));
  if (classes <= kMaxConfusionClasses) {
    confusion_.resize(static_cast<std::size_t>(classes * classes));
  }
  categories_.resize(spec.categories.size());
  for (const LabelRange& range : spec.categories) {
    TBN_CHECK(range.first >= 0 && range.count > 0 && range.first + range.count <= classes,
              "a category's labels are among the classes");
  }
}

void MetricSums::add(std::span<const float> outputs, std::span<const std::int64_t> labels,
                     std::span<const float> targets, std::int64_t samples) {
  TBN_CHECK(samples >= 0, "a number of samples");
  const auto count = static_cast<std::size_t>(samples);
  if (spec_.task.task == Task::kForecasting) {
    TBN_CHECK(outputs.size() == count * static_cast<std::size_t>(spec_.targets()) &&
                  targets.size() == outputs.size(),
              "a prediction for each target");
    add_series(outputs, targets);
  } else {
    TBN_CHECK(classes() > 0 && labels.size() == count * static_cast<std::size_t>(spec_.labels()) &&
                  outputs.size() == labels.size() * classes(),
              "a row of logits for each label");
    for (const std::int64_t label : labels) {
      TBN_CHECK(label >= 0 && static_cast<std::size_t>(label) < classes(),
                "a label is one of the classes");
    }
    const auto points = static_cast<std::size_t>(spec_.labels());
    if (spec_.task.task == Task::kClassification) {
      add_classified(outputs, labels);
    } else {
      for (std::size_t s = 0; s < count; ++s) {
        add_object(outputs.subspan(s * points * classes(), points * classes()),
                   labels.subspan(s * points, points));
      }
    }
  }
  const std::size_t each = count > 0 ? outputs.size() / count : 0;
  for (std::size_t s = 0; s < count; ++s) {
    not_finite_ += all_finite(outputs.subspan(s * each, each)) ? 0 : 1;
  }
  samples_ += samples;
}

void MetricSums::leave_out(std::span<const std::int64_t> samples) {
  left_out_.insert(left_out_.end(), samples.begin(), samples.end());
}

std::vector<std::int32_t> MetricSums::predictions_by_place() const {
  std::vector<std::int64_t> gaps = left_out_;
  std::sort(gaps.begin(), gaps.end());
  const std::int64_t each = spec_.labels();
  std::vector<std::int32_t> placed;
  auto next = predictions_.begin();
  auto gap = gaps.begin();
  const std::int64_t samples = samples_ + static_cast<std::int64_t>(gaps.size());
  for (std::int64_t sample = 0; sample < samples; ++sample) {
    if (gap != gaps.end() && *gap == sample) {
      placed.insert(placed.end(), static_cast<std::size_t>(each), kUnread);
      ++gap;
    } else {
      placed.insert(placed.end(), next, next + each);
      next += each;
    }
  }
  return placed;
}

void MetricSums::expect_finite(const std::string& where) const {
  if (not_finite_ == 0) return;
  throw NonFiniteError(
      where + ": the outputs of " + grouped(static_cast<std::uint64_t>(not_finite_)) + " of " +
      grouped(static_cast<std::uint64_t>(samples_)) +
      " samples are infinite or not a number, so that nothing measured on them means anything; its "
      "weights or what is computed from them are beyond the range of the arithmetic");
}

// A point or sample whose logits are not finite is called nothing.
void MetricSums::count_not_finite(std::size_t label) {
  ++counts_[label].is;
  predictions_.push_back(-1);
  loss_ = std::numeric_limits<double>::quiet_NaN();
}

void MetricSums::count(std::size_t label, std::size_t predicted) {
  ++counts_[label].is;
  ++counts_[predicted].called;
  counts_[label].both += label == predicted;
  correct_ += label == predicted;
  if (!confusion_.empty()) ++confusion_[label * classes() + predicted];
  predictions_.push_back(static_cast<std::int32_t>(predicted));
}

// logits [n, K], labels [n].
void MetricSums::add_classified(std::span<const float> logits,
                                std::span<const std::int64_t> labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::span<const float> row = logits.subspan(i * classes(), classes());
    const auto label = static_cast<std::size_t>(labels[i]);
    if (!all_finite(row)) {
      count_not_finite(label);
      continue;
    }
    // Classes that come before the right one: higher logits, and equal ones with a lower number.
    std::size_t before = 0;
    for (std::size_t k = 0; k < row.size(); ++k) {
      before += row[k] > row[label] || (row[k] == row[label] && k < label);
    }
    among_five_ += before < 5;
    count(label, largest_of(row));
    loss_ += cross_entropy_of(row, label);
  }
}

const LabelRange* MetricSums::category_of(std::int64_t label) const {
  for (const LabelRange& range : spec_.categories) {
    if (label >= range.first && label < range.first + range.count) return &range;
  }
  TBN_CHECK(spec_.categories.empty(), "a label of an object belongs to a category");
  return nullptr;
}

// The points of one object or one block of a scene: logits [N, K], labels [N].
void MetricSums::add_object(std::span<const float> logits, std::span<const std::int64_t> labels) {
  const LabelRange* const category = category_of(labels.front());
  const std::size_t first = category ? static_cast<std::size_t>(category->first) : 0;
  const std::size_t parts = category ? static_cast<std::size_t>(category->count) : classes();
  std::vector<ClassCounts> object(category ? parts : 0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::span<const float> row = logits.subspan(i * classes(), classes());
    const auto label = static_cast<std::size_t>(labels[i]);
    TBN_CHECK(!category || (label >= first && label - first < parts),
              "an object has labels of one category");
    if (category) ++object[label - first].is;
    if (!all_finite(row)) {
      count_not_finite(label);
      continue;
    }
    const std::size_t predicted = first + largest_of(row.subspan(first, parts));
    count(label, predicted);
    loss_ += cross_entropy_of(row, label);
    if (!category) continue;
    ++object[predicted - first].called;
    object[label - first].both += label == predicted;
  }
  if (!category) return;
  double iou = 0;
  for (const ClassCounts& part : object) {
    const std::int64_t either = part.is + part.called - part.both;
    iou += either == 0 ? 1 : static_cast<double>(part.both) / static_cast<double>(either);
  }
  CategorySum& sum = categories_[static_cast<std::size_t>(category - spec_.categories.data())];
  ++sum.objects;
  sum.iou += iou / static_cast<double>(parts);
}

void MetricSums::add_series(std::span<const float> values, std::span<const float> targets) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double error = static_cast<double>(values[i]) - targets[i];
    squares_ += error * error;
    absolutes_ += std::abs(error);
  }
  values_ += static_cast<std::int64_t>(values.size());
}

void MetricSums::put_classes(EvalMetrics& metrics) const {
  Mean recall;
  Mean iou;
  for (std::size_t k = 0; k < classes(); ++k) {
    const ClassCounts& counts = counts_[k];
    ClassMetrics& of = metrics.classes.emplace_back();
    of.name = k < spec_.class_names.size() ? spec_.class_names[k] : std::to_string(k);
    of.count = counts.is;
    of.recall = share(counts.both, counts.is);
    of.precision = share(counts.both, counts.called);
    of.iou = share(counts.both, counts.is + counts.called - counts.both);
    recall.add(of.recall);
    iou.add(of.iou);
  }
  metrics.confusion = confusion_;
  if (metrics.task != Task::kSegmentation) return;
  metrics.class_accuracy = recall.value();
  metrics.miou = iou.value();
}

void MetricSums::put_categories(EvalMetrics& metrics) const {
  if (categories_.empty()) return;
  double shapes = 0;
  Mean by_category;
  for (std::size_t c = 0; c < categories_.size(); ++c) {
    CategoryMetrics& of = metrics.categories.emplace_back();
    of.name = spec_.categories[c].name;
    of.objects = categories_[c].objects;
    if (of.objects > 0) of.miou = 100 * categories_[c].iou / static_cast<double>(of.objects);
    shapes += categories_[c].iou;
    by_category.add(of.miou);
  }
  metrics.instance_miou = 100 * shapes / static_cast<double>(samples_);
  metrics.class_miou = by_category.value();
}

EvalMetrics MetricSums::result() const {
  EvalMetrics metrics;
  metrics.task = spec_.task.task;
  metrics.samples = samples_;
  metrics.not_finite = not_finite_;
  if (samples_ == 0) return metrics;
  if (metrics.task == Task::kForecasting) {
    metrics.mse = squares_ / static_cast<double>(values_);
    metrics.mae = absolutes_ / static_cast<double>(values_);
    metrics.loss = metrics.mse;
    return metrics;
  }
  const auto counted = static_cast<std::int64_t>(predictions_.size());
  metrics.loss = loss_ / static_cast<double>(counted);
  if (metrics.task == Task::kClassification) {
    metrics.top1 = per_cent(correct_, counted);
    metrics.top5 = per_cent(among_five_, counted);
  } else {
    metrics.accuracy = per_cent(correct_, counted);
    put_categories(metrics);
  }
  put_classes(metrics);
  return metrics;
}

}  // namespace tbn
