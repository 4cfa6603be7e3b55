// Counts hits and sums log-likelihoods.
#include "train/evaluate_metrics.h"

#include <algorithm>
#include <cmath>

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

}  // namespace

void MetricSums::add(std::span<const float> logits, std::int64_t classes,
                     std::span<const std::int64_t> labels) {
  const auto width = static_cast<std::size_t>(classes);
  TBN_CHECK(width > 0 && logits.size() == labels.size() * width, "a row of logits for each label");
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::span<const float> row = logits.subspan(i * width, width);
    const auto label = static_cast<std::size_t>(labels[i]);
    TBN_CHECK(label < width, "a label is one of the classes");
    const auto predicted =
        static_cast<std::size_t>(std::max_element(row.begin(), row.end()) - row.begin());
    // Classes that come before the right one: higher logits, and equal ones with a lower number.
    std::size_t before = 0;
    for (std::size_t k = 0; k < width; ++k) {
      before += row[k] > row[label] || (row[k] == row[label] && k < label);
    }
    predictions_.push_back(static_cast<std::int32_t>(predicted));
    correct_ += predicted == label;
    among_five_ += before < 5;
    loss_ += cross_entropy_of(row, label);
  }
}

EvalMetrics MetricSums::result() const {
  EvalMetrics metrics;
  metrics.images = static_cast<std::int64_t>(predictions_.size());
  if (metrics.images == 0) return metrics;
  const auto images = static_cast<double>(metrics.images);
  metrics.top1 = 100 * static_cast<double>(correct_) / images;
  metrics.top5 = 100 * static_cast<double>(among_five_) / images;
  metrics.loss = loss_ / images;
  return metrics;
}

}  // namespace tbn
