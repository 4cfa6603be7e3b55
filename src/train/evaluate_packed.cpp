// A packed network over whole sets of images.
#include "train/evaluate_packed.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tbn/error.h"

namespace tbn {

MetricSums evaluate_packed(std::shared_ptr<const Network> network, const ImageSet& images,
                           const SessionOptions& options, std::int64_t batch_size) {
  const std::int64_t classes = element_count(network->output_shape());
  Session session(std::move(network), options);
  MetricSums sums;
  std::vector<float> logits;
  for (std::int64_t first = 0; first < images.size(); first += batch_size) {
    const std::int64_t count = std::min(batch_size, images.size() - first);
    const auto begin = images.pixels.begin() + first * images.image_bytes();
    const std::vector<float> pixels(begin, begin + count * images.image_bytes());
    logits.resize(static_cast<std::size_t>(count * classes));
    session.run(pixels, count, logits);
    const std::vector<std::int64_t> labels(images.labels.begin() + first,
                                           images.labels.begin() + first + count);
    sums.add(logits, classes, labels);
  }
  return sums;
}

VerifyResult verify_packed(std::shared_ptr<const Network> network, const SessionOptions& options) {
  const HostTensor& input = network->verify_input();
  const HostTensor& output = network->verify_output();
  if (input.count() == 0) {
    throw DataError("the file has no test vectors to verify; export it again with this tbn-export");
  }
  const std::span<const float> expected = output.values<float>();
  const std::int64_t classes = element_count(network->output_shape());
  VerifyResult result;
  result.vectors = input.shape().front();
  std::vector<float> logits(expected.size());
  Session session(network, options);
  session.run(input.values<float>(), result.vectors, logits);

  double largest = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
    const double difference = std::abs(static_cast<double>(logits[i]) - expected[i]);
    // The negation also catches what is not a number.
    if (!(difference <= result.largest_difference)) result.largest_difference = difference;
  }
  result.tolerance = std::max(1e-4, 1e-3 * largest);
  for (std::int64_t v = 0; v < result.vectors; ++v) {
    const auto predicted = [&](const float* values) {
      const float* row = values + v * classes;
      return std::max_element(row, row + classes) - row;
    };
    result.same_predictions &= predicted(logits.data()) == predicted(expected.data());
  }
  return result;
}

}  // namespace tbn
