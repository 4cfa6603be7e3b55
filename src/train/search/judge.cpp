// Recalibrates and measures.
#include "train/search/judge.h"

#include <torch/torch.h>

#include "base/counter_rng.h"
#include "data/loader.h"
#include "tbn/error.h"
#include "train/batches/batch_tensors.h"
#include "train/executor/device.h"
#include "train/run/evaluate.h"
#include "train/run/signals.h"

namespace tbn {
namespace {

// Beside the draws of evolution and of steps.
constexpr std::uint64_t kStatistics = std::uint64_t{1} << 61;

// Every other sample, from the first or the second on: data sets may lie class by class.
std::shared_ptr<const Dataset> half_of(const std::shared_ptr<const Dataset>& all,
                                       std::int64_t first) {
  std::vector<std::int64_t> indices;
  for (std::int64_t i = first; i < all->size(); i += 2) indices.push_back(i);
  return std::make_shared<Subset>(all, std::move(indices));
}

std::shared_ptr<const Dataset> some_of(const std::shared_ptr<const Dataset>& all, std::int64_t most,
                                       std::uint64_t seed) {
  std::vector<std::int64_t> indices =
      random_permutation(all->size(), CounterRng(seed, RngUse::kSearch, kStatistics));
  if (std::ssize(indices) > most) indices.resize(static_cast<std::size_t>(most));
  return std::make_shared<Subset>(all, std::move(indices));
}

// A network whose training mode measures statistics and changes nothing else: nothing is dropped.
Graph for_statistics(Graph graph) {
  for (Node& node : graph.nodes) {
    if (auto* dropout = std::get_if<Dropout>(&node.op)) dropout->rate = 0;
  }
  return graph;
}

bool has_statistics(const Graph& graph) {
  return std::ranges::any_of(
      graph.nodes, [](const Node& node) { return std::holds_alternative<BatchNorm>(node.op); });
}

}  // namespace

std::string_view word_of(Images images) {
  constexpr std::array<std::string_view, 3> kWords = {"rank", "judge", "all"};
  return kWords.at(static_cast<std::size_t>(images));
}

Judge::Judge(const Config& config, const TrainerSetup& setup, std::int64_t recalibrate)
    : config_(config), setup_(setup) {
  const std::shared_ptr<const Dataset>& all = setup.data.validation;
  if (all->size() < 2) {
    throw ConfigError(
        "a search compares networks on validation samples, and there are none; hold some out of "
        "training with data.validation=...");
  }
  sets_ = {half_of(all, 0), half_of(all, 1), all};
  training_ = some_of(setup.data.train, recalibrate, static_cast<std::uint64_t>(config.train.seed));
}

bool Judge::recalibrate(GraphModule& network) const {
  if (!has_statistics(network.graph())) return true;
  const torch::NoGradGuard no_grad;
  network.train();
  BatchLoader loader(*training_, {.batch_size = config_.train.batch_size,
                                  .drop_last = training_->size() >= config_.train.batch_size,
                                  .threads = static_cast<int>(config_.data.threads)});
  loader.start_epoch(0);
  std::int64_t batches = 0;
  for (Batch batch; loader.next(batch);) {
    if (StopSignals::received() != 0) return false;
    if (batch.size == 0) continue;
    network.average_norms(++batches);
    const BatchTensors tensors = batch_tensors(batch, training_->spec(), setup_.device);
    const Autocast autocast(config_.train.precision == TrainPrecision::kBf16, setup_.device);
    network.forward(tensors.inputs);
  }
  return true;
}

std::optional<Measured> Judge::measure(const SearchSpace& space, const SharedWeights& weights,
                                       const Pick& pick, Images images) const {
  GraphModule network(for_statistics(with_choices(space, pick)));
  network.set_channels_last(config_.train.channels_last);
  network.to(setup_.device);
  weights.fill(network, pick);
  if (!recalibrate(network)) return std::nullopt;
  return measure(network, images);
}

std::optional<Measured> Judge::measure(GraphModule& network, Images images) const {
  const std::optional<MetricSums> sums =
      evaluate_unless([] { return StopSignals::received() != 0; }, network, *set_of(images),
                      {.device = setup_.device,
                       .batch_size = config_.train.eval_batch_size,
                       .bf16 = config_.train.precision == TrainPrecision::kBf16,
                       .threads = static_cast<int>(config_.data.threads)});
  if (!sums) return std::nullopt;
  const EvalMetrics metrics = sums->result();
  return Measured{metrics.score(), metrics.loss};
}

}  // namespace tbn
