// A packed network over whole data sets.
#include "eval/packed.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "data/loader.h"
#include "graph/passes/units.h"
#include "prepare/inputs.h"
#include "runtime/prepare.h"
#include "tbn/error.h"

namespace tbn {

MetricSums evaluate_packed(const Network& network, PackedRun run, const Dataset& data,
                           std::int64_t batch_size, int loader_threads) {
  MetricSums sums(data.spec());
  if (data.size() == 0) return sums;
  const std::int64_t each = element_count(network.output_shape());
  BatchLoader loader(data, {.batch_size = batch_size, .threads = loader_threads});
  loader.start_epoch(0);
  const std::optional<Units> units = units_of(network.graph(), network.tensors());
  std::vector<float> outputs;
  for (Batch batch; loader.next(batch);) {
    sums.leave_out(batch.unread);
    if (batch.size == 0) continue;
    if (data.spec().bytes) batch.values.assign(batch.bytes.begin(), batch.bytes.end());
    outputs.resize(static_cast<std::size_t>(batch.size * each));
    if (units) to_original(batch.values, *units);
    run(batch.values, batch.size, outputs);
    if (units) to_standardised(outputs, *units);
    sums.add(outputs, batch.labels, batch.targets, batch.size);
  }
  return sums;
}

namespace {

// The checksum of what the file's steps make of an example, by this build on this processor.
void check_preparation(const Network& network) {
  const std::optional<InputRule>& rule = network.rule().input;
  if (!rule || !rule->check) return;
  const auto made = example_check(network.rule(), network.input_shape());
  if (!made || *made == *rule->check) return;
  throw DataError(fmt::format(
      "the steps by which the file's inputs are made give {:08x} for the example, and {:08x} where "
      "the network was trained; this build prepares inputs otherwise",
      *made, *rule->check));
}

// "nan at place 3", of the first value that is not finite; empty where all are.
std::string first_non_finite(std::span<const float> values) {
  const auto found = std::ranges::find_if_not(values, [](float v) { return std::isfinite(v); });
  if (found == values.end()) return {};
  return fmt::format("{} at place {}", *found, found - values.begin() + 1);
}

// Nothing compares with what is not finite.
void check_vectors(const Network& network) {
  for (const auto& [name, tensor] : {std::pair("verify.input", &network.verify_input()),
                                     std::pair("verify.output", &network.verify_output())}) {
    const std::string found = first_non_finite(tensor->values<float>());
    if (found.empty()) continue;
    throw DataError(fmt::format(
        "the file's test vectors '{}' hold {}, with which nothing compares; export it again", name,
        found));
  }
}

}  // namespace

VerifyResult verify_packed(const Network& network, PackedRun run, double relative) {
  const HostTensor& output = network.verify_output();
  if (output.count() == 0) {
    throw DataError(
        "the file has no test vectors to verify; export its run again, with --verify 1 or more");
  }
  const HostTensor& input = network.verify_input();
  check_vectors(network);
  check_prepared(network);
  check_preparation(network);
  const std::span<const float> expected = output.values<float>();
  const std::int64_t classes = network.output_shape().back();
  VerifyResult result;
  result.vectors = input.shape().front();
  std::vector<float> logits(expected.size());
  run(input.values<float>(), result.vectors, logits);
  if (const std::string found = first_non_finite(logits); !found.empty()) {
    throw NonFiniteError(fmt::format(
        "for the file's test vectors the network gives {}, and gave numbers where it was exported",
        found));
  }
  const std::optional<Units> units = units_of(network.graph(), network.tensors());
  std::vector<float> wanted(expected.begin(), expected.end());
  if (units) {
    to_standardised(logits, *units);
    to_standardised(wanted, *units);
  }

  double largest = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(wanted[i])));
    const double difference = std::abs(static_cast<double>(logits[i]) - wanted[i]);
    result.largest_difference = std::max(result.largest_difference, difference);
  }
  result.tolerance = relative * std::max(0.1, largest);
  // Points and series have near ties by the thousand; their numbers are compared above.
  if (network.output_shape().size() > 1) return result;
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
